import { WaitReason } from '../../api/v1alpha1/constants/index.ts';
import type { Ask, Backfill } from '../backfill/index.ts';
import { placeAll, release, type Feasibility } from '../place/index.ts';
import { VictimFinder, type Victim, type VictimCause } from '../preempt/index.ts';
import {
  walltimeOf,
  type PoolState,
  type Reservation,
  type RunningWorkload,
  type Snapshot,
  type Workload,
} from '../snapshot/index.ts';
import { formatInstant } from '../units/index.ts';
import { batchOf, largest } from './batch.ts';
import { refusalByLimits, type KeptForUsers, type Limits } from './checks.ts';
import type { CycleBudgets } from './budgets.ts';
import type { KeptPlaces } from './heldPlaces.ts';
import type { Kin } from './kin.ts';
import type { Proposal } from './proposals.ts';
import { SearchBounds } from './searchBounds.ts';
import { Supply } from './supply.ts';
import { refuse, type Refusal } from './refusal.ts';
import { podsOfRole, type Option } from './request.ts';

/** A running workload that makes way, whole, for one that then starts. */
export interface Eviction {
  readonly victim: RunningWorkload;
  readonly beneficiary: Workload;
  /** Why it may be taken (DESIGN.md section 4.2); `Overdue` = it is past its walltime. */
  readonly cause: VictimCause;
}

/** One way to run a workload that is not open to it now, and why. */
export interface BlockedOption extends Proposal {
  readonly refusal: Refusal;
}

/** A class that found no one to take from when it had its turn. */
interface Unserved {
  readonly kin: Kin;
  readonly blocked: readonly BlockedOption[];
  /** Pods started and workloads evicted by then. */
  progress: number;
}

/** Where the cycle has come to. */
export interface Turn {
  readonly pool: PoolState;
  /** Pods that it has started. */
  readonly started: number;
}

interface WayMakerOptions {
  readonly now: number;
  readonly backfill: Backfill;
  readonly budgets: CycleBudgets;
  /** Searches for victims in vain for the workloads of one quota, after which no more are made for it in the cycle. */
  readonly mostFailedSearches: number;
  /** Looks ahead for the workloads of one quota in the cycle, at the most. */
  readonly mostLooksOfQuota: number;
}

/** Times that way is made for workloads of one class in a cycle. */
const mostWaysOfClass = 32;
/** Pods for which victims are looked for in one search. */
const mostPodsOfBatch = 4096;

/**
 * Makes way for workloads that cannot start now (DESIGN.md sections 4.2 and 4.3). In this order: where what is on its
 * way out already is enough, its space is kept; else others are evicted, where the workload has a right to what they
 * hold; else it is promised the time at which walltimes will have run out. What is evicted and for whom it is kept is
 * planned together, and what was evicted for one is not there for the next.
 */
export class WayMaker {
  readonly #snapshot: Snapshot;
  readonly #feasibility: Feasibility;
  readonly #now: number;
  readonly #backfill: Backfill;
  readonly #budgets: CycleBudgets;
  readonly #finder: VictimFinder;
  readonly #evictions: Eviction[] = [];
  readonly #evicted = new Set<string>();
  /** Reservations that serve several workloads at once. */
  readonly #batches = new Map<Workload, readonly Workload[]>();
  readonly #leaving: Supply;
  readonly #overdue: Supply;
  /** Milli-GPUs by quota and user. */
  readonly #keptByUser = new Map<string, number>();
  /** Whether it is worth while to search for victims. */
  readonly bounds: SearchBounds;
  /** Who had a right to what others hold and found no one to take from. */
  #unserved: Unserved[] = [];

  constructor(
    snapshot: Snapshot,
    feasibility: Feasibility,
    { now, backfill, budgets, mostFailedSearches, mostLooksOfQuota }: WayMakerOptions,
  ) {
    this.bounds = new SearchBounds(snapshot, { now, mostFailedSearches, mostLooksOfQuota });
    this.#snapshot = snapshot;
    this.#feasibility = feasibility;
    this.#now = now;
    this.#backfill = backfill;
    this.#budgets = budgets;
    this.limits = { snapshot, budgets, kept: this.kept };
    // Asked for by the first that is blocked: a cycle in which everything starts need not know when what runs will end.
    this.#leaving = new Supply(snapshot, () => snapshot.running.endings().leaving());
    this.#overdue = new Supply(snapshot, () => snapshot.running.endings().overdue(now));
    this.#finder = new VictimFinder({ snapshot, feasibility, now });
  }

