import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { micros, milli } from '../core/units/index.ts';
import { addCharges, chargeFor, milliGpuHours } from '../core/budget/index.ts';
import { closedAt, splitAt, type Interval, type OpenInterval } from './interval.ts';
import { Slots } from './slots.ts';

const hour = 3_600_000;
const open: OpenInterval = {
  podUid: 'pod',
  class: 'h200',
  start: 1000,
  end: undefined,
  unobserved: false,
  account: { pool: 'national', timeZone: 'UTC', quotas: ['kaist'] },
  workload: 'w',
  user: undefined,
  node: 'n',
  milliDevices: 8000,
  weight: milli(2000),
  kind: 'Guaranteed',
  chargeFactor: micros(1_000_000),
};
const chargeOf = (interval: Interval, end: number) =>
  chargeFor(BigInt(interval.milliDevices * (end - interval.start)), interval);

describe('a charge', () => {
  it('eight devices of weight two are sixteen GPU-hours in an hour', () => {
    assert.equal(milliGpuHours(chargeOf(open, open.start + hour)), 16_000);
  });
  it('is rounded down, and only where it leaves the ledger', () => {
    const almost = chargeOf(open, open.start + hour - 1);
    assert.equal(milliGpuHours(almost), 15_999);
    assert.equal(milliGpuHours(addCharges(almost, chargeOf(open, open.start + 1))), 16_000);
  });
  it('a year of 600,000 GPUs is exact', () => {
    const year = 365 * 24 * hour;
    const charge = chargeFor(600_000_000n * BigInt(year), { weight: milli(1000), chargeFactor: micros(1_000_000) });
    assert.equal(milliGpuHours(charge), 600_000 * 365 * 24 * 1000);
  });
});

describe('a split', () => {
  it('leaves the charge as it was, wherever it falls', () => {
    fc.assert(
      fc.property(fc.integer({ min: -10, max: 10_000 }), fc.integer({ min: 20, max: 20_000 }), (at, length) => {
        const end = open.start + 10_000 + length;
        const [first, second] = splitAt(open, open.start + at);
        assert.equal(addCharges(chargeOf(first, first.end), chargeOf(second, end)), chargeOf(open, end));
        assert.equal(first.end, second.start);
        assert.notEqual(second.start, open.start);
      }),
    );
  });
  it('what is borrowed from then on is charged with the factor of the pool', () => {
    const borrowedChargeFactor = micros(500_000);
    const [first, second] = splitAt(open, 5000, { kind: 'Borrowed', borrowedChargeFactor });
    assert.deepEqual([first.kind, first.chargeFactor], ['Guaranteed', 1_000_000]);
    assert.deepEqual([second.kind, second.chargeFactor], ['Borrowed', 500_000]);
    const [, back] = splitAt(second, 6000, { kind: 'Guaranteed', borrowedChargeFactor });
    assert.equal(back.chargeFactor, 1_000_000);
  });
  it('what ends before it begins lasts no time', () => assert.equal(closedAt(open, 0).end, open.start));
});

describe('slots', () => {
  it('cut a time into days that add up to it', () => {
    const slots = new Slots('day', 'Europe/Berlin');
    const from = fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2026-12-31') });
    fc.assert(
      fc.property(from, fc.nat(20 * 24 * hour), (start, length) => {
        let sum = 0;
        const seen: number[] = [];
        slots.pieces(start, start + length, (slot, milliseconds) => {
          sum += milliseconds;
          seen.push(slot);
          assert.ok(milliseconds > 0 && milliseconds <= 25 * hour);
        });
        assert.equal(sum, length);
        assert.deepEqual(
          seen,
          seen.toSorted((a, b) => a - b),
        );
      }),
    );
  });
  it('whole ones are those that lie in the time from their beginning to their end', () => {
    const slots = new Slots('day', 'UTC');
    const day = 24 * hour;
    assert.deepEqual(slots.whole(day, 3 * day), { start: day, end: 3 * day });
    assert.deepEqual(slots.whole(day + 1, 3 * day - 1), undefined);
    assert.deepEqual(slots.whole(day - 1, 3 * day + 1), { start: day, end: 3 * day });
    assert.deepEqual(slots.whole(day + 1, day + 2), undefined);
  });
});
