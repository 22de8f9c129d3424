import type { Period } from './spec.ts';

/**
 * The parts of a stretch of time that the starts and ends of budget periods cut it into, in order and without gaps, so
 * that each part lies in a period or outside it as a whole. A stretch that no period cuts is its only part.
 *
 * The periods are moments: that a day begins at midnight of the pool's zone was settled when they were read.
 * O(p log p) for p periods.
 *
 * @param periods of all budgets that the time is charged to, in any order, overlaps allowed
 */
export function splitAtPeriods(span: Period, periods: readonly Period[]): readonly Period[] {
  const bounds = periods.flatMap(({ start, end }) => [start, end]);
  const inside = bounds.filter((moment) => moment > span.start && moment < span.end);
  const starts = [span.start, ...[...new Set(inside)].sort((a, b) => a - b)];
  return starts.map((start, i) => ({ start, end: starts[i + 1] ?? span.end }));
}
