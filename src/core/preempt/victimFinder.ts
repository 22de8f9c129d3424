import { at } from '../ds/index.ts';
import { FitCounter, type Feasibility } from '../place/index.ts';
import { walltimeOf, type PoolState, type RunningWorkload, type Snapshot } from '../snapshot/index.ts';
import type { Claim, VictimCause } from './claim.ts';
import { holdingsOf, type Holding } from './holdings.ts';
import { QuotaSums } from './quotaSums.ts';
import { Rights, type Right } from './rights.ts';
import { RoleSpace } from './roleSpace.ts';
import { smallestSet, leastVictims, type Deficit } from './smallest.ts';
import { inStatedOrder } from './statedOrder.ts';
import type { Taker } from './taker.ts';
import { costOf, Trial } from './trial.ts';

/** A workload that makes way, and by what right it is taken. */
export interface Victim {
  readonly workload: RunningWorkload;
  readonly cause: VictimCause;
}

/** What victims are looked for in, for one cycle. */
export interface VictimFinderInput {
  readonly snapshot: Snapshot;
  readonly feasibility: Feasibility;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * Finds whom a blocked workload may displace (DESIGN.md sections 4.2 and 7, Preemption). One finder serves a cycle: what
 * runs is read once, what the cycle has taken since is told to {@link find}.
 *
 * Several orders are tried, each greedily: take until the workload fits, then put back, last of the stated order first,
 * whoever turns out not to be needed. The smallest result wins, an earlier order on ties; where few enough sets exist, all
 * of them are looked at, so that the result is the smallest there is and the first of those in the stated order.
 *
 * Cost: O(running pods) once; a search O(claims x log claims + nodes) and a bounded number of takes for each victim. A
 * search that bounds rule out stops after O(claims + nodes).
 */
export class VictimFinder {
  readonly #input: VictimFinderInput;
  readonly #holdings = new Map<PoolState, readonly Holding[]>();

  constructor(input: VictimFinderInput) {
    this.#input = input;
  }

  /**
   * Workloads that have to go so that the taker fits, by quota and by nodes; undefined = no set of them would do. Empty
   * when it fits as it is. The set is irreducible, and the snapshot as before. `excluded` holds the keys of workloads that
   * the cycle has taken already.
   */
  find(taker: Taker, excluded: ReadonlySet<string>): readonly Victim[] | undefined {
    const { pool } = taker.quota;
    if (pool === undefined || taker.cost.length === 0) return undefined;
    const search = new Search(this.#input, taker, pool);
    const found = search.run(this.#holdingsOf(pool), excluded);
    return found?.map(({ holding, cause }) => ({ workload: holding.workload, cause }));
  }

  #holdingsOf(pool: PoolState): readonly Holding[] {
    let holdings = this.#holdings.get(pool);
    if (holdings === undefined) this.#holdings.set(pool, (holdings = holdingsOf(this.#input.snapshot, pool)));
    return holdings;
  }
}

/** The search for one taker. */
class Search {
  readonly #input: VictimFinderInput;
  readonly #taker: Taker;
  readonly #pool: PoolState;
  readonly #rights: Rights;
  readonly #open = new Map<Right, boolean>();
  readonly #counter: FitCounter;
  readonly #spaces: readonly RoleSpace[];

  constructor(input: VictimFinderInput, taker: Taker, pool: PoolState) {
    const { snapshot, feasibility } = input;
    this.#input = input;
    this.#taker = taker;
    this.#pool = pool;
    this.#rights = new Rights(taker, pool, (quota) => snapshot.shareOf(quota));
    const counter = new FitCounter(snapshot, feasibility, taker.placement);
    this.#counter = counter;
    this.#spaces = taker.placement.roles.flatMap((role) => {
      const [pod] = role.pods;
      return pod === undefined ? [] : [new RoleSpace({ snapshot, feasibility, counter, role, pod })];
    });
  }

