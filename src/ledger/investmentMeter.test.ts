import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { milli } from '../core/units/index.ts';
import type { InvestmentEntry } from './entry.ts';
import { investmentMeasures, type InvestmentStanding, type InvestmentStretch } from './investment.ts';
import { InvestmentMeter } from './investmentMeter.ts';

const minute = 60_000;
const hour = 60 * minute;
const midnight = Date.parse('2026-03-01T00:00:00+09:00');

/** Company A with so many normalized GPUs in use; it brought 64 and is entitled to 96. */
function standing(used: number, investment = 'deal'): InvestmentStanding {
  const gpus = { contributed: 64, delivered: 64, entitled: 96, effective: 96, used, lent: 0 };
  const levels = Object.fromEntries(
    investmentMeasures.map((measure) => [measure, milli(Math.round(gpus[measure] * 1000))]),
  );
  return {
    account: { pool: 'national', timeZone: 'Asia/Seoul', quotas: ['company-a'] },
    investment,
    levels: levels as InvestmentStanding['levels'],
  };
}

/** What the store keeps: of each start the longest. */
function kept(entries: readonly InvestmentEntry[]): InvestmentStretch[] {
  const stretches = new Map<string, InvestmentStretch>();
  for (const entry of entries) {
    assert.ok(entry.type === 'invested');
    const { investment, start, end } = entry.stretch;
    const key = `${investment} ${start}`;
    if (end > (stretches.get(key)?.end ?? 0)) stretches.set(key, entry.stretch);
  }
  return [...stretches.values()];
}

/** Start and end in minutes since midnight, and normalized GPU-minutes used. */
function inMinutes(entries: readonly InvestmentEntry[]): number[][] {
  return kept(entries).map(({ start, end, sums }) => [
    (start - midnight) / minute,
    (end - midnight) / minute,
    Number(BigInt(sums.used) / 1000n) / minute,
  ]);
}

/** Looks at company A at so many minutes after midnight, with so many GPUs in use from then on; undefined = gone. */
function looks(...seen: readonly (readonly [at: number, used: number | undefined])[]): InvestmentEntry[] {
  const meter = new InvestmentMeter();
  return seen.flatMap(([at, used]) =>
    meter.observe(used === undefined ? [] : [standing(used)], midnight + at * minute),
  );
}

describe('the meter of investments', () => {
  it('counts what was seen until the next look', () => {
    assert.deepEqual(inMinutes(looks([0, 8], [2, 16], [5, 0], [7, undefined])), [[0, 7, 2 * 8 + 3 * 16]]);
  });
  it('begins anew with each hour of the pool, also while nothing happens', () => {
    assert.deepEqual(inMinutes(looks([58, 10], [63, 10], [64, undefined])), [
      [58, 60, 20],
      [60, 64, 40],
    ]);
  });
  it('hours are those of the time zone: in Kathmandu they begin at a quarter past', () => {
    const meter = new InvestmentMeter();
    const zoned = { ...standing(1), account: { ...standing(1).account, timeZone: 'Asia/Kathmandu' } };
    const entries = Array.from({ length: 80 }, (_, i) => meter.observe([zoned], midnight + i * minute)).flat();
    assert.deepEqual(
      kept(entries).map(({ start }) => (start - midnight) / minute),
      [0, 15, 75],
    );
  });
  it('records what goes on every minute, so that a crash loses no more', () => {
    assert.deepEqual(
      looks([0, 1], [0.5, 1], [1, 1], [1.5, 1], [2, 1]).map(({ type }) => type),
      ['invested', 'invested'],
    );
  });
  it('does not count a time in which nobody looked', () => {
    assert.deepEqual(inMinutes(looks([0, 8], [4, 8], [30, 8], [31, undefined])), [
      [0, 4, 32],
      [30, 31, 8],
    ]);
  });
  it('counts nothing twice when the clock goes back', () => {
    assert.deepEqual(inMinutes(looks([0, 8], [4, 8], [2, 8], [5, 8], [6, undefined])), [[0, 6, 48]]);
  });
  it('an investment that ends and comes back has two stretches', () => {
    assert.deepEqual(inMinutes(looks([0, 8], [2, undefined], [3, 8], [4, undefined])), [
      [0, 2, 16],
      [3, 4, 8],
    ]);
  });

  it('equals the sum over time of what was seen, whenever it looks', () => {
    const look = fc.record({ after: fc.integer({ min: 1, max: 4 * minute }), used: fc.nat(96_000) });
    fc.assert(
      fc.property(fc.array(look, { minLength: 1, maxLength: 60 }), (seen) => {
        const meter = new InvestmentMeter();
        const entries: InvestmentEntry[] = [...meter.observe([standing(0)], midnight)];
        let now = midnight;
        let [want, level] = [0n, 0];
        for (const { after, used } of seen) {
          now += after;
          want += BigInt(level) * BigInt(after);
          level = used;
          entries.push(...meter.observe([standing(used / 1000)], now));
        }
        entries.push(...meter.observe([], now));
        const stretches = kept(entries);
        assert.equal(
          stretches.reduce((sum, { sums }) => sum + BigInt(sums.used), 0n),
          want,
        );
        assert.equal(
          stretches.reduce((sum, { start, end }) => sum + end - start, 0),
          now - midnight,
        );
        for (const { start, end } of stretches) assert.ok(Math.floor(start / hour) === Math.floor((end - 1) / hour));
      }),
    );
  });
});
