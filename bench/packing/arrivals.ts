import type { OpenbNode, OpenbPod } from '../../src/sim/traces/index.ts';

/** Devices asked for in all, in thousandths, as a share of those that the nodes have: the protocol of FGD. */
const load = 1.3;

export const milliOf = ({ gpus, gpuMilli }: OpenbPod): number => gpus * gpuMilli;

export const capacityOf = (nodes: readonly OpenbNode[]): number =>
  nodes.reduce((sum, { gpus }) => sum + gpus * 1000, 0);

/**
 * Every pod of the trace once, plus pods drawn from it with replacement until the next would ask for more than 130 % of
 * the capacity in all, in random order (FGD, USENIX ATC '23, section 6). A trace that asks for more by itself is
 * shuffled only.
 */
export function arrivalsOf(pods: readonly OpenbPod[], capacity: number, random: () => number): OpenbPod[] {
  const arrivals = [...pods];
  const pick = () => pods[Math.floor(random() * pods.length)]!;
  let asked = pods.reduce((sum, pod) => sum + milliOf(pod), 0);
  for (let pod = pick(); asked + milliOf(pod) <= capacity * load; pod = pick()) {
    arrivals.push(pod);
    asked += milliOf(pod);
  }
  for (let i = arrivals.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [arrivals[i], arrivals[j]] = [arrivals[j]!, arrivals[i]!];
  }
  return arrivals;
}
