import { WaitReason } from '../../api/v1alpha1/constants/index.ts';
import { Backfill, type Ask, type Attempt } from '../backfill/index.ts';
import { Feasibility, release, type PlacedPod } from '../place/index.ts';
import type {
  NodeProfile,
  PodFacts,
  PoolState,
  QuotaState,
  Reservation,
  Snapshot,
  Workload,
} from '../snapshot/index.ts';
import { zeroGpus } from '../units/index.ts';
import { CycleBudgets } from './budgets.ts';
import { needsQuota, refusalByQuota } from './checks.ts';
import { honourPlaces } from './heldPlaces.ts';
import { Kin, type Candidate } from './kin.ts';
import { compareInQuota, PoolOrder } from './order.ts';
import { Proposals } from './proposals.ts';
import { refuse, type Refusal } from './refusal.ts';
import { podsOfRole, type Option, type Role } from './request.ts';
import { noRoom, obstacleOf, tooFewFree } from './room.ts';
import { SetAside } from './setAside.ts';
import { heldBack, lastInLine } from './turnRefusals.ts';
import { Turns } from './turns.ts';
import { WaitingWorkloads, type Waiting } from './waiting.ts';
import { WayMaker, type BlockedOption, type Eviction } from './way.ts';

/** Pods of one workload and their nodes: all of them are bound, or none. */
export interface Admission {
  readonly workload: Workload;
  readonly pods: readonly { readonly pod: PodFacts; readonly nodeName: string }[];
  /** Its budget has only its grace left: it counts as borrowed whatever its quota is guaranteed. */
  readonly asBorrower: boolean;
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
  /** Something started for a payer of whom classes were set aside (`maxClasses`): plan again at once. */
  readonly again: boolean;
}

export interface PlanOptions {
  /** Pods to place in one cycle at the most, so that binding starts before a long backlog is planned to its end. */
  readonly maxPods: number;
  /**
   * Equivalence classes of one quota (of one namespace that no quota pays for) to try in one cycle at the most; the
   * others have their turn in later cycles. Unless given, all are tried in each.
   */
  readonly maxClasses?: number;
}

/**
 * Decides what starts now (DESIGN.md section 4.1): everything that fits, in order, each workload whole. Pure: the
 * snapshot is changed while the plan is made and exactly as before when it returns.
 *
 * Cost: O(waiting classes that are not set aside) to begin with, O(depth + log siblings + nodes used) for each admission,
 * one attempt for each equivalence class that cannot start.
 *
 * @param now epoch milliseconds
 */
export function plan(snapshot: Snapshot, now: number, options: PlanOptions): Plan {
  return new Cycle(snapshot, now, options).run();
}

/** As so many classes one counts that looks at other pods: each node is asked anew. */
const dynamicEffort = 4;
/** For so many classes of one payer one search for victims in vain: it costs as much as hundreds of other refusals. */
const searchShare = 64;
/** For so many one look ahead. */
const lookShare = 8;

/** Where a workload starts, and on what terms. */
interface Start {
  readonly pods: readonly PlacedPod[];
  readonly asBorrower: boolean;
}

interface Placed extends Start {
  readonly workload: Workload;
}

class Cycle {
  readonly #snapshot: Snapshot;
  readonly #options: PlanOptions;
  readonly #feasibility: Feasibility;
  readonly #backfill: Backfill;
  readonly #proposals: Proposals;
  readonly #ways: WayMaker;
  /** Those that are looked at in this cycle. */
  readonly #kins: Kin[] = [];
  readonly #aside: SetAside;
  readonly #turns: Turns;
  readonly #placed: Placed[] = [];
  readonly #budgets: CycleBudgets;
  /** Quotas with workloads that wait for capacity, as far as the cycle has come. */
  readonly #waitingQuotas = new Set<QuotaState>();
  #podsPlaced = 0;

