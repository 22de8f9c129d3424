import type { PodFacts } from './facts.ts';

/** A pod that holds its resources on a node. */
export interface HeldPod {
  readonly pod: PodFacts;
  /** Id of the node. */
  readonly node: number;
  /** When it was bound, or its binding decided. Epoch milliseconds. */
  readonly since: number;
  /** When it is killed at the latest, once it is being deleted. Epoch milliseconds. */
  readonly deletionAt: number | undefined;
}

/** Pods that run, or are about to, as one workload: a gang, or one pod alone. */
export interface RunningWorkload {
  /** Unique among what runs: namespace and gang, or the uid of the pod. */
  readonly key: string;
  readonly namespace: string;
  readonly pods: readonly HeldPod[];
  /** When the first of the pods was bound, epoch milliseconds. */
  readonly startedAt: number;
  readonly priority: number;
  /** Declared walltime in milliseconds; undefined = the quota's default holds. */
  readonly walltime: number | undefined;
  /** When the last pod is killed at the latest, once all of them are being deleted; undefined = some will go on. */
  readonly deletionAt: number | undefined;
  /** All pods are Moa's own: others are never evicted. */
  readonly ours: boolean;
}

/**
 * Everything that holds resources on a known node, by namespace. The workloads are put together when asked for, so that
 * a pod costs no more than an entry.
 *
 * | operation | cost |
 * |---|---|
 * | put, delete | O(1) |
 * | workloadsOf | O(pods of the namespace) |
 */
export class RunningSet {
  readonly #byNamespace = new Map<string, Map<string, HeldPod>>();

  /** Adds a pod, or takes its latest facts. */
  put(held: HeldPod): void {
    const { pod } = held;
    let pods = this.#byNamespace.get(pod.namespace);
    if (pods === undefined) this.#byNamespace.set(pod.namespace, (pods = new Map<string, HeldPod>()));
    pods.set(pod.uid, held);
  }

  delete(pod: PodFacts): void {
    const pods = this.#byNamespace.get(pod.namespace);
    pods?.delete(pod.uid);
    if (pods?.size === 0) this.#byNamespace.delete(pod.namespace);
  }

  /** Everything that runs. */
  *pods(): Iterable<HeldPod> {
    for (const pods of this.#byNamespace.values()) yield* pods.values();
  }

  /** Namespaces in which something runs. */
  namespaces(): Iterable<string> {
    return this.#byNamespace.keys();
  }

  workloadsOf(namespace: string): readonly RunningWorkload[] {
    const workloads: RunningWorkload[] = [];
    const gangs = new Map<string, HeldPod[]>();
    for (const held of this.#byNamespace.get(namespace)?.values() ?? []) {
      const { gang } = held.pod;
      if (gang === undefined) {
        workloads.push(runningWorkload(held.pod.uid, [held]));
        continue;
      }
      const key = `${namespace}/${gang.kind}/${gang.name}`;
      const members = gangs.get(key);
      if (members === undefined) gangs.set(key, [held]);
      else members.push(held);
    }
    for (const [key, members] of gangs) workloads.push(runningWorkload(key, members));
    return workloads;
  }
}

function runningWorkload(key: string, pods: readonly HeldPod[]): RunningWorkload {
  const [first] = pods as readonly [HeldPod, ...HeldPod[]];
  let startedAt = Infinity;
  let priority = -Infinity;
  let deletionAt: number | undefined = 0;
  let ours = true;
  for (const { pod, since, deletionAt: endsBy } of pods) {
    startedAt = Math.min(startedAt, since);
    priority = Math.max(priority, pod.priority);
    deletionAt = deletionAt === undefined || endsBy === undefined ? undefined : Math.max(deletionAt, endsBy);
    ours &&= pod.ours;
  }
  const { namespace, walltime } = first.pod;
  return { key, namespace, pods, startedAt, priority, walltime, deletionAt, ours };
}
