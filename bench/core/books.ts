import type { Plan } from '../../src/core/plan/index.ts';
import type { NodeFacts, PodFacts } from '../../src/core/snapshot/index.ts';
import { gpuResource, gpusPerNode } from './manifests.ts';

/** Faults of a kind that are told one by one. */
const toldOfAKind = 3;

/**
 * Who holds which devices by the plans alone, kept beside the core and by other means, so that a fast answer that is
 * wrong is seen.
 */
export class Books {
  readonly #free = new Map<string, number>();
  readonly #nodes = new Map<string, NodeFacts>();
  readonly #nodeOfPod = new Map<string, string>();
  readonly #faults = new Map<string, string[]>();

  constructor(nodes: readonly NodeFacts[]) {
    for (const node of nodes) {
      this.#free.set(node.name, gpusPerNode);
      this.#nodes.set(node.name, node);
    }
  }

  /** Books what a plan admits: whole workloads, each pod once, within the node and the domain that it asks for. */
  admit({ admit }: Pick<Plan, 'admit'>): void {
    for (const { workload, pods } of admit) {
      if (pods.length !== workload.pods.length || new Set(pods.map(({ pod }) => pod.uid)).size !== pods.length)
        this.#fault('not started whole', workload.key);
      const domains = new Set<string>();
      for (const { pod, nodeName } of pods) {
        this.start(pod, nodeName);
        if (pod.topology?.required === true) domains.add(this.domainOf(nodeName, pod.topology.level));
      }
      if (domains.size > 1) this.#fault('spread over several domains', workload.key);
    }
  }

  start(pod: PodFacts, nodeName: string): void {
    if (this.#nodeOfPod.has(pod.uid)) this.#fault('started twice', pod.name);
    const free = this.#free.get(nodeName);
    if (free === undefined) this.#fault('put on a node that does not exist', pod.name);
    else if (free < devicesOfPod(pod)) this.#fault('put on a node without room', `${pod.name} on ${nodeName}`);
    this.#free.set(nodeName, this.free(nodeName) - devicesOfPod(pod));
    this.#nodeOfPod.set(pod.uid, nodeName);
  }

  end(pod: PodFacts): void {
    const node = this.#nodeOfPod.get(pod.uid);
    if (node === undefined) {
      this.#fault('ended without having started', pod.name);
      return;
    }
    this.#nodeOfPod.delete(pod.uid);
    this.#free.set(node, this.free(node) + devicesOfPod(pod));
  }

  /** Free devices of a node. */
  free(nodeName: string): number {
    return this.#free.get(nodeName) ?? 0;
  }

  get started(): number {
    return this.#nodeOfPod.size;
  }

  /** The widest free space: free devices of the best domain of a level, or of all nodes. */
  mostFree(level: string | undefined): number {
    const byDomain = new Map<string, number>();
    for (const [name, free] of this.#free) {
      const domain = level === undefined ? '' : this.domainOf(name, level);
      byDomain.set(domain, (byDomain.get(domain) ?? 0) + free);
    }
    return Math.max(...byDomain.values());
  }

  /** The value of a node's label. The simulated wiring gives every domain a name of its own. */
  domainOf(nodeName: string, level: string): string {
    return this.#nodes.get(nodeName)?.labels[level] ?? '';
  }

  /** What was wrong so far, the first few of each kind. */
  faults(): readonly string[] {
    return [...this.#faults].map(([kind, cases]) => {
      const more = cases.length > toldOfAKind ? ` and ${cases.length - toldOfAKind} more` : '';
      return `${kind}: ${cases.slice(0, toldOfAKind).join(', ')}${more}`;
    });
  }

  #fault(kind: string, which: string): void {
    const known = this.#faults.get(kind);
    if (known === undefined) this.#faults.set(kind, [which]);
    else known.push(which);
  }
}

export function devicesOfPod({ shape }: PodFacts): number {
  return shape.requests[gpuResource] ?? 0;
}
