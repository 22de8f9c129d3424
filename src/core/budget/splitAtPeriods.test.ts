import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { splitAtPeriods, type Period } from './index.ts';
import { budget, moment } from './testing.ts';

describe('time cut at budget periods', () => {
  it('is cut at midnight of the zone where the period ends, also where the next begins later', () => {
    const periods = [budget().period, budget({ period: ['2027-03-03', '2028-02-29'] }).period];
    const span = { start: moment('2027-02-28'), end: moment('2027-03-05') };
    assert.deepEqual(splitAtPeriods(span, periods), [
      { start: span.start, end: Date.parse('2027-02-28T15:00:00Z') },
      { start: Date.parse('2027-02-28T15:00:00Z'), end: Date.parse('2027-03-02T15:00:00Z') },
      { start: Date.parse('2027-03-02T15:00:00Z'), end: span.end },
    ]);
  });

  it('stays whole where bounds only touch it, and where it is empty', () => {
    const inside = { start: 10, end: 20 };
    assert.deepEqual(splitAtPeriods(inside, [{ start: 0, end: 10 }, { start: 20, end: 30 }, inside]), [inside]);
    assert.deepEqual(splitAtPeriods({ start: 5, end: 5 }, [{ start: 0, end: 10 }]), [{ start: 5, end: 5 }]);
  });

  it('has parts without gaps that no bound cuts', () => {
    const span = fc.tuple(fc.nat(60), fc.nat(60)).map(([start, length]): Period => ({ start, end: start + length }));
    fc.assert(
      fc.property(span, fc.array(span, { maxLength: 6 }), (whole, periods) => {
        const parts = splitAtPeriods(whole, periods);
        assert.equal(parts[0]?.start, whole.start);
        assert.equal(parts.at(-1)?.end, whole.end);
        for (const [i, part] of parts.entries()) {
          if (i > 0) assert.equal(part.start, parts[i - 1]?.end);
          if (whole.start < whole.end) assert.ok(part.start < part.end);
          for (const { start, end } of periods) {
            for (const bound of [start, end]) assert.ok(bound <= part.start || bound >= part.end);
          }
        }
      }),
    );
  });
});
