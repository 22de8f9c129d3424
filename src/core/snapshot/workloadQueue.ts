import type { GangSizes, PodFacts } from './facts.ts';
import { OwnerAges } from './ownerAges.ts';
import { PendingSet } from './pending.ts';
import { gangKeyOf, gangWorkloads, singleWorkload } from './workloads.ts';

interface GangMembers {
  readonly pods: Map<string, PodFacts>;
  /** Keys under which the gang's waiting workloads stand in the pending set. */
  keys: readonly string[];
}

/** How a pod stands that exists. */
export interface PodStates {
  /** It is ours and may start as soon as there is room. */
  readonly waits: (pod: PodFacts) => boolean;
  /** It is on a node, or about to be, and goes on. */
  readonly isBound: (pod: PodFacts) => boolean;
}

/**
 * Puts pods that wait together to workloads. Gangs whose pods have changed are put together anew by {@link refresh}, once
 * for all their changes.
 *
 * | operation | cost |
 * |---|---|
 * | put, remove | O(1) |
 * | refresh | O(pods of the gangs that have changed) |
 * | ownerSince | O(waiting pods) when the owner is older than was known |
 */
export class WorkloadQueue {
  readonly pending = new PendingSet();
  readonly #states: PodStates;
  readonly #ages = new OwnerAges();
  readonly #gangs = new Map<string, GangMembers>();
  readonly #changed = new Set<string>();
  #gangSizes: GangSizes = () => undefined;

  constructor(states: PodStates) {
    this.#states = states;
  }

  setGangSizes(sizes: GangSizes): void {
    this.#gangSizes = sizes;
    for (const key of this.#gangs.keys()) this.#changed.add(key);
  }

  gangSizeChanged(kind: 'job' | 'podGroup', namespace: string, name: string): void {
    const key = `${namespace}/${kind}/${name}`;
    if (this.#gangs.has(key)) this.#changed.add(key);
  }

  /** See `Fleet.ownerSince`. */
  ownerSince(owner: string, since: number): void {
    if (!this.#ages.learn(owner, since)) return;
    for (const workload of [...this.pending.workloads()]) {
      if (!workload.pods.some((pod) => pod.owner === owner)) continue;
      const gang = gangKeyOf(workload.pods[0] as PodFacts);
      if (gang !== undefined) this.#changed.add(gang);
      else this.pending.add(singleWorkload(workload.pods[0] as PodFacts, this.#ages));
    }
  }

  ownerGone(owner: string): void {
    this.#ages.forget(owner);
  }

  /** Takes a pod, or what it is now. */
  put(pod: PodFacts, previous: PodFacts | undefined): void {
    const gang = gangKeyOf(pod);
    if (previous !== undefined && gangKeyOf(previous) !== gang) this.remove(previous);
    if (gang !== undefined && pod.ours) {
      let members = this.#gangs.get(gang);
      if (members === undefined) this.#gangs.set(gang, (members = { pods: new Map(), keys: [] }));
      members.pods.set(pod.uid, pod);
      this.#changed.add(gang);
    } else if (this.#states.waits(pod)) {
      this.pending.add(singleWorkload(pod, this.#ages));
    } else {
      this.pending.delete(pod.uid);
    }
  }

  remove(pod: PodFacts): void {
    const gang = gangKeyOf(pod);
    if (gang === undefined) {
      this.pending.delete(pod.uid);
      return;
    }
    this.#gangs.get(gang)?.pods.delete(pod.uid);
    this.#changed.add(gang);
  }

  /** Brings the workloads of gangs up to date. @returns whether there was anything to do */
  refresh(): boolean {
    if (this.#changed.size === 0) return false;
    for (const key of this.#changed) {
      const members = this.#gangs.get(key);
      if (members === undefined) continue;
      for (const old of members.keys) this.pending.delete(old);
      if (members.pods.size === 0) this.#gangs.delete(key);
      else members.keys = this.#addGang([...members.pods.values()]);
    }
    this.#changed.clear();
    return true;
  }

  #addGang(pods: readonly PodFacts[]): readonly string[] {
    const { waits, isBound } = this.#states;
    const waiting = pods.filter((pod) => waits(pod));
    const workloads = gangWorkloads(waiting, pods.filter((pod) => isBound(pod)).length, this.#gangSizes, this.#ages);
    for (const workload of workloads) this.pending.add(workload);
    return workloads.map((workload) => workload.key);
  }
}
