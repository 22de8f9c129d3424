import type { OpenbNode, OpenbPod } from '../../src/sim/traces/index.ts';
import { copyOf, devicesFor, emptyNode, fits, freeMilli, put, type NodeState } from './cluster.ts';

/** Places pods as they arrive; false = it fits nowhere and is dropped. */
export interface Packer {
  place(pod: OpenbPod): boolean;
}

/** What a packer is made of. The trace's pods are what FGD is told of the future; others must not look at them. */
export interface PackingInput {
  readonly nodes: readonly OpenbNode[];
  readonly pods: readonly OpenbPod[];
  readonly random: () => number;
}

/** Any node that holds the pod, any device of it that does. */
export function randomPacker({ nodes, random }: PackingInput): Packer {
  const states = nodes.map(emptyNode);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  return {
    place(pod) {
      const candidates = states.filter((node) => fits(node, pod));
      if (candidates.length === 0) return false;
      const node = pick(candidates);
      put(node, pod, pod.gpus === 1 ? pick(devicesFor(node, pod)) : undefined);
      return true;
    },
  };
}

/**
 * The node with the least left: cpu and devices count half each, as fractions of the largest node (128 cores, 8
 * devices). Scores are whole percents, as kube-scheduler has them, and ties are broken at random.
 */
export function bestFitPacker({ nodes, random }: PackingInput): Packer {
  const states = nodes.map(emptyNode);
  return {
    place(pod) {
      let best: NodeState | undefined;
      let bestScore = -1;
      let ties = 0;
      for (const node of states) {
        if (!fits(node, pod)) continue;
        const score = Math.floor(100 * (1 - left(node, pod)));
        ties = score === bestScore ? ties + 1 : 1;
        if (score < bestScore || (score === bestScore && random() * ties >= 1)) continue;
        best = node;
        bestScore = score;
      }
      if (best === undefined) return false;
      put(best, pod);
      return true;
    },
  };
}

function left(node: NodeState, pod: OpenbPod): number {
  const cpu = (node.cpuMilli - pod.cpuMilli) / 128_000;
  const devices = (freeMilli(node) - pod.gpus * pod.gpuMilli) / 8000;
  return (cpu + devices) / 2;
}

/** How much weight best fit has beside fragmentation, in milli-devices for all of a node: it breaks near-ties. */
const tieBreak = 100;

/**
 * Fragmentation gradient descent (FGD, USENIX ATC '23, section 4): the node and device where the devices that a random
 * pod of the trace could not use grow least. Its mix is the trace's, known beforehand; near-ties go to the best fit.
 */
export function fgdPacker({ nodes, pods }: PackingInput): Packer {
  const states = nodes.map(emptyNode);
  const mix = mixOf(pods);
  const known = new Map<string, { version: number; cost: number; device: number }[]>();
  return {
    place(pod) {
      const key = keyOf(pod);
      let costs = known.get(key);
      if (costs === undefined)
        known.set(key, (costs = states.map(() => ({ version: -1, cost: Infinity, device: -1 }))));
      let best = -1;
      states.forEach((node, i) => {
        const entry = costs[i]!;
        if (entry.version !== node.version)
          Object.assign(entry, { version: node.version }, cheapestDevice(node, pod, mix));
        if (entry.cost < (costs[best]?.cost ?? Infinity)) best = i;
      });
      if (best < 0) return false;
      put(states[best]!, pod, costs[best]!.device);
      return true;
    },
  };
}

type Mix = readonly { readonly pod: OpenbPod; readonly share: number }[];

function mixOf(pods: readonly OpenbPod[]): Mix {
  const counts = new Map<string, { pod: OpenbPod; share: number }>();
  for (const pod of pods) {
    const entry = counts.get(keyOf(pod)) ?? { pod, share: 0 };
    counts.set(keyOf(pod), { pod, share: entry.share + 1 / pods.length });
  }
  return [...counts.values()];
}

const keys = new WeakMap<OpenbPod, string>();

function keyOf(pod: OpenbPod): string {
  let key = keys.get(pod);
  if (key === undefined) keys.set(pod, (key = JSON.stringify(pod)));
  return key;
}

function cheapestDevice(node: NodeState, pod: OpenbPod, mix: Mix): { cost: number; device: number } {
  let best = { cost: Infinity, device: -1 };
  if (!fits(node, pod)) return best;
  const before = fragmentsOf(node, mix);
  const fit = tieBreak * left(node, pod);
  const tried = new Set<number>();
  for (const device of pod.gpus === 1 ? devicesFor(node, pod) : [-1]) {
    // Devices with as much left are alike.
    const free = node.devices[device] ?? 0;
    if (tried.has(free)) continue;
    tried.add(free);
    const after = copyOf(node);
    put(after, pod, device);
    const cost = fragmentsOf(after, mix) - before + fit;
    if (cost < best.cost) best = { cost, device };
  }
  return best;
}

/** Milli-devices of a node that a pod drawn from the mix can't use, on average. */
function fragmentsOf(node: NodeState, mix: Mix): number {
  const total = freeMilli(node);
  if (total === 0) return 0;
  let sum = 0;
  for (const { pod, share } of mix) {
    if (pod.gpus === 0 || !fits(node, pod)) sum += share * total;
    else for (const free of node.devices) if (free < pod.gpuMilli) sum += share * free;
  }
  return sum;
}
