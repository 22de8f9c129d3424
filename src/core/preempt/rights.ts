import { at } from '../ds/index.ts';
import type { PoolState, QuotaState } from '../snapshot/index.ts';
import { Borrowing, type Level } from './borrowing.ts';
import type { Taker } from './taker.ts';

function chargeTaker({ tree }: PoolState, { quota, cost, borrower }: Taker, sign: 1 | -1): void {
  for (const { classIndex, devices } of cost) {
    tree.charge(quota.index, classIndex, sign * devices);
    if (borrower) tree.setApart(quota.index, classIndex, sign * devices);
  }
}

/** What entitles a taker to what another quota borrows. */
export interface Right {
  readonly cause: 'Reclaim' | 'Fairness';
  /** From the victim's quota up to its branch below the lowest common ancestor: all of them must be borrowing. */
  readonly levels: readonly Level[];
  /** The topmost of the levels, a quota's index or the own part of an ancestor of the taker. */
  readonly branch: Level;
  /** For `Fairness`: the share of the taker's branch once the taker runs. */
  readonly takerShare: number;
}

/**
 * Which quotas one taker may take from, and when that ends (DESIGN.md sections 4.2 and 7).
 *
 * Siblings settle it: taker and victim are judged at their lowest common ancestor, by the two branches below it. The
 * taker *reclaims* when its request stays within the guarantee of its own branch or of a quota further down. Where its
 * guarantor is the common ancestor itself or lies above it, both live on the same guarantee: a quota that uses what its
 * parent was guaranteed is not robbed by a sibling who has no more right to it, while outsiders are robbed for both.
 *
 * A workload may be taken only while what it holds is borrowed at every level from its own quota up to that branch: a
 * consortium within its guarantee loses nothing to other consortia, however much one member borrows from another, and a
 * member within its own guarantee loses nothing for what its siblings borrow. What a parent's own namespaces hold
 * counts as a member beside its children.
 *
 * *Fairness* needs no guarantee: between branches that both borrow, while the taker's new share stays at or below the
 * victim's new one or strictly below its old one. The taker's is the one it would have if none of its own quota's
 * workloads made way, so that giving up one's own work never buys a right to that of others. Weight 0 never takes.
 */
export class Rights {
  readonly borrowing: Borrowing;
  readonly #taker: Taker;
  readonly #pool: PoolState;
  readonly #shareOf: (quota: QuotaState) => number;
  /** By quota index: how many steps above the taker's quota it lies; -1 = it does not. */
  readonly #height: Int32Array;
  /** Height of the quota whose guarantee holds the request; Infinity = it would be borrowed. */
  readonly #guarantor: number;
  /** Shares of the taker's quota and those above it once it runs; Infinity from the first of weight 0 upwards. */
  readonly #shares: readonly number[];
  readonly #known = new Map<number, Right | undefined>();

  constructor(taker: Taker, pool: PoolState, shareOf: (quota: QuotaState) => number) {
    const { quota, cost } = taker;
    this.borrowing = new Borrowing(pool);
    this.#taker = taker;
    this.#pool = pool;
    this.#shareOf = shareOf;
    this.#height = new Int32Array(pool.quotas.length).fill(-1);
    quota.chain.forEach((above, height) => (this.#height[above.index] = height));
    const guarantor = taker.borrower ? undefined : pool.tree.guarantorOf(quota.index, cost);
    this.#guarantor = guarantor === undefined ? Infinity : at(this.#height, guarantor);

    chargeTaker(pool, taker, 1);
    let starved = false;
    this.#shares = quota.chain.map((above) => {
      starved ||= above.spec.weight === 0;
      return starved ? Infinity : shareOf(above);
    });
    chargeTaker(pool, taker, -1);
  }

  /** The right over what a quota borrows, borrowing or not at present; undefined = none. O(depth), once a quota. */
  over(victim: QuotaState): Right | undefined {
    if (this.#known.has(victim.index)) return this.#known.get(victim.index);
    const right = this.#find(victim);
    this.#known.set(victim.index, right);
    return right;
  }

  /** Weight 0 borrows only while no one else waits: beyond its guarantee it displaces no other quota's work. */
  get isLastInLine(): boolean {
    return this.#guarantor === Infinity && this.#taker.quota.spec.weight === 0;
  }

  /** Whether everything that {@link Right} is about is borrowed at present. O(depth x classes). */
  isOpen({ levels }: Right): boolean {
    return levels.every((level) => this.borrowing.at(level) > 0);
  }

  /** Present share of the victim's branch. For `Fairness` only, where the branch is a quota. */
  branchShare({ branch }: Right): number {
    return this.#shareOf(at(this.#pool.quotas, branch));
  }

  #find(victim: QuotaState): Right | undefined {
    if (victim === this.#taker.quota) return undefined;
    const below = victim.chain.findIndex((above) => at(this.#height, above.index) >= 0);
    const path = below < 0 ? victim.chain : victim.chain.slice(0, below);
    const common = below < 0 ? this.#taker.quota.chain.length : at(this.#height, at(victim.chain, below).index);
    // The taker's own children: they are part of its branch.
    if (common === 0) return undefined;
    const levels = [this.borrowing.ownLevel(victim.index), ...path.map((quota) => quota.index)];
    if (levels[0] === levels[1]) levels.shift();
    const branch = at(levels, levels.length - 1);
    if (this.#guarantor < common) return { cause: 'Reclaim', levels, branch, takerShare: 0 };
    const takerShare = at(this.#shares, common - 1);
    const fair = this.#pool.spec.fairShare.preemption === 'WhenImbalanced';
    // An ancestor's own workloads have no share beside that of the taker's branch.
    if (!fair || path.length === 0 || takerShare === Infinity) return undefined;
    return { cause: 'Fairness', levels, branch, takerShare };
  }
}