  get evictions(): readonly Eviction[] {
    return this.#evictions;
  }

  /** What users have been kept a place for in this cycle. */
  readonly kept: KeptForUsers = ({ spec }, user) => this.#keptByUser.get(`${spec.name}/${user}`) ?? 0;

  /** What limits quotas beside their capacity, as far as the cycle has come. */
  readonly limits: Limits;

  /** Takes note of places that an earlier plan gave away and that are kept. */
  noteKept({ reservation, kins, workloads, ask }: KeptPlaces): void {
    this.#noteKept(ask, workloads);
    const reason = ask.guaranteed ? WaitReason.WaitingForReclaim : WaitReason.NoCapacity;
    const base = refuse(reason, () => 'others have been evicted for it');
    for (const kin of kins) kin.settleFor(1, startsBy(base, reservation, 'what holds its place is being stopped'));
  }

  /** Each workload with its own pods, in the order in which they were made. */
  get reservations(): readonly Reservation[] {
    return this.#backfill.reservations.flatMap((reservation) => {
      const workloads = this.#batches.get(reservation.workload) ?? [reservation.workload];
      if (workloads.length === 1) return [reservation];
      const nodeOf = new Map(reservation.pods.map(({ pod, nodeName }) => [pod.uid, nodeName]));
      return workloads.map((workload) => {
        const pods = workload.pods.map((pod) => ({ pod, nodeName: nodeOf.get(pod.uid) ?? '' }));
        return { ...reservation, workload, pods };
      });
    });
  }

  /**
   * Makes way for as many workloads of the class as can be, oldest first. Those for whom something was found are told
   * so; the others remain without a refusal.
   */
  makeWay(kin: Kin, blocked: readonly BlockedOption[], { pool, started }: Turn): void {
    let proposals = blocked;
    // On a node that does not exist nobody can make way.
    if (blocked.every(({ ask }) => ask.placement.roles.some(({ profiles }) => profiles.length === 0))) return;
    for (let turn = 0; turn < mostWaysOfClass; turn++) {
      if (!this.#keep(kin, proposals) && !this.#takeFor(kin, proposals, pool)) break;
      proposals = this.#proposalsFor(kin, blocked);
    }
    if (kin.isOpen && (kin.failedSearchAt === this.#now || blocked.some(({ ask }) => ask.guaranteed))) {
      this.#unserved.push({ kin, blocked, progress: started + this.#evictions.length });
    }
    this.#promise(kin, proposals);
  }

  /**
   * Looks once more for those who found no one to take from when it was their turn: what started after them may have
   * made others borrow. Without it the next cycle would find more to do though nothing has happened.
   */
  retry({ pool, started }: Turn): void {
    this.bounds.lookAgainWhoBorrows();
    for (let tried = true; tried;) {
      tried = false;
      for (const unserved of this.#unserved) {
        const { kin, blocked, progress } = unserved;
        unserved.progress = started + this.#evictions.length;
        if (progress === unserved.progress || !kin.isOpen) continue;
        tried = true;
        this.#takeFor(kin, this.#proposalsFor(kin, blocked), pool);
      }
    }
    this.#unserved = [];
  }

  /** The same options for the first workload that is still without a place; none when all have one. */
  #proposalsFor(kin: Kin, blocked: readonly BlockedOption[]): readonly BlockedOption[] {
    const [workload] = kin.waiting(1);
    return workload === undefined ? [] : blocked.map((option) => proposalFor(workload, option, kin));
  }

  /** Workloads of the class that may be looked at as one: gangs that need a domain each can't. */
  #batchable(kin: Kin, { placement, workload }: Ask): readonly Workload[] {
    if (placement.within !== undefined) return kin.waiting(1);
    return kin.waiting(Math.max(1, Math.floor(mostPodsOfBatch / Math.max(1, workload.pods.length))));
  }

  /** Keeps the space of what is on its way out. */
  #keep(kin: Kin, blocked: readonly BlockedOption[]): boolean {
    for (const proposal of blocked) {
      const { ask, refusal } = proposal;
      if (!this.#leaving.mayHold(ask)) continue;
      const rest = this.#batchable(kin, ask);
      const kept = this.#backfill.prospect(() =>
        largest(rest.length, (count) => this.#fits(kin, batchOf(rest, proposal, count))),
      );
      if (kept === undefined) continue;
      const batch = batchOf(rest, proposal, kept.count);
      const reservation = this.#backfill.reserve(batch.ask, 'leaving');
      if (reservation === undefined) continue;
      this.#noteKept(batch.ask, rest.slice(0, kept.count));
      this.#budgets.spend(kin, batch.option);
      const base = kin.owed ? { ...refusal, reason: WaitReason.WaitingForReclaim } : refusal;
      kin.settleFor(kept.count, startsBy(base, reservation, 'what holds its place is being stopped'));
      return true;
    }
    return false;
  }

  /** Evicts for as many workloads of the class as have a right to it. */
  #takeFor(kin: Kin, blocked: readonly BlockedOption[], pool: PoolState): boolean {
    for (const proposal of blocked) {
      const { ask, refusal } = proposal;
      if (!this.bounds.mayHaveRight(kin, ask, pool) && !this.#overdue.mayHold(ask)) continue;
      if (this.bounds.hasSearchedEnough(kin)) continue;
      const rest = this.#batchable(kin, ask);
      const taken = this.#backfill.prospect(() =>
        largest(rest.length, (count) => this.#victimsFor(kin, batchOf(rest, proposal, count))),
      );
      if (taken === undefined) {
        this.bounds.noteFailedSearch(kin);
        continue;
      }
      const { result: victims, count } = taken;
      const batch = batchOf(rest, proposal, count);
      const evicted = victims.map((victim) => victim.workload);
      const undo = this.#backfill.evict(evicted, this.#now + pool.spec.notice);
      const reservation = this.#backfill.reserve(batch.ask, 'leaving');
      if (reservation === undefined) {
        // Nothing is evicted unless what it is for then starts.
        undo();
        continue;
      }
      this.#overdue.take(
        evicted.filter((one) => this.#isOverdue(one)).flatMap(({ pods }) => pods.map(({ pod }) => pod)),
      );
      this.#leaving.add(evicted.flatMap(({ pods }) => pods.map(({ pod }) => pod)));
      this.#noteKept(batch.ask, rest.slice(0, count));
      this.#budgets.spend(kin, batch.option);
      this.#noteEvicted(victims, reservation);
      const reclaims = victims.some(({ cause }) => cause === 'Reclaim');
      const base = reclaims ? { ...refusal, reason: WaitReason.WaitingForReclaim } : refusal;
      kin.settleFor(count, startsBy(base, reservation, `${this.#describe(victims)} is being stopped for it`));
      return true;
    }
    return false;
  }

  /** Tells the first that is still without a place when what runs will have reached its walltime. */
  #promise(kin: Kin, blocked: readonly BlockedOption[]): void {
    for (const { ask, refusal } of blocked) {
      if (!this.bounds.mayLookAheadFor(kin) || this.#backfill.exhausted) return;
      // Walltimes say nothing of what a user will hold.
      if (refusal.reason === WaitReason.UserLimit) continue;
      this.bounds.noteLookAhead(kin);
      const reservation = this.#backfill.reserve(ask, 'walltimes');
      if (reservation === undefined) continue;
      kin.settleFor(1, startsBy(refusal, reservation, 'by then enough of what runs has reached its walltime'));
      return;
    }
  }

  #fits(kin: Kin, { option, ask, asBorrower }: Proposal): true | undefined {
    const { quota } = kin;
    if (!this.#sameAdmission(kin, option, asBorrower)) return undefined;
    if (quota?.pool === undefined || quota.pool.tree.available(quota.index) < ask.cost) return undefined;
    if (refusalByLimits(this.limits, { kin, workload: ask.workload }, option) !== undefined) return undefined;
    const placed = placeAll(this.#snapshot, this.#feasibility, ask.placement);
    if (placed === undefined) return undefined;
    release(this.#snapshot, placed);
    return true;
  }

  #victimsFor(kin: Kin, { option, ask, asBorrower }: Proposal): readonly Victim[] | undefined {
    if (kin.quota === undefined || !this.#sameAdmission(kin, option, asBorrower)) return undefined;
    const { workload, placement } = ask;
    const victims = this.#finder.find(
      {
        quota: kin.quota,
        priority: workload.priority,
        borrower: asBorrower,
        cost: option.request,
        placement,
        admissible: () => refusalByLimits(this.limits, { kin, workload }, option) === undefined,
      },
      this.#evicted,
    );
    return victims?.length === 0 ? undefined : victims;
  }

  /** Whether the budgets admit a batch as they admit its first: what starts on the grace has no right to reclaim. */
  #sameAdmission(kin: Kin, option: Option, asBorrower: boolean): boolean {
    return (this.#budgets.verdictOn(kin, option).outcome === 'Borrower') === asBorrower;
  }

  #noteKept({ workload, quota, cost }: Ask, workloads: readonly Workload[]): void {
    this.#batches.set(workload, workloads);
    this.#leaving.take(workload.pods);
    const user = workload.pods[0]?.user;
    if (quota?.spec.perUserMax === undefined || user === undefined) return;
    const key = `${quota.spec.name}/${user}`;
    this.#keptByUser.set(key, (this.#keptByUser.get(key) ?? 0) + cost);
  }

  /** Each victim makes way for the workload that gets its place; where no one does, for the first. */
  #noteEvicted(victims: readonly Victim[], { workload, pods }: Reservation): void {
    const workloads = this.#batches.get(workload) ?? [workload];
    const byPod = new Map(workloads.flatMap((one) => one.pods.map((pod) => [pod.uid, one])));
    const byNode = new Map(pods.map(({ pod, nodeName }) => [nodeName, byPod.get(pod.uid)]));
    const { names } = this.#snapshot.nodes;
    for (const { workload: victim, cause } of victims) {
      this.#evicted.add(victim.key);
      const heir = victim.pods.map(({ node }) => byNode.get(names[node] ?? '')).find((one) => one !== undefined);
      this.#evictions.push({ victim, beneficiary: heir ?? workloads[0] ?? workload, cause });
    }
  }

  /**
   * Whether a workload that finds no free device could be helped at all: someone is on the way out or past
   * the walltime, or a time can be told.
   */
  canHelp(pool: PoolState): boolean {
    if (!this.#leaving.isSpent || !this.#overdue.isSpent) return true;
    return pool.spec.backfill && this.bounds.mayLookAhead && this.#backfill.canReserve;
  }

  #isOverdue({ startedAt, walltime, namespace }: RunningWorkload): boolean {
    const quota = this.#snapshot.policy.quotaOfNamespace.get(namespace);
    return this.#now - startedAt >= walltimeOf(walltime, quota);
  }

  /** The victims as people read them: how many workloads, and whose. */
  #describe(victims: readonly Victim[]): string {
    const names = new Set(victims.map(({ workload }) => this.#ownerOf(workload)));
    const listed = [...names].slice(0, 3).join(', ');
    const more = names.size > 3 ? ' and others' : '';
    return `${victims.length} workload${victims.length === 1 ? '' : 's'} of ${listed}${more}`;
  }

  #ownerOf({ namespace }: RunningWorkload): string {
    return this.#snapshot.policy.quotaOfNamespace.get(namespace)?.spec.name ?? namespace;
  }
}

/** The same option for another workload of the class. */
function proposalFor(workload: Workload, blocked: BlockedOption, { roles }: Kin): BlockedOption {
  const { ask } = blocked;
  if (workload === ask.workload) return blocked;
  const placement = {
    ...ask.placement,
    roles: ask.placement.roles.map(({ profiles }, i) => ({ pods: podsOfRole(roles, workload, i), profiles })),
  };
  return { ...blocked, ask: { ...ask, workload, placement } };
}

function startsBy(refusal: Refusal, { at }: Reservation, because: string): Refusal {
  return refuse(refusal.reason, () => `${refusal.describe()}; it starts by ${formatInstant(at)}: ${because}`);
}
