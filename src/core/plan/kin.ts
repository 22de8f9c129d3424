import { rankOptions, type Feasibility } from '../place/index.ts';
import {
  walltimeOf,
  type NodeProfile,
  type Nomination,
  type PendingClass,
  type QuotaState,
  type Snapshot,
  type Workload,
} from '../snapshot/index.ts';
import type { CycleBudgets } from './budgets.ts';
import { gangIncomplete, needsQuota, refusalBeforeQuota, viableOptions } from './checks.ts';
import type { Refusal } from './refusal.ts';
import { optionsOf, rolesOf, type Option, type Role } from './request.ts';

/** A workload whose turn it is, with what it shares with its like. */
export interface Candidate {
  readonly workload: Workload;
  readonly kin: Kin;
}

/**
 * An equivalence class as the planner sees it: what holds for all its workloads as long as the snapshot is the same is
 * worked out once, and how far this cycle has come with them is kept beside it.
 */
export class Kin {
  readonly pending: PendingClass;
  /** Undefined where no quota pays for the namespace. */
  readonly quota: QuotaState | undefined;
  readonly roles: readonly Role[];
  /** Longest run time, milliseconds. */
  readonly walltime: number;
  /** Those that could ever fit, best first. */
  readonly options: readonly Option[];
  /** What no release of capacity can change: why none of them can start before someone edits something. */
  readonly #standing: Refusal | undefined;
  /** Pods of the gangs are still to come. */
  readonly #incomplete: Refusal | undefined;
  /** Workloads of the class that were admitted in this cycle: the oldest. */
  started = 0;
  /** The budget has only its grace left for them: they start as borrowers. */
  asBorrower = false;
  /** Others borrow what the workloads are guaranteed. */
  owed = false;
  /** When a search for someone who could make way failed last, epoch milliseconds; -Infinity = none has. */
  failedSearchAt = -Infinity;
  /** Set once one of them was refused in this cycle: holds for all that were not told something of their own. */
  refusal: Refusal | undefined;
  /** Those who cannot start but have been promised a place, after those that started. */
  #promised: { readonly count: number; readonly refusal: Refusal }[] = [];
  readonly #snapshot: Snapshot;
  #ranked: readonly Option[] | undefined;
  readonly #profiles = new Map<Option, readonly (readonly NodeProfile[])[]>();

  private constructor(snapshot: Snapshot, pending: PendingClass, first: Workload) {
    this.#snapshot = snapshot;
    this.pending = pending;
    this.quota = snapshot.policy.quotaOfNamespace.get(pending.namespace);
    this.roles = rolesOf(snapshot, first);
    this.walltime = walltimeOf(first.pods[0]?.walltime, this.quota);
    const options = this.quota?.pool === undefined ? [] : optionsOf(this.quota.pool, this.roles);
    const all = { quota: this.quota, roles: this.roles, options };
    this.#standing = refusalBeforeQuota(first, all);
    this.#incomplete = gangIncomplete(first);
    this.options = viableOptions(all);
  }

  /** The class as it is now, ready for a cycle. Remembered in the class while the snapshot is the same. */
  static of(snapshot: Snapshot, pending: PendingClass, budgets: CycleBudgets): Kin | undefined {
    const { note } = pending;
    if (note instanceof Kin && note.#snapshot === snapshot) return note.#begin(budgets);
    const first = pending.at(0);
    if (first === undefined) return undefined;
    const kin = new Kin(snapshot, pending, first);
    pending.note = kin;
    return kin.#begin(budgets);
  }

  #begin(budgets: CycleBudgets): this {
    this.started = 0;
    this.#ranked = undefined;
    this.owed = false;
    this.#promised = [];
    const pays = this.quota !== undefined && needsQuota(this) ? this.quota : undefined;
    const timely = this.#standing === undefined && pays !== undefined ? budgets.outsidePeriod(pays) : undefined;
    this.refusal = this.#standing ?? timely ?? this.#incomplete;
    const [option] = this.options;
    this.asBorrower =
      this.refusal === undefined && option !== undefined && budgets.verdictOn(this, option).outcome === 'Borrower';
    return this;
  }

  /** For each role, the profiles whose nodes carry the option's classes and take the role's pods. */
  profilesOf(option: Option, feasibility: Feasibility): readonly (readonly NodeProfile[])[] {
    let profiles = this.#profiles.get(option);
    if (profiles === undefined) {
      profiles = this.roles.map((role, i) => {
        const carrying = [...(option.classes[i]?.values() ?? [])].map((c) => new Set(c.profiles));
        return feasibility.profilesOf(role.shape).filter((profile) => carrying.every((ids) => ids.has(profile.id)));
      });
      this.#profiles.set(option, profiles);
    }
    return profiles;
  }

  /**
   * The options in the order in which to try them: that of the workload's own preference, else as they leave the pool
   * most useful, judged once in a cycle.
   */
  rankedOptions(feasibility: Feasibility): readonly Option[] {
    const pool = this.quota?.pool;
    const prefers = this.roles.some(({ pods: [first] }) => first?.classes !== undefined);
    if (this.options.length < 2 || prefers || pool === undefined) return this.options;
    return (this.#ranked ??= rankOptions({ snapshot: this.#snapshot, feasibility, pool }, this.options));
  }

  /** The oldest workload that was not admitted yet. */
  get head(): Workload | undefined {
    return this.pending.at(this.started);
  }

  /** The place that is held for the oldest. */
  get nomination(): Nomination | undefined {
    const { head } = this;
    return head === undefined ? undefined : this.#snapshot.nominationOf(head.key);
  }

  /**
   * Where the oldest stands among those who go before everyone: the rest of a gang that has started (-1), and those for
   * whom others were evicted. Infinity for all others.
   */
  get rankAhead(): number {
    if ((this.head?.gang?.bound ?? 0) > 0) return -1;
    return this.nomination?.rank ?? Infinity;
  }

  /** Someone of the class neither started nor was promised a place yet. */
  get isOpen(): boolean {
    return this.pending.size > this.#settled;
  }

  /** The oldest of those for whom nothing was found yet, at most so many. O(count). */
  waiting(count: number): readonly Workload[] {
    return this.pending.from(this.#settled, count);
  }

  /** Tells the oldest `count` of those who wait something of their own: they have a place to come. */
  settleFor(count: number, refusal: Refusal): void {
    this.#promised.push({ count, refusal });
  }

  /** Everyone who stays pending, with the reason; those that the cycle did not come to are left out. */
  *refused(): Iterable<{ readonly refusal: Refusal; readonly workloads: readonly Workload[] }> {
    let from = this.started;
    for (const { count, refusal } of this.#promised) {
      yield { refusal, workloads: this.pending.from(from, count) };
      from += count;
    }
    if (this.refusal !== undefined && from < this.pending.size) {
      yield { refusal: this.refusal, workloads: this.pending.from(from) };
    }
  }

  get #settled(): number {
    let settled = this.started;
    for (const { count } of this.#promised) settled += count;
    return settled;
  }
}
