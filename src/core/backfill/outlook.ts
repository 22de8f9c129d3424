import { FitCounter, placeAll, release, type Feasibility, type PlacedPod } from '../place/index.ts';
import type { QuotaTree } from '../quota/index.ts';
import type { Ending, Snapshot } from '../snapshot/index.ts';
import { admits, type Ask } from './reservation.ts';

/** When and where a workload can start. */
export interface Slot {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly placed: readonly PlacedPod[];
  /** What ends by then. */
  readonly released: readonly Ending[];
  /** The quotas as they are then. */
  readonly forecast: QuotaTree | undefined;
}

/** How many pods may still be taken away in the cycle to see what fits then. */
export interface Effort {
  left: number;
}

/**
 * The earliest time at which what is asked for fits by quota, class limits and nodes, when what holds resources ends as
 * `endings` say, in their order. The snapshot is changed meanwhile and exactly as before on return.
 *
 * Undefined: no such time is known, or the effort was used up before it was found. With several roles the time may be
 * later than the earliest: counts alone don't prove a fit, and the longer placing fails the less often it is tried.
 *
 * Cost: O(nodes) to count, then O(resources + depth of the tree) for each pod that ends in between.
 */
export function earliestSlot(
  context: { readonly snapshot: Snapshot; readonly feasibility: Feasibility; readonly now: number },
  ask: Ask,
  { endings, effort }: { readonly endings: Iterable<Ending>; readonly effort: Effort },
): Slot | undefined {
  const { snapshot, feasibility, now } = context;
  const { placement } = ask;
  const counter = new FitCounter(snapshot, feasibility, placement);
  const tree = ask.quota?.pool?.tree;
  const matters = relevance(snapshot, ask);
  const released: Ending[] = [];
  let at = now;
  let failures = 0;
  let nextTry = 1;
  let slot: Slot | undefined;

  const look = (): boolean => {
    if (released.length < nextTry || !counter.mayFit() || !admits(tree, ask)) return false;
    const placed = placeAll(snapshot, feasibility, placement);
    if (placed === undefined) {
      nextTry = released.length + 2 ** failures++;
      return false;
    }
    release(snapshot, placed);
    slot = { at, placed, released, forecast: tree?.fork() };
    return true;
  };

  for (const ending of endings) {
    // Everything that ends at one time is gone before anyone looks what fits then.
    if (ending.at > at) {
      if (look()) break;
      at = ending.at;
    }
    const { pod, node } = ending.held;
    if (!matters(node)) continue;
    if (effort.left === 0) break;
    effort.left--;
    snapshot.hold(pod, node, -1);
    counter.update(node);
    released.push(ending);
  }
  if (slot === undefined && effort.left > 0) {
    nextTry = Math.min(nextTry, released.length);
    if (released.length > 0) look();
  }
  for (let i = released.length - 1; i >= 0; i--) {
    const held = released[i]?.held;
    if (held !== undefined) snapshot.hold(held.pod, held.node, 1);
  }
  return slot;
}

/** Which nodes' pods can make a difference: those that the workload may use, and with a quota all of the pool. */
function relevance(snapshot: Snapshot, { quota, placement }: Ask): (node: number) => boolean {
  const profiles = new Set(placement.roles.flatMap((role) => role.profiles.map(({ id }) => id)));
  for (const id of quota?.pool?.profiles ?? []) profiles.add(id);
  return (node) => profiles.has(snapshot.nodes.profileOf(node).id);
}
