import { Endings } from './endings.ts';
import type { GangClaim, PodFacts } from './facts.ts';
import type { HeldPod } from './heldPod.ts';

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
  /** Its budget admitted it as a borrower only: it counts as borrowed whatever its quota is guaranteed. */
  readonly borrower: boolean;
}

/**
 * Everything that holds resources on a known node, by namespace. The workloads are put together when asked for, so that
 * a pod costs no more than an entry.
 *
 * | operation | cost |
 * |---|---|
 * | put, delete | O(1), O(log pods) once the endings were asked for |
 * | endings | O(1); the first time O(pods log pods) |
 * | workloadsOf | O(pods of the namespace) |
 */
export class RunningSet {
  readonly #byNamespace = new Map<string, Map<string, HeldPod>>();
  readonly #defaultWalltime: (namespace: string) => number;
  /** By namespace, how many of Moa's own pods run at each priority. */
  readonly #priorities = new Map<string, Map<number, number>>();
  /** Undefined until someone asks: not every snapshot is looked ahead from. */
  #endings: Endings | undefined;

  /** @param defaultWalltime of a namespace's workloads that declare none, milliseconds; must not change */
  constructor(defaultWalltime: (namespace: string) => number) {
    this.#defaultWalltime = defaultWalltime;
  }

  /** Adds a pod, or takes its latest facts. */
  put(held: HeldPod): void {
    const { pod } = held;
    let pods = this.#byNamespace.get(pod.namespace);
    if (pods === undefined) this.#byNamespace.set(pod.namespace, (pods = new Map<string, HeldPod>()));
    const before = pods.get(pod.uid);
    this.#endings?.replace(before, held);
    if (before !== undefined) this.#count(before.pod, -1);
    this.#count(pod, 1);
    pods.set(pod.uid, held);
  }

  delete(pod: PodFacts): void {
    const pods = this.#byNamespace.get(pod.namespace);
    if (pods === undefined) return;
    const before = pods.get(pod.uid);
    this.#endings?.replace(before, undefined);
    if (before !== undefined) this.#count(before.pod, -1);
    pods.delete(pod.uid);
    if (pods.size === 0) this.#byNamespace.delete(pod.namespace);
  }

  /** Least priority of Moa's own pods that run in a namespace; Infinity when there are none. O(priorities in use). */
  lowestPriority(namespace: string): number {
    let lowest = Infinity;
    for (const priority of this.#priorities.get(namespace)?.keys() ?? []) lowest = Math.min(lowest, priority);
    return lowest;
  }

  /** What runs by the time it ends. */
  endings(): Endings {
    return (this.#endings ??= new Endings(this.pods(), this.#defaultWalltime));
  }

  #count({ ours, namespace, priority }: PodFacts, change: 1 | -1): void {
    if (!ours) return;
    let counts = this.#priorities.get(namespace);
    if (counts === undefined) this.#priorities.set(namespace, (counts = new Map<number, number>()));
    const count = (counts.get(priority) ?? 0) + change;
    if (count > 0) counts.set(priority, count);
    else counts.delete(priority);
  }

  /** A node that some pod of a gang runs on; undefined when none does. O(pods of the namespace). */
  nodeOfGang(namespace: string, kind: GangClaim['kind'], name: string): number | undefined {
    for (const { pod, node } of this.#byNamespace.get(namespace)?.values() ?? []) {
      if (pod.gang?.name === name && pod.gang.kind === kind) return node;
    }
    return undefined;
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
  let borrower = false;
  for (const { pod, since, deletionAt: endsBy, borrower: one } of pods) {
    startedAt = Math.min(startedAt, since);
    priority = Math.max(priority, pod.priority);
    deletionAt = deletionAt === undefined || endsBy === undefined ? undefined : Math.max(deletionAt, endsBy);
    ours &&= pod.ours;
    borrower ||= one;
  }
  const { namespace, walltime } = first.pod;
  return { key, namespace, pods, startedAt, priority, walltime, deletionAt, ours, borrower };
}
