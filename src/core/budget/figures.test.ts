import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatMilliGpus } from '../units/index.ts';
import { budgetFigures, chargeOfHours, limitsAt, warningsBetween, type Charge } from './index.ts';
import { budget, hours, moment } from './testing.ts';

const now = moment('2026-07-01');

describe('the figures of a budget', () => {
  it('add up as they are shown, negative in grace', () => {
    const limits = limitsAt(budget({ grace: '0.2' }), hours(100), now);
    const used = (chargeOfHours(hours('1050.999')) + 1n) as Charge;
    const got = budgetFigures(limits, used, chargeOfHours(hours('60.5')));
    const { granted, carriedOver, used: usedHours, reserved, remaining } = got;
    const shown = [granted, carriedOver, usedHours, reserved, remaining].map(formatMilliGpus);
    assert.deepEqual(shown, ['1000', '100', '1050.999', '60.5', '-11.499']);
  });
});

describe('warnings of use', () => {
  const use = (used: string, granted = 1000) => ({ granted: hours(granted), carriedOver: hours(0), used: hours(used) });
  const table: Record<string, { before?: ReturnType<typeof use>; after: ReturnType<typeof use>; want: number[] }> = {
    'none below 80 %': { before: use('10'), after: use('799.999'), want: [] },
    'at 80 % exactly': { before: use('799.999'), after: use('800'), want: [80] },
    'not again while it stays reached': { before: use('800'), after: use('899'), want: [] },
    'at 90 %': { before: use('800'), after: use('900'), want: [90] },
    'at 100 %': { before: use('999'), after: use('1000'), want: [100] },
    'not again in grace': { before: use('1000'), after: use('1150'), want: [] },
    'each that a jump passes': { before: use('10'), after: use('1001'), want: [80, 90, 100] },
    'of all that is reached when nothing was published yet': { after: use('950'), want: [80, 90] },
    'again after a supplement made room': { before: use('850', 2000), after: use('1700', 2000), want: [80] },
    'when a reduction, not use, brings the mark nearer': { before: use('500'), after: use('500', 600), want: [80] },
    'none of an empty budget that nobody used': { after: use('0', 0), want: [] },
    'all of an empty budget that somebody used': { after: use('0.001', 0), want: [80, 90, 100] },
  };
  for (const [rule, { before, after, want }] of Object.entries(table)) {
    it(rule, () => assert.deepEqual(warningsBetween(before, after), want));
  }

  it('counts what was carried over as part of the budget', () => {
    const carried = { ...use('800'), carriedOver: hours(1) };
    assert.deepEqual(warningsBetween(undefined, carried), []);
  });
});
