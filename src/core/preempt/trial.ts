import { at } from '../ds/index.ts';
import { placeAll, release, type Feasibility, type FitCounter } from '../place/index.ts';
import type { PoolState, Snapshot } from '../snapshot/index.ts';
import type { Claim } from './claim.ts';
import { chargeHolding } from './holdings.ts';
import { JointCount } from './jointCount.ts';
import type { Right, Rights } from './rights.ts';
import type { Taker } from './taker.ts';

/**
 * Takes workloads out of the snapshot and puts them back, and says whether the taker fits meanwhile. Claims go by their
 * number in the stated order.
 *
 * What is taken is just at any time: every victim, were it alone to come back, would be borrowing again (and, for
 * fairness, from a taker that stands no better). So the order of taking does not matter, every part of a just set is
 * just, and no victim could take back what it lost.
 *
 * | operation | cost |
 * |---|---|
 * | take, putBack | O(nodes of the workload + depth x classes) |
 * | take that leaves a quota without borrowed use | O(taken from its branch) more |
 * | fits | O(depth + roles), and one placement where counts do not settle it |
 */
export class Trial {
  readonly claims: readonly Claim[];
  /** What {@link fits} may cost, in pods looked at. */
  readonly lookCost: number;
  readonly #snapshot: Snapshot;
  readonly #feasibility: Feasibility;
  readonly #counter: FitCounter;
  readonly #joint: JointCount | undefined;
  readonly #pool: PoolState;
  readonly #rights: Rights;
  readonly #taker: Taker;
  readonly #cost: number;
  /** Whether counts settle whether the nodes hold the taker. */
  readonly #exact: boolean;
  readonly #taken: Uint8Array;
  /** By quota, what was taken by a right that could end; some of it may be back. */
  readonly #rightful = new Map<number, number[]>();
  #size = 0;

  constructor(parts: {
    snapshot: Snapshot;
    feasibility: Feasibility;
    counter: FitCounter;
    pool: PoolState;
    rights: Rights;
    taker: Taker;
    claims: readonly Claim[];
  }) {
    this.claims = parts.claims;
    this.#snapshot = parts.snapshot;
    this.#feasibility = parts.feasibility;
    this.#counter = parts.counter;
    this.#joint = JointCount.of(parts.snapshot, parts.counter, parts.taker.placement.roles);
    this.#pool = parts.pool;
    this.#rights = parts.rights;
    this.#taker = parts.taker;
    this.#cost = costOf(parts.taker, parts.pool);
    const dynamic = parts.taker.placement.roles.some(
      ({ pods: [pod] }) => pod && parts.feasibility.isDynamic(pod.shape),
    );
    this.#exact = parts.counter.exact && !dynamic;
    this.lookCost = this.#exact ? 1 : parts.taker.placement.roles.reduce((sum, role) => sum + role.pods.length, 1);
    this.#taken = new Uint8Array(parts.claims.length);
  }

  /** How many are taken. */
  get size(): number {
    return this.#size;
  }

  has(id: number): boolean {
    return this.#taken[id] === 1;
  }

