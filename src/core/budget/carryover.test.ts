import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatMilliGpus } from '../units/index.ts';
import {
  carriedOver,
  chargeOfHours,
  endAt,
  historyAfter,
  type Adjustment,
  type BudgetSpec,
  type Charge,
  type PeriodHistory,
} from './index.ts';
import { budget, extension, hours, moment, reduction, supplement } from './testing.ts';

const zone = 'Asia/Seoul';
const year = (from: number, more: Parameters<typeof budget>[0] = {}) =>
  budget({ carry: '0.5', period: [`${from}-03-01`, `${from + 1}-02-${from % 4 === 3 ? 29 : 28}`], ...more });
const charge = (amount: string | number) => chargeOfHours(hours(amount));

/** What passes into `next`, from the period before with so much used. */
function carried(last: BudgetSpec, used: string | number, next: BudgetSpec): string {
  return formatMilliGpus(carriedOver(next, { terms: last, used: charge(used) }, zone));
}

describe('what is carried over', () => {
  const first = year(2026);
  const table: Record<string, { last?: BudgetSpec; used: string | number; next?: BudgetSpec; want: string }> = {
    'the unused base': { used: 800, want: '200' },
    'at most the fraction of the base': { used: 300, want: '500' },
    'nothing of a base that is used up': { used: 1100, want: '0' },
    'nothing without a fraction': { last: year(2026, { carry: '0' }), used: 0, want: '0' },
    'by the fraction that the last period had': { used: 0, next: year(2027, { carry: '1' }), want: '500' },
    'also after a gap': { used: 800, next: year(2029), want: '200' },
    'also into a year with a 29th of February': { used: 800, next: year(2027), want: '200' },
    'nothing into a period of another length': {
      used: 800,
      next: budget({ period: ['2027-03-01', '2027-08-31'] }),
      want: '0',
    },
    'from February to March, both a month': {
      last: budget({ carry: '1', period: ['2026-02-01', '2026-02-28'] }),
      used: 800,
      next: budget({ period: ['2026-03-01', '2026-03-31'] }),
      want: '200',
    },
    'from thirty days to thirty days': {
      last: budget({ carry: '1', period: ['2026-04-01', '2026-04-30'] }),
      used: 800,
      next: budget({ period: ['2026-05-11', '2026-06-09'] }),
      want: '200',
    },
    'nothing into a period that starts before the last one ended': {
      used: 800,
      next: budget({ period: ['2027-02-28', '2028-02-27'] }),
      want: '0',
    },
    'no supplement: use counts against the base first': {
      used: 800,
      next: year(2027, { adjustments: [supplement('2026-07-01', 300)] }),
      want: '200',
    },
    'no base that was taken away': {
      used: 500,
      next: year(2027, { adjustments: [supplement('2026-07-01', 100), reduction('2026-08-01', 300)] }),
      want: '300',
    },
    'whatever the new period is given': {
      used: 800,
      next: year(2027, { base: 10, adjustments: [reduction('2027-03-01', 5)] }),
      want: '200',
    },
    'nothing from within an extension of the last period': {
      used: 800,
      next: year(2027, { adjustments: [extension('2027-01-10', '2027-05-31')] }),
      want: '0',
    },
    'after an extension by the length that was written': {
      used: 800,
      next: budget({ period: ['2027-06-01', '2028-05-31'], adjustments: [extension('2027-01-10', '2027-05-31')] }),
      want: '200',
    },
    'rounded down to the milli-hour': {
      last: year(2026, { base: 1, carry: '0.333333' }),
      used: 0,
      want: '0.333',
    },
  };
  for (const [rule, { last = first, used, next = year(2027), want }] of Object.entries(table)) {
    it(rule, () => assert.equal(carried(last, used, next), want));
  }

  it('is nothing in the first period', () => assert.equal(carriedOver(first, undefined, zone), 0));

  it('counts time with changes of the clock as people do', () => {
    const berlin = 'Europe/Berlin';
    const at = (date: string) => Date.parse(`${date}:00Z`);
    // Seven days each; in the second week clocks go forward.
    const last = { ...first, period: { start: at('2026-03-15T23:00'), end: at('2026-03-22T23:00') } };
    const next = { ...first, period: { start: at('2026-03-22T23:00'), end: at('2026-03-29T22:00') } };
    assert.equal(carriedOver(next, { terms: last, used: charge(800) }, berlin), hours(200));
    assert.equal(carriedOver(next, { terms: last, used: charge(800) }, 'UTC'), 0);
  });
});

