import type { OwnerAges } from './ownerAges.ts';
import type { GangClaim, GangSizes, PodFacts } from './facts.ts';

/** The unit of scheduling: pods that start together, or not at all. */
export interface Workload {
  /** Unique and stable while the same pods wait: the uid of the first pod. */
  readonly key: string;
  readonly namespace: string;
  /** The pods still to be placed, oldest first. */
  readonly pods: readonly PodFacts[];
  readonly priority: number;
  /** Since when it has been wanted, epoch milliseconds: creation of its oldest pod, or of what the pod replaces. */
  readonly createdAt: number;
  readonly gang: GangState | undefined;
}

/** Where a gang stands. */
export interface GangState {
  readonly kind: GangClaim['kind'];
  readonly name: string;
  /** Pods of a full gang; undefined while the Job or PodGroup that says so does not exist. */
  readonly size: number | undefined;
  /** Pods that do not exist yet; the gang waits for them. */
  readonly missing: number;
  /** Members that are bound already: the rest of a gang that a crash or a failure cut short, or grew back. */
  readonly bound: number;
  /** All pods of the workload declare the same size. */
  readonly agreed: boolean;
}

/** A workload of one pod. */
export function singleWorkload(pod: PodFacts, ages: OwnerAges): Workload {
  return {
    key: pod.uid,
    namespace: pod.namespace,
    pods: [pod],
    priority: pod.priority,
    createdAt: ages.of(pod),
    gang: undefined,
  };
}

/**
 * Divides the live members of one gang into workloads (DESIGN.md section 7): bound members count towards the first, so
 * that a gang cut short is completed; of more pods than the size the oldest start first, and the rest wait until they
 * are as many. `bound` is the number of bound live members.
 */
export function gangWorkloads(
  pending: readonly PodFacts[],
  bound: number,
  sizes: GangSizes,
  ages: OwnerAges,
): readonly Workload[] {
  const oldestFirst = pending.toSorted((a, b) => a.createdAt - b.createdAt || compareText(a.name, b.name));
  const [first] = oldestFirst;
  if (first?.gang === undefined) return [];
  const { kind, name } = first.gang;
  const size = kind === 'label' ? first.gang.size : sizes(kind, first.namespace, name);
  if (size === undefined || size < 1)
    return [workload(oldestFirst, { kind, name, size: undefined, missing: 0, bound: 0, agreed: true }, ages)];

  const workloads: Workload[] = [];
  let already = bound % size;
  for (let from = 0; from < oldestFirst.length;) {
    const pods = oldestFirst.slice(from, from + size - already);
    const missing = size - already - pods.length;
    workloads.push(workload(pods, { kind, name, size, missing, bound: already, agreed: declareOneSize(pods) }, ages));
    from += pods.length;
    already = 0;
  }
  return workloads;
}

/** Pods of one gang share this key; undefined for a pod alone. */
export function gangKeyOf(pod: PodFacts): string | undefined {
  return pod.gang === undefined ? undefined : `${pod.namespace}/${pod.gang.kind}/${pod.gang.name}`;
}

function declareOneSize(pods: readonly PodFacts[]): boolean {
  return pods.every((pod) => pod.gang?.size === pods[0]?.gang?.size);
}

function workload(pods: readonly PodFacts[], gang: GangState, ages: OwnerAges): Workload {
  const first = pods[0] as PodFacts;
  return {
    key: first.uid,
    namespace: first.namespace,
    pods,
    priority: Math.max(...pods.map((pod) => pod.priority)),
    createdAt: Math.min(...pods.map((pod) => ages.of(pod))),
    gang,
  };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
