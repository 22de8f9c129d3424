import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatInstant, milli, oneMicro } from '../units/index.ts';
import {
  chargeOfHours,
  chargeOver,
  forecastExhaustion,
  limitsAt,
  rateFor,
  type Adjustment,
  type BudgetSpec,
  type Charge,
  type ChargeRate,
} from './index.ts';
import { budget, extension, hours, moment, reduction, supplement } from './testing.ts';

/** So many normalized GPUs in use. */
const using = (gpus: number) => rateFor(gpus * 1000, { weight: milli(1000), chargeFactor: oneMicro });

interface Example {
  spec?: BudgetSpec;
  used?: number;
  carried?: number;
  gpus: number;
  now?: string;
  want: string | undefined;
}

describe('the forecast of exhaustion', () => {
  const spring = { period: ['2026-03-01', '2026-03-31'] } as const;
  const table: Record<string, Example> = {
    'what is left at the present rate': { used: 760, gpus: 10, now: '2026-07-01', want: '2026-07-01T15:00:00Z' },
    'grace is left aside, what was carried over is not': {
      spec: budget({ grace: '0.2' }),
      used: 760,
      carried: 240,
      gpus: 10,
      now: '2026-07-01',
      want: '2026-07-02T15:00:00Z',
    },
    'from the start on, where the period has not begun': { gpus: 100, now: '2026-01-01', want: '2026-03-01T01:00:00Z' },
    'none while nothing runs': { used: 999, gpus: 0, want: undefined },
    'none when it lasts to the end of the period': { spec: budget(spring), gpus: 1, want: undefined },
    'none that falls on the very end': { spec: budget({ base: 744, ...spring }), gpus: 1, want: undefined },
    'a millisecond more of a milli-hour is before the end': {
      spec: budget({ base: 743, ...spring }),
      gpus: 1,
      want: '2026-03-31T14:00:00Z',
    },
    'none when it is used up already': { used: 1000, gpus: 1, now: '2026-07-01', want: undefined },
    'none after the period': { gpus: 1, now: '2027-03-01', want: undefined },
    'a supplement that is written counts from its date': {
      spec: budget({ adjustments: [supplement('2026-03-02', 240)] }),
      gpus: 20,
      want: '2026-03-03T05:00:00Z',
    },
    'a supplement that comes too late does not': {
      spec: budget({ adjustments: [supplement('2026-03-04', 240)] }),
      gpus: 20,
      want: '2026-03-02T17:00:00Z',
    },
    'a reduction may use it up on its date': {
      spec: budget({ adjustments: [reduction('2026-03-02', 900)] }),
      gpus: 10,
      want: '2026-03-01T15:00:00Z',
    },
    'an extension in time makes it run out': {
      spec: budget({ base: 800, ...spring, adjustments: [extension('2026-03-15', '2026-04-30')] }),
      gpus: 1,
      want: '2026-04-02T23:00:00Z',
    },
  };
  for (const [rule, example] of Object.entries(table)) {
    it(rule, () => {
      const { spec = budget(), used = 0, carried = 0, gpus, now = '2026-03-01', want } = example;
      const use = { carriedOver: hours(carried), used: chargeOfHours(hours(used)), rate: using(gpus) };
      const got = forecastExhaustion(spec, use, moment(now));
      assert.equal(got === undefined ? undefined : formatInstant(got), want);
    });
  }

  it('is the first moment at which use reaches the budget, and stays while the rate stays', () => {
    const dates = ['2026-03-01', '2026-03-03', '2026-03-10'] as const;
    const adjustment = fc
      .record({
        kind: fc.constantFrom('Supplement', 'Reduction'),
        date: fc.constantFrom(...dates),
        amount: fc.nat(400),
      })
      .map(({ kind, date, amount }): Adjustment => ({ kind, at: moment(date), hours: hours(amount) }));
    fc.assert(
      fc.property(
        fc.array(adjustment, { maxLength: 5 }).map((list) => list.sort((a, b) => a.at - b.at)),
        fc.integer({ min: 1, max: 30 }),
        fc.nat(10),
        (adjustments, gpus, days) => {
          const spec = budget({ adjustments, period: ['2026-03-01', '2026-03-20'] });
          const { start, end } = spec.period;
          const rate: ChargeRate = using(gpus);
          const usedAt = (at: number): Charge => chargeOver(rate, at - start);
          const reached = (at: number) => usedAt(at) >= limitsAt(spec, hours(0), at).softCharge;
          const forecast = (at: number) =>
            forecastExhaustion(spec, { carriedOver: hours(0), used: usedAt(at), rate }, at);

          const got = forecast(start);
          const later = start + days * 86_400_000;
          if (reached(start)) {
            assert.equal(got, undefined);
            return;
          }
          // Use grows and limits move on a few dates only: it is enough to look at those and at the forecast itself.
          const moments = [...dates.map(moment), end].flatMap((at) => [at - 1, at]).filter((at) => at >= start);
          for (const at of moments) assert.ok(at >= (got ?? end) || !reached(at), formatInstant(at));
          if (got === undefined) return;
          assert.ok(reached(got) && got < end);
          assert.ok(!reached(got - 1));
          if (later < got) assert.equal(forecast(later), got);
        },
      ),
    );
  });
});