  run(holdings: readonly Holding[], excluded: ReadonlySet<string>): readonly Claim[] | undefined {
    const lacking = costOf(this.#taker, this.#pool) - this.#pool.tree.available(this.#taker.quota.index);
    const byQuota = lacking > 0 || !this.#taker.admissible();
    // What stands elsewhere may still draw the power of the same site: only where counts settle it is it out.
    const nodesOnly = !byQuota && this.#counter.exact;
    const unordered: Claim[] = [];
    for (const holding of holdings) {
      if (excluded.has(holding.workload.key)) continue;
      const claim = this.#claimOn(holding);
      if (claim !== undefined && (!nodesOnly || this.#freesNodes(claim))) unordered.push(claim);
    }
    if (!this.#couldFit(unordered, lacking)) return undefined;
    const { pool, rights } = { pool: this.#pool, rights: this.#rights };
    const claims = inStatedOrder(unordered, { pool, rights, shareOf: (quota) => this.#input.snapshot.shareOf(quota) });
    const { snapshot, feasibility } = this.#input;
    const counter = this.#counter;
    const trial = new Trial({ snapshot, feasibility, counter, pool, rights, taker: this.#taker, claims });
    try {
      if (trial.fits()) return [];
      return this.#best(trial, { byQuota, lacking })?.map((id) => at(claims, id));
    } finally {
      trial.reset();
    }
  }

  /** The right by which the taker may have a workload at present, if any. */
  #claimOn(holding: Holding): Claim | undefined {
    const { workload, quota } = holding;
    const { now } = this.#input;
    const own = quota === this.#taker.quota;
    // What outranks the taker in its own quota would take the place back by its priority.
    const spared = own ? workload.priority > this.#taker.priority : this.#rights.isLastInLine;
    if (!spared && now - workload.startedAt >= walltimeOf(workload.walltime, quota)) {
      return { holding, cause: 'Overdue', right: undefined };
    }
    if (quota.spec.tier === 'Urgent') return undefined;
    if (own) {
      return workload.priority < this.#taker.priority ? { holding, cause: 'Priority', right: undefined } : undefined;
    }
    if (now - workload.startedAt < this.#pool.spec.minRuntime) return undefined;
    const right = this.#rights.over(quota);
    if (right === undefined) return undefined;
    if (right.cause === 'Reclaim' && workload.borrower) return { holding, cause: 'Reclaim', right: undefined };
    return this.#isOpen(right) ? { holding, cause: right.cause, right } : undefined;
  }

  /** Whether the right is good for anything before the search takes something. */
  #isOpen(right: Right): boolean {
    let open = this.#open.get(right);
    if (open === undefined) this.#open.set(right, (open = this.#rights.isOpen(right)));
    return open;
  }

  #freesNodes({ holding }: Claim): boolean {
    return holding.spots.some(({ node }) => this.#spaces.some((space) => space.allows(node)));
  }

  /** A no is final: not even with all claims gone, each counted in full, would there be enough. */
  #couldFit(claims: readonly Claim[], lacking: number): boolean {
    const all = claims.map((_, id) => id);
    if (this.#spaces.some((space) => space.leastPrefix(claims, all) === Infinity)) return false;
    if (lacking <= 0) return true;
    const { tree } = this.#pool;
    const sums = new QuotaSums(this.#pool);
    for (const { holding } of claims) sums.add(holding);
    sums.charge(-1);
    const enough = tree.available(this.#taker.quota.index) >= costOf(this.#taker, this.#pool);
    sums.charge(1);
    return enough;
  }

  #best(trial: Trial, { byQuota, lacking }: { byQuota: boolean; lacking: number }): readonly number[] | undefined {
    const { claims } = trial;
    const deficit = this.#deficit(claims, lacking);
    const least = leastVictims(deficit);
    // No set is smaller than a single victim, and where one will do, the first is found soon.
    const single = least === 1 ? smallestSet(trial, deficit, 1) : undefined;
    if (single !== undefined) return single;
    const stated = claims.map((_, id) => id);
    const uniform = deficit.amounts.every((amount) => amount === deficit.mostAmount);
    const bySize =
      byQuota && !uniform
        ? stated.toSorted((a, b) => at(deficit.amounts, b) - at(deficit.amounts, a) || a - b)
        : stated;
    let best: readonly number[] | undefined;
    const consider = (order: readonly number[]) => {
      const found = this.#greedy(trial, order, {
        limit: best === undefined ? Infinity : 2 * best.length + 16,
        fewest: least,
      });
      if (found !== undefined && (best === undefined || found.length < best.length)) best = found;
    };
    for (const order of this.#nodeOrders(claims, bySize)) {
      if (best === undefined || order.price < best.length) consider(order.ids());
    }
    const isFirst = () => best?.length === least && best.at(-1) === least - 1;
    if (isFirst()) return best;
    if (bySize !== stated) consider(bySize);
    if (!isFirst()) consider(stated);
    if (isFirst()) return best;
    return smallestSet(trial, deficit, best?.length ?? Infinity) ?? best;
  }

  #deficit(claims: readonly Claim[], lacking: number): Deficit {
    const [space] = this.#spaces;
    const amounts = new Float64Array(claims.length);
    const devicesOf = new Float64Array(claims.length);
    let mostAmount = 0;
    let mostDevices = 0;
    for (let id = 0; id < claims.length; id++) {
      const claim = at(claims, id);
      const devices = space?.devicesOf(claim) ?? 0;
      amounts[id] = claim.holding.amount;
      devicesOf[id] = devices;
      mostAmount = Math.max(mostAmount, claim.holding.amount);
      mostDevices = Math.max(mostDevices, devices);
    }
    return { amount: lacking, devices: space?.missingDevices() ?? 0, amounts, devicesOf, mostAmount, mostDevices };
  }

  /** For each domain that could hold the taker, cheapest first: node by node, the fewest workloads for a pod first. */
  #nodeOrders(claims: readonly Claim[], rest: readonly number[]) {
    const openings = this.#spaces.map((space) => space.openings(claims));
    const domains = openings[0]?.length ?? 0;
    const orders: { readonly ids: () => readonly number[]; readonly price: number }[] = [];
    for (let domain = 0; domain < domains; domain++) {
      const first: number[] = [];
      const then: number[] = [];
      let price = 0;
      let possible = true;
      for (const ofRole of openings) {
        const opening = ofRole[domain];
        possible &&= opening !== undefined;
        if (opening === undefined) break;
        for (let i = 0; i < opening.ids.length; i++) (i < opening.enough ? first : then).push(at(opening.ids, i));
        price += opening.price;
      }
      if (possible && first.length > 0) orders.push({ ids: () => [...first, ...then, ...rest], price });
    }
    return orders.sort((a, b) => a.price - b.price);
  }

  /**
   * Takes in this order until the taker fits and puts back whoever is not needed. Undefined when it never fits, or not
   * before more than `limit` are taken. No set has less than `fewest`. Nothing is taken when it returns.
   */
  #greedy(
    trial: Trial,
    order: readonly number[],
    { limit, fewest }: { readonly limit: number; readonly fewest: number },
  ): readonly number[] | undefined {
    const tooLong = (space: RoleSpace) => space.leastPrefix(trial.claims, order) > limit;
    if (limit < order.length && this.#spaces.some(tooLong)) return undefined;
    let fits = false;
    // Where counts do not settle it each look costs a placement: the steps between looks grow.
    let nextLook = 0;
    for (const id of order) {
      if (trial.has(id) || !trial.take(id)) continue;
      if (trial.size > limit) break;
      if (trial.size < nextLook || !trial.mayFit()) continue;
      fits = trial.fits();
      if (fits) break;
      nextLook = trial.size + 1 + (trial.size >> 2);
    }
    fits ||= trial.size <= limit && trial.fits();
    if (fits && trial.size > fewest) {
      for (const id of trial.taken().toReversed()) this.#putBackIfSpare(trial, id);
    }
    const found = fits ? trial.taken() : undefined;
    trial.reset();
    return found;
  }

  #putBackIfSpare(trial: Trial, id: number): void {
    trial.putBack(id);
    if (!trial.fits()) trial.take(id);
  }
}
