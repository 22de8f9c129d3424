import type { Ask } from '../backfill/index.ts';
import type { PoolState, QuotaState, Snapshot } from '../snapshot/index.ts';
import type { Kin } from './kin.ts';

/** Looks ahead that one cycle may take in vain and for those it promises a time: each costs O(nodes). */
const mostLooksAhead = 32;
/** A class for which no victims were found is not looked at again for so long, in milliseconds: who runs changes slowly. */
const searchAgainAfter = 5000;

interface SearchBoundsOptions {
  /** Epoch milliseconds. */
  readonly now: number;
  /** Searches in vain for the workloads of one quota, after which no more are made for it in the cycle. */
  readonly mostFailedSearches: number;
  /** Looks ahead for the workloads of one quota in the cycle, at the most. */
  readonly mostLooksOfQuota: number;
}

/**
 * Whether it is worth while to search for victims, or to look ahead: a search costs O(what runs), and most workloads that
 * wait have no right to what anyone holds; a look ahead costs O(nodes). A yes may prove wrong, a no never hides a right
 * for long, and what one quota puts up leaves enough of both to the others.
 */
export class SearchBounds {
  readonly #snapshot: Snapshot;
  readonly #now: number;
  readonly #mostFailed: number;
  readonly #failed = new Map<QuotaState | undefined, number>();
  readonly #mostLooksOfQuota: number;
  readonly #looks = new Map<QuotaState | undefined, number>();
  #allLooks = 0;
  /** By pool, whether some quota borrows: without one nothing can be reclaimed. */
  readonly #borrowing = new Map<PoolState, boolean>();
  #lowestPriorities: Map<QuotaState, number> | undefined;

  constructor(snapshot: Snapshot, { now, mostFailedSearches, mostLooksOfQuota }: SearchBoundsOptions) {
    this.#snapshot = snapshot;
    this.#now = now;
    this.#mostFailed = mostFailedSearches;
    this.#mostLooksOfQuota = mostLooksOfQuota;
  }

  /** Whether a class may have a right to what others hold, beside what is past its walltime. */
  mayHaveRight(kin: Kin, { workload, guaranteed }: Pick<Ask, 'workload' | 'guaranteed'>, pool: PoolState): boolean {
    const { quota, failedSearchAt } = kin;
    if (quota === undefined) return false;
    if (failedSearchAt !== this.#now && this.#now - failedSearchAt < searchAgainAfter) return false;
    if (this.#lowestPriorityIn(quota) < workload.priority) return true;
    return (guaranteed || isFair(quota, pool)) && this.someoneBorrows(pool);
  }

  /** The classes of one quota must not spend the cycle on searches in vain. */
  hasSearchedEnough({ quota }: Kin): boolean {
    return (this.#failed.get(quota) ?? 0) >= this.#mostFailed;
  }

  noteFailedSearch(kin: Kin): void {
    kin.failedSearchAt = this.#now;
    this.#failed.set(kin.quota, (this.#failed.get(kin.quota) ?? 0) + 1);
  }

  /** Whether anybody may still be looked ahead for in the cycle. */
  get mayLookAhead(): boolean {
    return this.#allLooks < mostLooksAhead;
  }

  mayLookAheadFor({ quota }: Kin): boolean {
    return this.mayLookAhead && (this.#looks.get(quota) ?? 0) < this.#mostLooksOfQuota;
  }

  noteLookAhead({ quota }: Kin): void {
    this.#allLooks++;
    this.#looks.set(quota, (this.#looks.get(quota) ?? 0) + 1);
  }

  /** Whether some quota of the pool holds more than it is guaranteed. O(quotas), once until {@link lookAgainWhoBorrows}. */
  someoneBorrows(pool: PoolState): boolean {
    let known = this.#borrowing.get(pool);
    if (known === undefined) {
      known = pool.quotas.some(({ index }) => pool.tree.borrowed(index) > 0);
      this.#borrowing.set(pool, known);
    }
    return known;
  }

  /** What started since may have made others borrow. */
  lookAgainWhoBorrows(): void {
    this.#borrowing.clear();
  }

  /** Least priority of what runs in all namespaces of a quota. O(namespaces), once a cycle. */
  #lowestPriorityIn(quota: QuotaState): number {
    if (this.#lowestPriorities === undefined) {
      this.#lowestPriorities = new Map();
      const { running, policy } = this.#snapshot;
      for (const namespace of running.namespaces()) {
        const own = policy.quotaOfNamespace.get(namespace);
        if (own === undefined) continue;
        const known = this.#lowestPriorities.get(own) ?? Infinity;
        this.#lowestPriorities.set(own, Math.min(known, running.lowestPriority(namespace)));
      }
    }
    return this.#lowestPriorities.get(quota) ?? Infinity;
  }
}

function isFair(quota: QuotaState, pool: PoolState): boolean {
  return pool.spec.fairShare.preemption === 'WhenImbalanced' && quota.spec.weight > 0;
}
