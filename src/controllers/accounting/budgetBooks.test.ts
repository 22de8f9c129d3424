import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { chargeOfHours, noCharge, type BudgetSpec } from '../../core/budget/index.ts';
import { hours } from '../../core/budget/testing.ts';
import { fleetOf, gpus, quota } from '../../core/testing/world.ts';
import { micros, oneMicro } from '../../core/units/index.ts';
import { Tally, type Store, type UsageRow } from '../../ledger/index.ts';
import type { Bookkeeper } from './bookkeeper.ts';
import { BudgetBooks } from './budgetBooks.ts';

const begin = Date.parse('2026-06-01T00:00:00Z');
const day = 86_400_000;
const hour = 3_600_000;
const now = begin + day;

/** One device held for so many hours. */
const usage = (held: number): readonly UsageRow[] => [
  {
    account: { pool: 'national', timeZone: 'UTC', quotas: ['a'] },
    ...{ class: 'h200', weight: gpus(1), kind: 'Guaranteed', chargeFactor: oneMicro, user: undefined, slot: undefined },
    deviceMs: BigInt(held * hour * 1000),
  },
];
const storeThatSays = (held: number) => ({ usage: () => Promise.resolve(usage(held)) }) as unknown as Store;

const terms: BudgetSpec = {
  base: hours(100),
  period: { start: begin, end: begin + 30 * day },
  carryoverFraction: micros(0),
  graceFraction: micros(0),
  adjustments: [],
};
const noBookkeeper = { endPeriod: () => undefined } as unknown as Bookkeeper;

describe('what is known of a budget', () => {
  const table: Record<string, { budget: BudgetSpec; want: number }> = {
    'stays while the store is asked again, after the hours of the period have changed': {
      budget: { ...terms, base: hours(200) },
      want: 40,
    },
    'stays after the period has been extended': {
      budget: { ...terms, period: { start: begin, end: begin + 60 * day } },
      want: 40,
    },
    'is nothing of a period that begins later': {
      budget: { ...terms, period: { start: begin + day, end: begin + 31 * day } },
      want: 0,
    },
  };
  for (const [rule, { budget, want }] of Object.entries(table)) {
    it(rule, async () => {
      const policyOf = (spec: BudgetSpec) =>
        fleetOf({ quotas: [quota('a', 8, { budget: spec })] }).snapshot(now).policy;
      const books = new BudgetBooks(new Tally([]), noBookkeeper, () => undefined);
      books.follow(policyOf(terms), now);
      assert.deepEqual(await books.settle(storeThatSays(40)), ['a']);
      assert.equal(books.of('a', now).used, chargeOfHours(hours(40)));
      books.follow(policyOf(budget), now);
      assert.equal(books.unsettled, true);
      assert.equal(books.of('a', now).used, want === 0 ? noCharge : chargeOfHours(hours(want)));
      assert.deepEqual(await books.settle(storeThatSays(41)), ['a']);
      assert.equal(books.unsettled, false);
    });
  }
});
