import { WaitReason } from '../../api/v1alpha1/constants/index.ts';
import { Feasibility, placeAll, release, type PlacedPod, type PlacementRole } from '../place/index.ts';
import type { NodeProfile, PodFacts, PoolState, RunningWorkload, Snapshot, Workload } from '../snapshot/index.ts';
import { CandidateReader, type Candidate } from './candidate.ts';
import { needsQuota, refusalBeforeQuota, refusalByQuota, viableOptions } from './checks.ts';
import { compareInQuota, PoolOrder } from './order.ts';
import type { Refusal } from './refusal.ts';
import type { Option, Role } from './request.ts';

/** Pods of one workload and their nodes: all of them are bound, or none. */
export interface Admission {
  readonly workload: Workload;
  readonly pods: readonly { readonly pod: PodFacts; readonly nodeName: string }[];
}

/** Workloads that wait for the same reason. */
export interface Waiting {
  readonly reason: WaitReason;
  readonly message: string;
  readonly workloads: readonly Workload[];
}

/** A running workload that makes way, whole, for one that then starts. */
export interface Eviction {
  readonly victim: RunningWorkload;
  readonly beneficiary: Workload;
  /** Why it may be taken (DESIGN.md section 4.2); `Overdue` = it is past its walltime. */
  readonly cause: 'Reclaim' | 'Priority' | 'Fairness' | 'Overdue';
}

/** Space that is kept for a waiting workload. */
export interface Reservation {
  readonly workload: Workload;
  /** When it can start at the latest, by what is known now. Epoch milliseconds. */
  readonly at: number;
  readonly pods: readonly { readonly pod: PodFacts; readonly nodeName: string }[];
}

/** What is to be done. Data: the shell carries it out. */
export interface Plan {
  readonly admit: readonly Admission[];
  /** To be carried out together: victims and beneficiary were planned as one. */
  readonly evict: readonly Eviction[];
  readonly reserve: readonly Reservation[];
  /** Every workload that stays pending, with its reason. */
  readonly waiting: readonly Waiting[];
  /** The cycle stopped at `maxPods`: plan again at once. Workloads not looked at are neither admitted nor waiting. */
  readonly more: boolean;
}

export interface PlanOptions {
  /** Pods to place in one cycle at the most, so that binding starts before a long backlog is planned to its end. */
  readonly maxPods: number;
}

/**
 * Decides what starts now (DESIGN.md section 4.1): everything that fits, in order, each workload whole. Pure: the
 * snapshot is changed while the plan is made and exactly as before when it returns.
 *
 * Cost: O(pending pods) to sort, O(depth x siblings + nodes used) for each admission, one attempt for each equivalence
 * class that cannot start.
 */
export function plan(snapshot: Snapshot, now: number, options: PlanOptions): Plan {
  return new Cycle(snapshot, now, options).run();
}

class Cycle {
  readonly #snapshot: Snapshot;
  readonly #options: PlanOptions;
  readonly #reader: CandidateReader;
  readonly #feasibility: Feasibility;
  readonly #placed: { readonly workload: Workload; readonly pods: readonly PlacedPod[] }[] = [];
  readonly #started = new Set<Workload>();
  readonly #profiles = new Map<Option, readonly (readonly NodeProfile[])[]>();
  #podsPlaced = 0;

  constructor(snapshot: Snapshot, now: number, options: PlanOptions) {
    void now;
    this.#snapshot = snapshot;
    this.#options = options;
    this.#reader = new CandidateReader(snapshot);
    this.#feasibility = new Feasibility(snapshot);
  }

  run(): Plan {
    const { byPool, others } = this.#sort();
    let more = false;
    for (const [pool, candidates] of byPool) more = this.#admitInPool(pool, candidates) || more;
    for (const candidate of others.sort(compareInQuota)) {
      if (candidate.kin.refusal !== undefined) continue;
      if (this.#full()) more = true;
      else this.#settle(candidate, this.#placeAnywhere(candidate));
    }
    const waiting = this.#waiting();
    for (const { pods } of this.#placed.toReversed()) release(this.#snapshot, pods);
    return { admit: this.#placed.map((placed) => this.#admission(placed)), evict: [], reserve: [], waiting, more };
  }

  /** Refuses what fails before any quota, and divides the rest by pool. Workloads without accelerators need none. */
  #sort() {
    const byPool = new Map<PoolState, Candidate[]>();
    const others: Candidate[] = [];
    for (const workload of this.#snapshot.pending()) {
      const candidate = this.#reader.read(workload);
      // The first of a class is checked for all of them: the checks see nothing in which they differ.
      if (candidate.kin.workloads.length === 1) {
        candidate.kin.refusal = refusalBeforeQuota(candidate);
        candidate.kin.options = viableOptions(candidate);
      }
      if (candidate.kin.refusal !== undefined) continue;
      const pool = needsQuota(candidate) ? candidate.quota?.pool : undefined;
      if (pool === undefined) others.push(candidate);
      else {
        const inPool = byPool.get(pool);
        if (inPool === undefined) byPool.set(pool, [candidate]);
        else inPool.push(candidate);
      }
    }
    return { byPool, others };
  }

  #admitInPool(pool: PoolState, candidates: readonly Candidate[]): boolean {
    const order = new PoolOrder(pool, candidates);
    for (let candidate = order.peek(); candidate !== undefined; candidate = order.peek()) {
      if (this.#full()) return true;
      this.#settle(candidate, this.#tryOptions(candidate, pool));
      order.settle(candidate);
    }
    return false;
  }

  #full(): boolean {
    return this.#podsPlaced >= this.#options.maxPods;
  }

  #settle(candidate: Candidate, outcome: readonly PlacedPod[] | Refusal): void {
    if ('reason' in outcome) {
      candidate.kin.refusal = outcome;
      return;
    }
    this.#placed.push({ workload: candidate.workload, pods: outcome });
    this.#started.add(candidate.workload);
    this.#podsPlaced += outcome.length;
  }

