import { at, Heap } from '../ds/index.ts';
import type { PoolState, QuotaState } from '../snapshot/index.ts';
import type { Claim, VictimCause } from './claim.ts';
import { chargeHolding } from './holdings.ts';
import { QuotaSums } from './quotaSums.ts';
import type { Rights } from './rights.ts';

const preference: readonly VictimCause[] = ['Overdue', 'Reclaim', 'Priority', 'Fairness'];

/** The place of a branch that has no more claims: behind all others. */
const exhausted = Number.MAX_SAFE_INTEGER;

/**
 * Claims in the order in which they are preferred (DESIGN.md section 4.2): what is past its walltime, then reclaim, own
 * lower priority, fairness; each walking down the tree to the sibling with the largest fair share, as it is once those
 * before have gone; then lower priority, then latest start. Claims on a quota that would no longer borrow by then come
 * last. The tree is as before when it returns.
 *
 * @param claims of each quota, in the order of `holdingsOf`
 *
 * Cost: O(claims x depth x log siblings).
 */
export function inStatedOrder(
  claims: readonly Claim[],
  { pool, rights, shareOf }: { pool: PoolState; rights: Rights; shareOf: (quota: QuotaState) => number },
): readonly Claim[] {
  const ordered: Claim[] = [];
  const late: Claim[] = [];
  const sums = new QuotaSums(pool);
  for (const cause of preference) {
    const ofCause = claims.filter((claim) => claim.cause === cause);
    if (ofCause.length === 0) continue;
    const root = new Branch(() => 0);
    const branches = new Map<number, Branch>();
    ofCause.forEach((claim, place) => leafOf(claim.holding.quota, { branches, root, shareOf }).add(claim, place));
    root.settle();
    for (let next = root.take(rights, late); next !== undefined; next = root.take(rights, late)) {
      ordered.push(next);
      sums.add(next.holding);
      chargeHolding(pool.tree, next.holding, -1);
    }
  }
  sums.charge(1);
  return ordered.concat(late);
}

function leafOf(
  quota: QuotaState,
  tree: { branches: Map<number, Branch>; root: Branch; shareOf: (quota: QuotaState) => number },
): Branch {
  const known = tree.branches.get(quota.index);
  if (known !== undefined) return known;
  const branch = new Branch(() => tree.shareOf(quota));
  tree.branches.set(quota.index, branch);
  const [, parent] = quota.chain;
  (parent === undefined ? tree.root : leafOf(parent, tree)).addChild(branch);
  return branch;
}

/**
 * The claims of one quota and of those below it. Shares only fall while claims are taken, so that the child with the
 * largest known share is brought up to date when it comes first, and the others not at all.
 */
class Branch {
  readonly #shareNow: () => number;
  readonly #children: Branch[] = [];
  readonly #own: Claim[] = [];
  /** Of the own claims: where they stand in the list of all. */
  readonly #places: number[] = [];
  readonly #heap = new Heap<Branch>((a, b) => b.#share - a.#share || a.#place - b.#place);
  #share = 0;
  /** Place of the next claim: decides between equal shares. */
  #place = exhausted;
  #next = 0;

  constructor(shareNow: () => number) {
    this.#shareNow = shareNow;
  }

  add(claim: Claim, place: number): void {
    this.#own.push(claim);
    this.#places.push(place);
  }

  addChild(child: Branch): void {
    this.#children.push(child);
  }

  /** Sorts everything by the shares of now. To be called once, when all claims are in. */
  settle(): void {
    // What a parent holds itself stands beside its children, with the parent's share.
    if (this.#own.length > 0 && this.#children.length > 0) {
      const own = new Branch(this.#shareNow);
      this.#own.splice(0).forEach((claim, i) => own.add(claim, at(this.#places, i)));
      this.#children.push(own);
    }
    for (const child of this.#children) {
      child.settle();
      this.#heap.push(child);
    }
    this.#share = this.#shareNow();
    this.#place = this.#nextPlace();
  }

  /** The next claim; those on quotas that no longer borrow are put into `late` on the way. */
  take(rights: Rights, late: Claim[]): Claim | undefined {
    const claim = this.#heap.size > 0 ? this.#takeBelow(rights, late) : this.#takeOwn(rights, late);
    this.#place = this.#nextPlace();
    return claim;
  }

  #takeBelow(rights: Rights, late: Claim[]): Claim | undefined {
    for (let top = this.#heap.top; top !== undefined; top = this.#heap.top) {
      const share = top.#shareNow();
      if (share < top.#share) {
        top.#share = share;
        this.#heap.settleTop();
        continue;
      }
      const claim = top.take(rights, late);
      if (claim === undefined) {
        this.#heap.pop();
        continue;
      }
      this.#heap.settleTop();
      return claim;
    }
    return undefined;
  }

  #takeOwn(rights: Rights, late: Claim[]): Claim | undefined {
    for (let claim = this.#own[this.#next]; claim !== undefined; claim = this.#own[this.#next]) {
      this.#next++;
      if (claim.right === undefined || rights.isOpen(claim.right)) return claim;
      late.push(claim);
    }
    return undefined;
  }

  #nextPlace(): number {
    const below = this.#heap.top;
    return below === undefined ? (this.#places[this.#next] ?? exhausted) : below.#place;
  }
}