  constructor(snapshot: Snapshot, now: number, options: PlanOptions) {
    this.#snapshot = snapshot;
    this.#options = options;
    const { maxClasses = Infinity } = options;
    this.#feasibility = new Feasibility(snapshot);
    this.#backfill = new Backfill(snapshot, this.#feasibility, now);
    this.#budgets = new CycleBudgets(snapshot, now);
    this.#proposals = new Proposals(snapshot, this.#feasibility, this.#budgets);
    this.#aside = SetAside.of(snapshot);
    const isDynamic = ({ shape }: Role): boolean => this.#feasibility.isDynamic(shape);
    const effortOf = ({ roles }: Kin): number => (roles.some(isDynamic) ? dynamicEffort : 1);
    this.#turns = new Turns({ most: maxClasses, aside: this.#aside, effortOf });
    this.#ways = new WayMaker(snapshot, this.#feasibility, {
      now,
      backfill: this.#backfill,
      budgets: this.#budgets,
      mostFailedSearches: Math.ceil(maxClasses / searchShare),
      mostLooksOfQuota: Math.ceil(maxClasses / lookShare),
    });
  }

  run(): Plan {
    const { byPool, others } = this.#sort();
    let more = false;
    for (const [pool, kins] of byPool) more = this.#admitInPool(pool, this.#turns.choose(kins)) || more;
    more = this.#admitOthers(this.#turns.choose(others).toSorted(compareInQuota)) || more;
    const again = this.#turns.close();
    const waiting = this.#waiting();
    const reserve = this.#ways.reservations;
    this.#backfill.release();
    for (const { pods } of this.#placed.toReversed()) release(this.#snapshot, pods);
    this.#snapshot.endTrial();
    const admit = this.#placed.map((placed) => this.#admission(placed));
    return { admit, evict: this.#ways.evictions, reserve, waiting, more, again };
  }

  /** Leaves out what fails before any capacity is looked at, and divides the rest by pool. */
  #sort() {
    const byPool = new Map<PoolState, Kin[]>();
    const others: Kin[] = [];
    this.#turns.begin();
    for (const pending of this.#snapshot.pending.awake()) {
      const kin = Kin.of(this.#snapshot, pending, this.#budgets);
      if (kin === undefined) continue;
      if (kin.refusal !== undefined) {
        this.#aside.standsStill(kin);
        continue;
      }
      this.#kins.push(kin);
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
    this.#honour(pool, kins);
    let open = kins.filter((kin) => kin.isOpen);
    let spent = false;
    let order = new PoolOrder(pool, open, this.#snapshot);
    for (let candidate = order.peek(); candidate !== undefined; candidate = order.peek()) {
      if (this.#full()) return true;
      const outcome = this.#tryOptions(candidate, pool);
      this.#settle(candidate, outcome);
      if (!spent && 'reason' in outcome && this.#isSpent(pool)) {
        // Nothing is left to give: only who has a right to what others hold still needs a turn.
        spent = true;
        open = open.filter((kin) => kin.isOpen && kin.refusal === undefined && !this.#refuseAtOnce(kin, pool));
        order = new PoolOrder(pool, open, this.#snapshot);
      } else order.settle();
    }
    this.#ways.retry({ pool, started: this.#podsPlaced });
    return false;
  }

  /** No usable node of the pool has a free device, and nobody can be told a time any more. O(profiles x sizes). */
  #isSpent(pool: PoolState): boolean {
    const { nodes } = this.#snapshot;
    for (const { spec, profiles } of pool.classes) {
      const slot = this.#snapshot.slotOf(spec.resourceName);
      for (const id of profiles) {
        const profile = nodes.profiles[id];
        if (profile?.ready !== true || profile.cordoned) continue;
        const index = nodes.freeIndex(id, slot);
        for (let bucket = index.bucketCount - 1; bucket > 0; bucket--) if (index.size(bucket) > 0) return false;
      }
    }
    return !this.#ways.canHelp(pool);
  }

  /** Refuses a class without a turn of its own where one could change nothing. @returns whether it did */
  #refuseAtOnce(kin: Kin, pool: PoolState): boolean {
    const workload = kin.head;
    const [option] = kin.options;
    if (workload === undefined || option === undefined) return false;
    const { quota } = kin;
    if (quota === undefined || quota.spec.weight === 0) return false;
    const owed =
      !kin.asBorrower &&
      this.#ways.bounds.someoneBorrows(pool) &&
      pool.tree.guarantorOf(quota.index, option.request) !== undefined;
    if (this.#ways.bounds.mayHaveRight(kin, { workload, guaranteed: owed }, pool)) return false;
    kin.refusal = refusalByQuota(this.#ways.limits, { kin, workload }, option) ?? tooFewFree(option, pool, 0);
    kin.owed = owed;
    return true;
  }

  /** Those for whom others were evicted have their place before anyone has a turn. */
  #honour(pool: PoolState, kins: readonly Kin[]): void {
    const nominated = kins.filter((kin) => kin.nomination !== undefined).sort((a, b) => a.rankAhead - b.rankAhead);
    if (nominated.length === 0) return;
    const context = { limits: this.#ways.limits, feasibility: this.#feasibility, backfill: this.#backfill };
    const { started, kept } = honourPlaces(context, nominated, (kin, workload) => {
      const option = kin.options.find((one) => this.#isOn(kin, workload, one));
      return option === undefined ? undefined : this.#proposals.of({ kin, workload }, option, pool);
    });
    for (const { kin, workload, pods, asBorrower } of started) this.#settle({ kin, workload }, { pods, asBorrower });
    for (const places of kept) {
      this.#ways.noteKept(places);
      for (const kin of places.kins) {
        kin.owed = places.ask.guaranteed;
        this.#noteWaiting(kin.quota);
      }
    }
  }

  /** Whether the place that was given to a workload is on nodes of the option's classes. */
  #isOn(kin: Kin, workload: Workload, option: Option): boolean {
    const { nodes } = this.#snapshot;
    const place = this.#snapshot.nominationOf(workload.key);
    const profiles = kin.profilesOf(option, this.#feasibility);
    return kin.roles.every((_, i) =>
      podsOfRole(kin.roles, workload, i).every(({ uid }) => {
        const node = nodes.idOf(place?.nodes.get(uid) ?? '');
        return node !== undefined && profiles[i]?.includes(nodes.profileOf(node)) === true;
      }),
    );
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

  #settle({ kin, workload }: Candidate, outcome: Start | Refusal): void {
    if ('reason' in outcome) {
      kin.refusal = outcome;
      return;
    }
    this.#placed.push({ workload, ...outcome });
    this.#podsPlaced += outcome.pods.length;
    kin.started++;
  }

  /** The first option that quota, nodes and reservations allow; else the refusal of the option that got furthest. */
  #tryOptions(candidate: Candidate, pool: PoolState): Start | Refusal {
    const { quota } = candidate.kin;
    if (quota?.spec.weight === 0 && this.#othersWait(quota, pool) && this.#proposals.borrows(candidate.kin, pool))
      return lastInLine(quota);
    const byNodes: BlockedOption[] = [];
    const byQuota: BlockedOption[] = [];
    for (const option of this.#proposals.optionsOf(candidate.kin, pool)) {
      const proposal = this.#proposals.of(candidate, option, pool);
      const { ask, asBorrower } = proposal;
      const refusal = refusalByQuota(this.#ways.limits, candidate, option);
      if (refusal !== undefined) {
        byQuota.push({ ...proposal, refusal });
        continue;
      }
      this.#snapshot.tryAsBorrowers(candidate.workload.pods, asBorrower);
      const attempt = this.#backfill.place(ask);
      if (attempt.kind === 'placed') {
        this.#budgets.spend(candidate.kin, option);
        return { pods: attempt.pods, asBorrower };
      }
      byNodes.push({ ...proposal, refusal: this.#refusalOf(attempt, ask, { option, pool }) });
    }
    // Nobody can make way for what the budget does not pay.
    const blocked = [...byNodes, ...byQuota.filter(({ refusal }) => refusal.reason !== WaitReason.BudgetExhausted)];
    candidate.kin.owed = blocked.some(({ ask }) => ask.guaranteed) && this.#ways.bounds.someoneBorrows(pool);
    this.#ways.makeWay(candidate.kin, blocked, { pool, started: this.#podsPlaced });
    if (quota !== undefined && blocked.some((option) => waitsForCapacity(option, quota, pool)))
      this.#noteWaiting(quota);
    const [first] = [...blocked, ...byQuota];
    return first?.refusal ?? refuse(WaitReason.NoCapacity, () => 'no class of the pool can hold it');
  }

  #noteWaiting(quota: QuotaState | undefined): void {
    if (quota !== undefined) this.#waitingQuotas.add(quota);
  }

  #othersWait(quota: QuotaState, pool: PoolState): boolean {
    for (const other of this.#waitingQuotas) if (other !== quota && other.pool === pool) return true;
    return false;
  }

  #refusalOf(
    attempt: Exclude<Attempt, { kind: 'placed' }>,
    { placement }: Ask,
    { option, pool }: { option: Option; pool: PoolState },
  ): Refusal {
    if (attempt.kind === 'delays') return heldBack(attempt.reservation);
    return noRoom(this.#snapshot, this.#feasibility, { request: placement, option, pool });
  }

  /** Without accelerators: nodes outside every pool first, so that devices are not stranded by a lack of cpu. */
  #placeAnywhere({ kin, workload }: Candidate): Start | Refusal {
    const outside = (profile: NodeProfile) => this.#snapshot.poolOfProfile(profile.id) === undefined;
    for (const allowed of [outside, () => true]) {
      const roles = kin.roles.map((role, i) => ({
        pods: podsOfRole(kin.roles, workload, i),
        profiles: this.#feasibility.profilesOf(role.shape).filter(allowed),
      }));
      const placement = { roles, strategy: 'Pack', within: undefined } as const;
      const free = { quota: undefined, request: [], cost: zeroGpus, guaranteed: false, admissible: () => true };
      const attempt = this.#backfill.place({ workload, placement, walltime: kin.walltime, ...free });
      if (attempt.kind === 'placed') return { pods: attempt.pods, asBorrower: false };
    }
    const roles = kin.roles.map(({ shape }, i) => ({
      pods: podsOfRole(kin.roles, workload, i),
      profiles: this.#feasibility.profilesOf(shape),
    }));
    const obstacle = obstacleOf(this.#feasibility, roles);
    return refuse(
      WaitReason.NoCapacity,
      () => obstacle ?? 'no node that the pod may run on has enough cpu, memory or room for another pod',
    );
  }

  #waiting(): Waiting[] {
    const waiting: Waiting[] = [...this.#aside.waiting];
    for (const kin of this.#kins) {
      if (kin.pending.restsAt !== undefined) continue;
      for (const { refusal, workloads } of kin.refused())
        waiting.push(new WaitingWorkloads(refusal, workloads, kin.owed));
    }
    return waiting;
  }

  #admission(placed: Placed): Admission {
    const { names } = this.#snapshot.nodes;
    const pods = placed.pods.map(({ pod, node }) => ({ pod, nodeName: names[node] ?? '' }));
    return { workload: placed.workload, pods, asBorrower: placed.asBorrower };
  }
}

/** Whether more capacity in the pool would help, as no limit of its own stands in the way. */
function waitsForCapacity({ refusal, ask }: BlockedOption, quota: QuotaState, { tree }: PoolState): boolean {
  if (refusal.reason === WaitReason.ClassLimit || refusal.reason === WaitReason.UserLimit) return false;
  return ask.cost <= tree.roomWithinLimits(quota.index);
}