  /** The first option that quota and nodes allow; else the refusal of the option that got furthest. */
  #tryOptions(candidate: Candidate, pool: PoolState): readonly PlacedPod[] | Refusal {
    let byNodes: Refusal | undefined;
    let byQuota: Refusal | undefined;
    for (const option of candidate.kin.options) {
      const refusal = refusalByQuota(this.#snapshot, candidate, option);
      if (refusal !== undefined) {
        byQuota ??= refusal;
        continue;
      }
      const roles = this.#roles(candidate, (_, i) => this.#profilesOf(candidate.kin.roles, option)[i] ?? []);
      const request = { roles, strategy: pool.spec.placement, within: undefined };
      const placed = placeAll(this.#snapshot, this.#feasibility, request);
      if (placed !== undefined) return placed;
      byNodes ??= this.#noRoom(candidate.kin.roles, option, pool);
    }
    return byNodes ?? byQuota ?? { reason: WaitReason.NoCapacity, message: 'no class of the pool can hold it' };
  }

  /** Without accelerators: nodes outside every pool first, so that devices are not stranded by a lack of cpu. */
  #placeAnywhere(candidate: Candidate): readonly PlacedPod[] | Refusal {
    const outside = (profile: NodeProfile) => this.#snapshot.poolOfProfile(profile.id) === undefined;
    for (const allowed of [outside, () => true]) {
      const roles = this.#roles(candidate, (role) => this.#feasibility.profilesOf(role.shape).filter(allowed));
      const request = { roles, strategy: 'Pack', within: undefined } as const;
      const placed = placeAll(this.#snapshot, this.#feasibility, request);
      if (placed !== undefined) return placed;
    }
    const message = 'no node that the pod may run on has enough cpu, memory or room for another pod';
    return { reason: WaitReason.NoCapacity, message };
  }

  /** Roles of the workload itself: those of its class carry another workload's pods. */
  #roles(candidate: Candidate, profiles: (role: Role, index: number) => readonly NodeProfile[]): PlacementRole[] {
    return candidate.kin.roles.map((role, i) => ({
      pods:
        candidate.kin.roles.length === 1
          ? candidate.workload.pods
          : candidate.workload.pods.filter((pod) => pod.shape === role.shape),
      profiles: profiles(role, i),
    }));
  }

  /** For each role, the profiles whose nodes carry the option's classes and take the role's pods. */
  #profilesOf(roles: readonly Role[], option: Option): readonly (readonly NodeProfile[])[] {
    let profiles = this.#profiles.get(option);
    if (profiles === undefined) {
      profiles = roles.map((role, i) => {
        const carrying = [...(option.classes[i]?.values() ?? [])].map((c) => new Set(c.profiles));
        return this.#feasibility
          .profilesOf(role.shape)
          .filter((profile) => carrying.every((ids) => ids.has(profile.id)));
      });
      this.#profiles.set(option, profiles);
    }
    return profiles;
  }

  #noRoom(roles: readonly Role[], option: Option, pool: PoolState): Refusal {
    const asked = option.request.reduce((sum, r) => sum + r.devices, 0);
    const profiles = new Map<number, { profile: NodeProfile; slot: number }>();
    roles.forEach((role, i) => {
      for (const profile of this.#profilesOf(roles, option)[i] ?? []) {
        const [accelerator] = role.accelerators;
        if (accelerator !== undefined) profiles.set(profile.id, { profile, slot: accelerator.slot });
      }
    });
    const free = this.#freeDevices(profiles.values());
    const largest = Math.max(...roles.map((role) => role.accelerators.reduce((sum, a) => sum + a.devices, 0)));
    if (profiles.size === 0) {
      const message = `no ready, uncordoned node of class ${option.label} in pool ${pool.spec.name} matches the pod's selectors and tolerations`;
      return { reason: WaitReason.NoCapacity, message };
    }
    if (free.total >= asked) {
      const message =
        `${free.total} ${option.label} are free, but no node has room for ${largest} and the pod's cpu and memory ` +
        `(most on one node: ${free.largest}) as often as needed; ask for fewer GPUs a pod, or wait`;
      return { reason: WaitReason.Fragmented, message };
    }
    const message = `${free.total} of the ${asked} ${option.label} asked for are free on nodes that the pod may use`;
    return { reason: WaitReason.NoCapacity, message };
  }

  #freeDevices(profiles: Iterable<{ readonly profile: NodeProfile; readonly slot: number }>) {
    let total = 0;
    let largest = 0;
    for (const { profile, slot } of profiles) {
      const index = this.#snapshot.nodes.freeIndex(profile.id, slot);
      for (let bucket = index.bucketCount - 1; bucket > 0; bucket--) {
        const nodes = index.size(bucket);
        total += nodes * bucket;
        if (nodes > 0) largest = Math.max(largest, bucket);
      }
    }
    return { total, largest };
  }

  #waiting(): Waiting[] {
    const waiting: Waiting[] = [];
    for (const { refusal, workloads } of this.#reader.classes) {
      if (refusal === undefined) continue;
      const left = workloads.filter((workload) => !this.#started.has(workload));
      if (left.length > 0) waiting.push({ ...refusal, workloads: left });
    }
    return waiting;
  }

  #admission(placed: { readonly workload: Workload; readonly pods: readonly PlacedPod[] }): Admission {
    const { names } = this.#snapshot.nodes;
    const pods = placed.pods.map(({ pod, node }) => ({ pod, nodeName: names[node] ?? '' }));
    return { workload: placed.workload, pods };
  }
}
