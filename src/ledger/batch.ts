import type { HoldingEntry } from './entry.ts';
import { closedAt, holderKey, type ClosedInterval, type HolderKey, type Interval } from './interval.ts';

/** What a run of entries changes in the store. */
export interface Batch {
  /** Intervals that the store holds as open and that end. */
  readonly ended: readonly ClosedInterval[];
  /** Intervals that the store does not hold; those that end within the run are closed already. */
  readonly begun: readonly Interval[];
  /** The latest sighting; 0 = none. */
  readonly seenAt: number;
}

/** Pods and classes that the entries speak of, once each. */
export function holdersOf(entries: readonly HoldingEntry[]): HolderKey[] {
  const holders = new Map<string, HolderKey>();
  for (const entry of entries) {
    if (entry.type === 'seen') continue;
    const key = entry.type === 'open' ? entry.interval : entry.key;
    holders.set(holderKey(key), key);
  }
  return [...holders.values()];
}

/**
 * Applies entries, in the order in which they happened, to what the store knows of their holders. However the entries
 * are cut into runs, the outcome is the same. An interval that overlaps another of its holder is refused, so that no
 * device is charged twice, and what is closed stays as it is; hence whatever arrives a second time changes nothing.
 *
 * O(entries), as long as a pod has few intervals.
 *
 * @param known every interval of `holdersOf(entries)` in the store
 */
export function applyEntries(known: readonly Interval[], entries: readonly HoldingEntry[]): Batch {
  const byHolder = Map.groupBy(known, holderKey);
  const stored = new Set(known);
  const ended: ClosedInterval[] = [];
  const begun = new Set<Interval>();
  let seenAt = 0;
  for (const entry of entries) {
    switch (entry.type) {
      case 'open': {
        const { interval } = entry;
        const key = holderKey(interval);
        const others = byHolder.get(key);
        if (others === undefined) byHolder.set(key, [interval]);
        else if (others.every((other) => isOver(other, interval.start))) others.push(interval);
        else break;
        begun.add(interval);
        break;
      }
      case 'close': {
        const others = byHolder.get(holderKey(entry.key)) ?? [];
        const i = others.findIndex(({ start, end }) => start === entry.key.start && end === undefined);
        const interval = others[i];
        if (interval === undefined) break;
        const closed = closedAt(interval, entry.end, entry.unobserved);
        others[i] = closed;
        if (stored.has(interval)) ended.push(closed);
        else {
          begun.delete(interval);
          begun.add(closed);
        }
        break;
      }
      case 'seen':
        seenAt = Math.max(seenAt, entry.at);
        break;
    }
  }
  return { ended, begun: [...begun], seenAt };
}

/** Whether an interval leaves room for another one that begins at the moment and has no end yet. */
function isOver(interval: Interval, moment: number): boolean {
  return interval.end !== undefined && interval.end <= moment && interval.start !== moment;
}