describe('the periods that are kept', () => {
  const history = (...specs: BudgetSpec[]) =>
    specs.reduce<PeriodHistory | undefined>((kept, spec) => historyAfter(kept, spec), undefined);
  const starts = (kept: PeriodHistory | undefined) =>
    [kept?.previous, kept?.current].map(
      (terms) => terms && new Date(terms.period.start + 9 * 3_600_000).getUTCFullYear(),
    );

  it('a period that starts where the last one ended, or later, follows it', () => {
    assert.deepEqual(starts(history(year(2026))), [undefined, 2026]);
    assert.deepEqual(starts(history(year(2026), year(2027))), [2026, 2027]);
    assert.deepEqual(starts(history(year(2026), year(2027), year(2030))), [2027, 2030]);
  });

  it('reading the same again changes nothing', () => {
    const once = history(year(2026), year(2027));
    assert.deepEqual(historyAfter(once, year(2027)), once);
  });

  it('any other edit corrects the period', () => {
    const longer = budget({ base: 2000, period: ['2027-03-01', '2028-08-31'] });
    const kept = history(year(2026), year(2027), longer)!;
    assert.deepEqual(starts(kept), [2026, 2027]);
    assert.equal(kept.current.base, longer.base);
  });

  it('a mistaken year that is put right leaves the period before in place', () => {
    assert.deepEqual(starts(history(year(2026), year(2036), year(2027))), [2026, 2027]);
  });

  it('a period that goes back to the one before carries nothing from itself', () => {
    const kept = history(year(2026), year(2036), year(2026))!;
    assert.equal(carriedOver(year(2026), { terms: kept.previous!, used: charge(0) }, zone), 0);
  });
});

describe('carry-over as a law', () => {
  it('never exceeds the fraction or the unused base, and what was carried never passes on', () => {
    const entry = fc
      .record({ reduce: fc.boolean(), month: fc.integer({ min: 1, max: 46 }), amount: fc.nat(800) })
      .map(({ reduce, month, amount }): Adjustment => {
        const date = new Date(Date.UTC(2026, 2 + month, 1)).toISOString().slice(0, 10);
        return reduce ? reduction(date, amount) : supplement(date, amount);
      });
    fc.assert(
      fc.property(
        fc.array(fc.nat(3000), { minLength: 4, maxLength: 4 }),
        fc.constantFrom('0', '0.25', '0.5', '1'),
        fc.array(entry, { maxLength: 6 }).map((list) => list.sort((a, b) => a.at - b.at)),
        (used, carry, adjustments) => {
          let kept: PeriodHistory | undefined;
          for (const [i, usedBefore] of [0, ...used].entries()) {
            const spec = year(2026 + i, { carry, adjustments });
            kept = historyAfter(kept, spec);
            const last = kept.previous && { terms: kept.previous, used: charge(usedBefore) };
            const amount = carriedOver(spec, last, zone);
            // The bound knows nothing of what the last period itself had carried over.
            assert.ok(amount <= Number(carry) * spec.base);
            assert.ok(amount <= Math.max(0, spec.base - hours(usedBefore)));
            if (i === 0) assert.equal(amount, 0);
            if (last === undefined) continue;
            const more = { ...last, used: (last.used + charge(1)) as Charge };
            assert.ok(carriedOver(spec, more, zone) <= amount);
            assert.ok(endAt(spec, moment('2040-01-01')) > spec.period.start);
          }
        },
      ),
    );
  });
});
