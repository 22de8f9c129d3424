import { WaitReason } from '../../api/v1alpha1/constants/index.ts';
import { Feasibility, placeAll, release, type PlacedPod, type PlacementRequest } from '../place/index.ts';
import type { NodeProfile, PodFacts, PoolState, RunningWorkload, Snapshot, Workload } from '../snapshot/index.ts';
import { needsQuota, refusalByQuota } from './checks.ts';
import { Kin, type Candidate } from './kin.ts';
import { compareInQuota, PoolOrder } from './order.ts';
import { refuse, type Refusal } from './refusal.ts';
import { noRoom } from './room.ts';
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
 * Cost: O(waiting classes) to begin with, O(depth + log siblings + nodes used) for each admission, one attempt for each
 * equivalence class that cannot start.
 *
 * @param now epoch milliseconds
 */
export function plan(snapshot: Snapshot, now: number, options: PlanOptions): Plan {
  return new Cycle(snapshot, now, options).run();
}

class Cycle {
  readonly #snapshot: Snapshot;
  readonly #options: PlanOptions;
  readonly #feasibility: Feasibility;
  readonly #kins: Kin[] = [];
  readonly #placed: { readonly workload: Workload; readonly pods: readonly PlacedPod[] }[] = [];
  #podsPlaced = 0;

  constructor(snapshot: Snapshot, now: number, options: PlanOptions) {
    void now;
    this.#snapshot = snapshot;
    this.#options = options;
    this.#feasibility = new Feasibility(snapshot);
  }

  run(): Plan {
    const { byPool, others } = this.#sort();
    let more = false;
    for (const [pool, kins] of byPool) more = this.#admitInPool(pool, kins) || more;
    more = this.#admitOthers(others.sort(compareInQuota)) || more;
    const waiting = this.#waiting();
    for (const { pods } of this.#placed.toReversed()) release(this.#snapshot, pods);
    return { admit: this.#placed.map((placed) => this.#admission(placed)), evict: [], reserve: [], waiting, more };
  }

  /** Leaves out what fails before any capacity is looked at, and divides the rest by pool. */
  #sort() {
    const byPool = new Map<PoolState, Kin[]>();
    const others: Kin[] = [];
    for (const pending of this.#snapshot.pending.classes()) {
      const kin = Kin.of(this.#snapshot, pending);
      if (kin === undefined) continue;
      this.#kins.push(kin);
      if (kin.standing !== undefined) continue;
      const pool = needsQuota(kin) ? kin.quota?.pool : undefined;
      if (pool === undefined) others.push(kin);
      else {
        const inPool = byPool.get(pool);
        if (inPool === undefined) byPool.set(pool, [kin]);
        else inPool.push(kin);
      }
    }
    return { byPool, others };
  }

  /** @returns whether the cycle ended before the work did */
  #admitInPool(pool: PoolState, kins: readonly Kin[]): boolean {
    const order = new PoolOrder(pool, kins, (quota) => shareOf(pool, quota));
    for (let candidate = order.peek(); candidate !== undefined; candidate = order.peek()) {
      if (this.#full()) return true;
      this.#settle(candidate, this.#tryOptions(candidate, pool));
      order.settle();
    }
    return false;
  }

  /** Workloads without accelerators need no quota. @returns whether the cycle ended before the work did */
  #admitOthers(kins: readonly Kin[]): boolean {
    for (const kin of kins) {
      for (let workload = kin.head; workload !== undefined && kin.refusal === undefined; workload = kin.head) {
        if (this.#full()) return true;
        const candidate = { kin, workload };
        this.#settle(candidate, this.#placeAnywhere(candidate));
      }
    }
    return false;
  }

  #full(): boolean {
    return this.#podsPlaced >= this.#options.maxPods;
  }

  #settle({ kin, workload }: Candidate, outcome: readonly PlacedPod[] | Refusal): void {
    if ('reason' in outcome) {
      kin.refusal = outcome;
      return;
    }
    this.#placed.push({ workload, pods: outcome });
    this.#podsPlaced += outcome.length;
    kin.started++;
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
      const request = this.#requestOf(candidate, option, pool);
      const placed = placeAll(this.#snapshot, this.#feasibility, request);
      if (placed !== undefined) return placed;
      byNodes ??= noRoom(this.#snapshot, { request, option, pool });
    }
    return byNodes ?? byQuota ?? refuse(WaitReason.NoCapacity, () => 'no class of the pool can hold it');
  }

  #requestOf(candidate: Candidate, option: Option, pool: PoolState): PlacementRequest {
    const { kin, workload } = candidate;
    const profiles = kin.profilesOf(option, this.#feasibility);
    const topology = workload.pods[0]?.topology;
    return {
      roles: kin.roles.map((role, i) => ({ pods: podsOf(kin, workload, role), profiles: profiles[i] ?? [] })),
      strategy: pool.spec.placement,
      within: topology?.required === true ? topology.level : undefined,
    };
  }

  /** Without accelerators: nodes outside every pool first, so that devices are not stranded by a lack of cpu. */
  #placeAnywhere({ kin, workload }: Candidate): readonly PlacedPod[] | Refusal {
    const outside = (profile: NodeProfile) => this.#snapshot.poolOfProfile(profile.id) === undefined;
    for (const allowed of [outside, () => true]) {
      const roles = kin.roles.map((role) => ({
        pods: podsOf(kin, workload, role),
        profiles: this.#feasibility.profilesOf(role.shape).filter(allowed),
      }));
      const request = { roles, strategy: 'Pack', within: undefined } as const;
      const placed = placeAll(this.#snapshot, this.#feasibility, request);
      if (placed !== undefined) return placed;
    }
    return refuse(
      WaitReason.NoCapacity,
      () => 'no node that the pod may run on has enough cpu, memory or room for another pod',
    );
  }

  #waiting(): Waiting[] {
    const waiting: Waiting[] = [];
    for (const kin of this.#kins) {
      const { refusal, waiting: workloads } = kin;
      if (refusal !== undefined && workloads.length > 0) waiting.push(new WaitingWorkloads(refusal, workloads));
    }
    return waiting;
  }

  #admission(placed: { readonly workload: Workload; readonly pods: readonly PlacedPod[] }): Admission {
    const { names } = this.#snapshot.nodes;
    const pods = placed.pods.map(({ pod, node }) => ({ pod, nodeName: names[node] ?? '' }));
    return { workload: placed.workload, pods };
  }
}

/** The sentence is put together when it is first read: most of 100,000 are not read before the next plan. */
class WaitingWorkloads implements Waiting {
  readonly workloads: readonly Workload[];
  readonly #refusal: Refusal;
  #message: string | undefined;

  constructor(refusal: Refusal, workloads: readonly Workload[]) {
    this.#refusal = refusal;
    this.workloads = workloads;
  }

  get reason(): WaitReason {
    return this.#refusal.reason;
  }

  get message(): string {
    return (this.#message ??= this.#refusal.describe());
  }
}

/** The workload's own pods of a role: the role of its class carries another workload's. */
function podsOf({ roles }: Kin, { pods }: Workload, role: Role): readonly PodFacts[] {
  return roles.length === 1 ? pods : pods.filter((pod) => pod.shape === role.shape);
}

/** Fair share of a quota's subtree; weight 0 comes last. */
function shareOf(pool: PoolState, { index, spec }: { readonly index: number; readonly spec: { weight: number } }) {
  return spec.weight === 0 ? Infinity : pool.tree.borrowed(index) / spec.weight;
}
