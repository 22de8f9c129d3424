import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { resource } from '../../../test/support/fleet.ts';
import { formatMilliGpus, formatInstant, milli, oneMicro, micros } from '../units/index.ts';
import {
  admission,
  budgetFigures,
  budgetSpecOf,
  carriedOver,
  chargeOfHours,
  chargeOver,
  forecastExhaustion,
  historyAfter,
  limitsAt,
  milliGpuHours,
  noCharge,
  rateFor,
  warningsBetween,
  type BudgetLine,
  type BudgetSpec,
  type MilliGpuHours,
} from './index.ts';
import { hours, moment } from './testing.ts';

/*
 * The budget of DESIGN.md section 2.2, from its manifest to what it admits. docs/budgets.md tells the same story with
 * the same figures.
 */

const hour = 3_600_000;
const year = { start: '2026-03-01', end: '2027-02-28' };

function read(budget: object): BudgetSpec {
  const spec = { poolName: 'national', budget: { normalizedGpuHours: '2242560', period: year, ...budget } };
  const reading = budgetSpecOf(resource('ResearchQuota', 'kaist', { spec }), 'Asia/Seoul');
  assert.deepEqual(reading?.problems, []);
  return reading.budget;
}

const design = {
  carryover: { maxFraction: '0.5' },
  overdraft: { graceFraction: '0.2' },
  adjustments: [
    { name: 's1', date: '2026-07-01', kind: 'Supplement', normalizedGpuHours: '50000', note: 'award 2026-17' },
  ],
};

function line(spec: BudgetSpec, { at, used = 0, reserved = 0, carried = 0 }: Use): BudgetLine {
  const limits = limitsAt(spec, hours(carried), moment(at));
  return { quotaName: 'kaist', limits, used: chargeOfHours(hours(used)), reserved: chargeOfHours(hours(reserved)) };
}

/** Hours that are used, reserved and carried over at a moment. */
interface Use {
  readonly at: string;
  readonly used?: number;
  readonly reserved?: number;
  readonly carried?: number;
}

const full = (weight: number) => ({ weight: milli(weight), chargeFactor: oneMicro });
const costOf = (devices: number, weight: number, forHours: number) =>
  chargeOver(rateFor(devices * 1000, full(weight)), forHours * hour);

describe('the budget of DESIGN.md section 2.2', () => {
  const outcomes: Record<string, { budget?: object; use: Use; cost: [number, number, number]; want: string }> = {
    'is 256 H200 for a year': { use: { at: '2026-03-01' }, cost: [256, 1000, 8760], want: 'Full' },
    'is 128 B200 for a year': { use: { at: '2026-03-01' }, cost: [128, 2000, 8760], want: 'Full' },
    'an hour more is admitted on its grace': { use: { at: '2026-03-01' }, cost: [256, 1000, 8761], want: 'Borrower' },
    'without grace it is not': {
      budget: { overdraft: undefined },
      use: { at: '2026-03-01' },
      cost: [256, 1000, 8761],
      want: 'BudgetExhausted',
    },
    // 2,000,000 + 200,000 + 42,560 = 2,242,560.
    'what is used, reserved and asked for may be the whole of it': {
      use: { at: '2026-06-30', used: 2_000_000, reserved: 200_000 },
      cost: [1, 1000, 42_560],
      want: 'Full',
    },
    'an hour beyond that borrows': {
      use: { at: '2026-06-30', used: 2_000_000, reserved: 200_000 },
      cost: [1, 1000, 42_561],
      want: 'Borrower',
    },
    // 1.2 x 2,242,560 = 2,691,072.
    'up to a fifth more borrows': {
      use: { at: '2026-06-30', used: 2_691_071 },
      cost: [1, 1000, 1],
      want: 'Borrower',
    },
    'and no more': { use: { at: '2026-06-30', used: 2_691_072 }, cost: [1, 1000, 1], want: 'BudgetExhausted' },
    'from July on the supplement counts': {
      use: { at: '2026-07-01', used: 2_242_560 },
      cost: [1, 1000, 50_000],
      want: 'Full',
    },
    'before its start it admits nothing': { use: { at: '2026-02-28' }, cost: [1, 1000, 1], want: 'BudgetNotStarted' },
    'on its last day it admits': { use: { at: '2027-02-28' }, cost: [1, 1000, 1], want: 'Full' },
    'after it nothing': { use: { at: '2027-03-01' }, cost: [1, 1000, 1], want: 'BudgetExpired' },
  };
  for (const [rule, { budget = {}, use, cost, want }] of Object.entries(outcomes)) {
    it(rule, () => {
      const spec = read({ ...design, ...budget });
      assert.equal(admission([line(spec, use)], costOf(...cost), moment(use.at)).outcome, want);
    });
  }

  it('shows granted, carried over, used, reserved and remaining, which is below 0 in grace', () => {
    const figures = (use: Use) => {
      const { limits, used, reserved } = line(read(design), use);
      const { granted, carriedOver: carried, used: shown, ...rest } = budgetFigures(limits, used, reserved);
      return [granted, carried, shown, rest.reserved, rest.remaining].map((amount) => formatMilliGpus(amount));
    };
    assert.deepEqual(figures({ at: '2026-04-01', used: 100_000, reserved: 2_560 }), [
      '2242560',
      '0',
      '100000',
      '2560',
      '2140000',
    ]);
    assert.deepEqual(figures({ at: '2026-08-01', used: 2_300_000, reserved: 1_000 }), [
      '2292560',
      '0',
      '2300000',
      '1000',
      '-8440',
    ]);
  });

  it('warns at 1,794,048, 2,018,304 and 2,242,560 hours: 80, 90 and 100 of 100', () => {
    const { limits } = line(read(design), { at: '2026-04-01' });
    const warned = (before: number, after: number) => {
      const of = (used: number) => budgetFigures(limits, chargeOfHours(hours(used)), noCharge);
      return warningsBetween(of(before), of(after));
    };
    assert.deepEqual(warned(0, 1_794_047), []);
    assert.deepEqual(warned(1_794_047, 1_794_048), [80]);
    assert.deepEqual(warned(2_018_303, 2_018_304), [90]);
    assert.deepEqual(warned(2_242_559, 2_242_560), [100]);
  });

  it('passes at most half of its base into the next year, and of that only what is unused', () => {
    const first = read(design);
    const next = read({ ...design, period: { start: '2027-03-01', end: '2028-02-29' } });
    const kept = historyAfter(historyAfter(undefined, first), next).previous;
    assert.ok(kept);
    const passes = (used: number) =>
      formatMilliGpus(carriedOver(next, { terms: kept, used: chargeOfHours(hours(used)) }, 'Asia/Seoul'));
    assert.equal(passes(1_000_000), '1121280'); // half of 2,242,560; 1,242,560 were left
    assert.equal(passes(2_000_000), '242560');
    assert.equal(passes(2_300_000), '0');
    // The supplement of last July is a thing of last year.
    const carried = carriedOver(next, { terms: kept, used: chargeOfHours(hours(2_000_000)) }, 'Asia/Seoul');
    assert.equal(formatMilliGpus(limitsAt(next, carried, moment('2027-03-01')).soft), '2485120');
  });

  it('at twice the rate it is used up after half of the time, unless the supplement is written already', () => {
    const use = { carriedOver: 0 as MilliGpuHours, used: noCharge, rate: rateFor(512_000, full(1000)) };
    const told = (budget: object) => {
      const at = forecastExhaustion(read(budget), use, moment('2026-03-01'));
      return at === undefined ? undefined : formatInstant(at);
    };
    // 2,242,560 / 512 = 4,380 hours, that is 182 days and a half.
    assert.equal(told({}), '2026-08-30T03:00:00Z');
    // 2,292,560 / 512 = 4,477.65625 hours.
    assert.equal(told(design), '2026-09-03T04:39:22Z');
    const steady = { ...use, rate: rateFor(256_000, full(1000)) };
    assert.equal(forecastExhaustion(read({}), steady, moment('2026-03-01')), undefined);
  });
});

