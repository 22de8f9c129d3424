import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { micros, milli } from '../core/units/index.ts';
import { applyEntries } from './batch.ts';
import type { HoldingEntry } from './entry.ts';
import type { Interval, OpenInterval } from './interval.ts';

const interval = (podUid: string, start: number): OpenInterval => ({
  podUid,
  class: 'h200',
  start,
  end: undefined,
  unobserved: false,
  account: { pool: 'national', timeZone: 'UTC', quotas: ['kaist'] },
  workload: podUid,
  user: undefined,
  node: 'n',
  milliDevices: 1000,
  weight: milli(1000),
  kind: 'Guaranteed',
  chargeFactor: micros(1_000_000),
});
const open = (podUid: string, start: number): HoldingEntry => ({ type: 'open', interval: interval(podUid, start) });
const close = (podUid: string, start: number, end: number): HoldingEntry => ({
  type: 'close',
  key: { podUid, class: 'h200', start },
  end,
  unobserved: false,
});

/** Start and end of each interval after a batch, in order. */
function outcome(known: readonly Interval[], entries: readonly HoldingEntry[]): Interval[] {
  const { ended, begun } = applyEntries(known, entries);
  const replaced = new Set(ended.map(({ podUid, start }) => `${podUid} ${start}`));
  return [...known.filter(({ podUid, start }) => !replaced.has(`${podUid} ${start}`)), ...ended, ...begun].toSorted(
    (a, b) => a.podUid.localeCompare(b.podUid) || a.start - b.start,
  );
}

const moments = fc.nat(6);
const entry = fc.oneof(
  fc.tuple(fc.constantFrom('a', 'b'), moments).map(([pod, start]) => open(pod, start)),
  fc.tuple(fc.constantFrom('a', 'b'), moments, moments).map(([pod, start, end]) => close(pod, start, end)),
);

describe('a batch of entries', () => {
  it('comes to the same however the entries are cut into batches', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 14 }), fc.array(fc.nat(13), { maxLength: 4 }), (entries, cuts) => {
        const borders = [0, ...cuts.toSorted((a, b) => a - b), entries.length];
        const known = borders.reduce<Interval[]>(
          (so_far, border, i) => outcome(so_far, entries.slice(border, borders[i + 1])),
          [],
        );
        assert.deepEqual(known, outcome([], entries));
      }),
      { numRuns: 2000 },
    );
  });

  it('never lets two intervals of a pod overlap, whatever arrives', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 30 }), (entries) => {
        for (const [i, one] of outcome([], entries).entries()) {
          const next = outcome([], entries)[i + 1];
          if (next?.podUid === one.podUid) assert.ok(one.end !== undefined && one.end <= next.start);
        }
      }),
    );
  });

  it('a stale copy of a beginning does not keep what came after it out', () => {
    const known = [{ ...interval('a', 0), end: 1 }, interval('a', 1)];
    const { ended, begun } = applyEntries(known, [open('a', 0), close('a', 1, 2), open('a', 2)]);
    assert.deepEqual(ended, [{ ...interval('a', 1), end: 2 }]);
    assert.deepEqual(begun, [interval('a', 2)]);
  });

  it('an end of something unknown is left out', () => {
    assert.deepEqual(applyEntries([], [close('a', 0, 1)]), { ended: [], begun: [], seenAt: 0 });
  });
});