  /** The numbers taken, ascending. */
  taken(): readonly number[] {
    const ids: number[] = [];
    for (let id = this.#taken.indexOf(1); id >= 0; id = this.#taken.indexOf(1, id + 1)) ids.push(id);
    return ids;
  }

  /**
   * Takes a workload unless it may not be taken now. Victims that this leaves within their guarantee are put back, the
   * smallest first: the larger one stands for them.
   */
  take(id: number): boolean {
    const { right, holding } = at(this.claims, id);
    // Even where this one may go whatever else is, its going may leave others of its branch within their guarantee.
    const branch = right ?? this.#rights.over(holding.quota);
    if (branch === undefined) {
      this.#move(id, 1);
      return true;
    }
    const before = { borrowed: this.#borrowedAlong(branch), share: shareAlong(this.#rights, branch) };
    if (right !== undefined && before.borrowed.includes(0)) return false;
    this.#move(id, 1);
    const { just, wholly } = this.#judge(branch, id, before);
    if (right !== undefined && !just) {
      this.#move(id, -1);
      return false;
    }
    if (!wholly) this.#putBackUnjust(branch);
    return true;
  }

  putBack(id: number): void {
    this.#move(id, -1);
  }

  /** Puts everything back. */
  reset(): void {
    for (const id of this.taken()) this.#move(id, -1);
    this.#rightful.clear();
  }

  /** Whether the taker could start now, by counting alone: no is certain, yes is certain where the counter is exact. */
  mayFit(): boolean {
    return (
      this.#counter.mayFit() &&
      this.#joint?.mayFit() !== false &&
      this.#cost <= this.#pool.tree.available(this.#taker.quota.index) &&
      this.#taker.admissible()
    );
  }

  /** Whether the taker could start now. */
  fits(): boolean {
    if (!this.mayFit()) return false;
    if (this.#exact) return true;
    const placed = placeAll(this.#snapshot, this.#feasibility, this.#taker.placement);
    if (placed !== undefined) release(this.#snapshot, placed);
    return placed !== undefined;
  }

  #move(id: number, sign: 1 | -1): void {
    const { holding, right } = at(this.claims, id);
    for (const { pod, node, count } of holding.spots) {
      this.#snapshot.hold(pod, node, -sign * count);
      this.#counter.update(node);
      this.#joint?.update(node);
    }
    this.#taken[id] = sign === 1 ? 1 : 0;
    this.#size += sign;
    if (sign === -1 || right === undefined) return;
    const { index } = holding.quota;
    const ids = this.#rightful.get(index);
    if (ids === undefined) this.#rightful.set(index, [id]);
    else ids.push(id);
  }

  #borrowedAlong({ levels }: Right): number[] {
    return levels.map((level) => this.#rights.borrowing.at(level));
  }

  /**
   * Compares the state without a victim with the one before it went. `wholly`: all that it held was borrowed, so that
   * the victims before it are as just as they were.
   */
  #judge(right: Right, id: number, before: { readonly borrowed: readonly number[]; readonly share: number }) {
    const { amount } = at(this.claims, id).holding;
    let just = true;
    let wholly = true;
    right.levels.forEach((level, i) => {
      const fell = at(before.borrowed, i) - this.#rights.borrowing.at(level);
      just &&= fell > 0;
      wholly &&= fell === amount;
    });
    if (right.cause === 'Fairness') {
      const atOrBelow = right.takerShare <= this.#rights.branchShare(right);
      just &&= atOrBelow || right.takerShare < before.share;
      wholly &&= atOrBelow;
    }
    return { just, wholly };
  }

  /** Puts back, smallest first, the victims from the branch that would not be borrowing were they to come back alone. */
  #putBackUnjust({ branch }: Right): void {
    const { quotas } = this.#pool;
    const suspects: number[] = [];
    for (const [index, ids] of this.#rightful) {
      const quota = at(quotas, index);
      if (this.#rights.over(quota)?.branch !== branch) continue;
      for (const id of ids) if (this.has(id)) suspects.push(id);
    }
    suspects.sort((a, b) => at(this.claims, a).holding.amount - at(this.claims, b).holding.amount || b - a);
    for (const id of suspects) if (this.has(id) && !this.#isJust(id)) this.#move(id, -1);
  }

  #isJust(id: number): boolean {
    const { right, holding } = at(this.claims, id);
    if (right === undefined) return true;
    const { tree } = this.#pool;
    chargeHolding(tree, holding, 1);
    const before = { borrowed: this.#borrowedAlong(right), share: shareAlong(this.#rights, right) };
    chargeHolding(tree, holding, -1);
    return this.#judge(right, id, before).just;
  }
}

function shareAlong(rights: Rights, right: Right): number {
  return right.cause === 'Fairness' ? rights.branchShare(right) : 0;
}

/** Milli-GPUs that the taker would be charged for. */
export function costOf({ cost }: Taker, { classes }: PoolState): number {
  return cost.reduce((sum, { classIndex, devices }) => sum + devices * at(classes, classIndex).spec.weight, 0);
}