describe('tranches', () => {
  it('half at the start and half after a progress report is a base and a supplement', () => {
    const half = { normalizedGpuHours: '1121280' };
    const spec = read({ ...half, adjustments: [{ name: 'report', date: '2026-09-01', kind: 'Supplement', ...half }] });
    const granted = (date: string) => formatMilliGpus(limitsAt(spec, 0 as MilliGpuHours, moment(date)).granted);
    assert.deepEqual([granted('2026-08-31'), granted('2026-09-01')], ['1121280', '2242560']);
  });

  it('an extension moves the end, and the hours stay', () => {
    const spec = read({
      adjustments: [{ name: 'more-time', date: '2027-02-01', kind: 'Extension', end: '2027-05-31' }],
    });
    const limits = (date: string) => limitsAt(spec, 0 as MilliGpuHours, moment(date));
    assert.equal(formatInstant(limits('2027-01-31').period.end), '2027-02-28T15:00:00Z');
    assert.equal(formatInstant(limits('2027-02-01').period.end), '2027-05-31T15:00:00Z');
    assert.equal(formatMilliGpus(limits('2027-04-01').granted), '2242560');
  });
});

describe('a charge', () => {
  it('is weight x devices x hours, times the factor where it was borrowed; reserved is always in full', () => {
    const charged = (devices: number, price: Parameters<typeof rateFor>[1], forHours: number) =>
      formatMilliGpus(milliGpuHours(chargeOver(rateFor(devices * 1000, price), forHours * hour)));
    const borrowed = { ...full(2000), chargeFactor: micros(500_000) };
    assert.equal(charged(16, full(2000), 2), '64');
    assert.equal(charged(16, borrowed, 2), '32');
    assert.equal(formatMilliGpus(milliGpuHours(costOf(16, 2000, 24))), '768');
  });

  it('of a child draws on the budget of its parent too: the stricter of the two decides', () => {
    const at = '2026-04-01';
    const own = { ...line(read({ normalizedGpuHours: '10000' }), { at, used: 1000 }), quotaName: 'kaist' };
    const roof = { ...line(read({}), { at, used: 2_242_000 }), quotaName: 'k-ai-alliance' };
    const verdict = admission([own, roof], costOf(8, 1000, 100), moment(at));
    assert.equal(verdict.outcome, 'BudgetExhausted');
    assert.equal(verdict.line.quotaName, 'k-ai-alliance');
    assert.equal(admission([own, roof], costOf(8, 1000, 70), moment(at)).outcome, 'Full');
  });
});
