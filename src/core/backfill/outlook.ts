import { FitCounter, placeAll, release, type Feasibility, type PlacedPod } from '../place/index.ts';
import type { QuotaTree } from '../quota/index.ts';
import type { Ending, HeldPod, Snapshot } from '../snapshot/index.ts';
import { FreedSpace } from './freedSpace.ts';
import { admits, type Ask } from './reservation.ts';

/** When and where a workload can start. */
export interface Slot {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly placed: readonly PlacedPod[];
  /** What ends by then on nodes that it uses, and maybe on others. */
  readonly released: readonly Ending[];
  /** The quotas as they are then. */
  readonly forecast: QuotaTree | undefined;
}

/** What may still be spent in the cycle on looking ahead: 1 for a pod looked at, {@link holdEffort} for one moved. */
export interface Effort {
  left: number;
}

/** Giving a pod back in the snapshot, and taking it again, costs some four times as much as looking at it. */
const holdEffort = 4;

/**
 * The earliest time at which what is asked for fits by quota, class limits and nodes, when what holds resources ends as
 * `endings` say, in their order. The snapshot is changed meanwhile and exactly as before on return.
 *
 * Undefined: no such time is known, or the effort was used up before it was found. With several roles the time may be
 * later than the earliest: counts alone don't prove a fit, and the more often placing fails the less often it is tried.
 *
 * Cost: O(nodes) to count, then O(resources + depth of the tree) for each pod that ends in between.
 */
export function earliestSlot(
  context: { readonly snapshot: Snapshot; readonly feasibility: Feasibility; readonly now: number },
  ask: Ask,
  { endings, effort }: { readonly endings: Iterable<Ending>; readonly effort: Effort },
): Slot | undefined {
  const search = new SlotSearch(context, ask);
  let { now: at } = context;
  let found: Slot | undefined;
  for (const ending of endings) {
    // Everything that ends at one time is gone before anyone looks what fits then.
    if (ending.at > at) {
      found = search.slotAt(at);
      if (found !== undefined) break;
      ({ at } = ending);
    }
    if (effort.left <= 0) break;
    effort.left -= search.end(ending);
  }
  if (effort.left > 0) found ??= search.slotAt(at, true);
  search.undo();
  return found;
}

/** The state in which one ask is tried, as time goes on. */
class SlotSearch {
  readonly #snapshot: Snapshot;
  readonly #feasibility: Feasibility;
  readonly #ask: Ask;
  readonly #counter: FitCounter;
  readonly #space: FreedSpace;
  readonly #forecast: QuotaTree | undefined;
  /** By profile id: 1 where the end of a pod can make a difference. */
  readonly #relevant: Uint8Array;
  #ended = 0;
  #failures = 0;
  #nextTry = 1;

  constructor({ snapshot, feasibility }: { readonly snapshot: Snapshot; readonly feasibility: Feasibility }, ask: Ask) {
    const { placement, quota } = ask;
    this.#snapshot = snapshot;
    this.#feasibility = feasibility;
    this.#ask = ask;
    this.#counter = new FitCounter(snapshot, feasibility, placement);
    this.#space = new FreedSpace(snapshot, feasibility, placement);
    this.#forecast = quota?.pool?.tree.fork();
    this.#relevant = new Uint8Array(snapshot.nodes.profiles.length);
    for (const { profiles } of placement.roles) for (const { id } of profiles) this.#relevant[id] = 1;
    // With a quota, whatever ends in its pool may open it up.
    for (const id of quota?.pool?.profiles ?? []) this.#relevant[id] = 1;
  }

  /** Takes the end of a pod into account. Returns the effort. */
  end(ending: Ending): number {
    const { held } = ending;
    if (this.#relevant[this.#snapshot.nodes.profileIdOf(held.node)] !== 1) return 1;
    this.#ended++;
    this.#uncharge(held);
    const released = this.#space.end(ending);
    if (released > 0) this.#counter.update(held.node);
    return 1 + holdEffort * released;
  }

  /** Where it fits after what has ended. `last`: there is no later time to try at. */
  slotAt(at: number, last = false): Slot | undefined {
    if (this.#ended < (last ? 1 : this.#nextTry)) return undefined;
    if (!this.#counter.mayFit() || !admits(this.#forecast, this.#ask)) return undefined;
    const placed = placeAll(this.#snapshot, this.#feasibility, this.#ask.placement);
    if (placed === undefined) {
      this.#nextTry = this.#ended + 2 ** this.#failures++;
      return undefined;
    }
    release(this.#snapshot, placed);
    return { at, placed, released: this.#space.released, forecast: this.#forecast };
  }

  undo(): void {
    this.#space.undo();
  }

  /** Takes what the pod holds off the forecast. */
  #uncharge({ pod, node }: HeldPod): void {
    const quota = this.#snapshot.policy.quotaOfNamespace.get(pod.namespace);
    if (quota?.pool === undefined || quota.pool !== this.#ask.quota?.pool) return;
    const profile = this.#snapshot.nodes.profileIdOf(node);
    if (this.#snapshot.poolOfProfile(profile) !== quota.pool) return;
    for (const { resourceName, devices } of this.#snapshot.acceleratorsOf(pod.shape)) {
      const classIndex = this.#snapshot.policy.claims.classOf(profile, resourceName);
      if (classIndex !== undefined) this.#forecast?.charge(quota.index, classIndex, -devices);
    }
  }
}
