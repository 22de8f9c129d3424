import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  admission,
  chargeOfHours,
  describeVerdict,
  leastCost,
  limitsAt,
  type BudgetLine,
  type BudgetSpec,
  type BudgetVerdict,
  type MilliGpuHours,
} from './index.ts';
import { budget, hours, moment } from './testing.ts';

const now = moment('2026-07-01');
const charge = (amount: string | number) => chargeOfHours(hours(amount));

interface Given {
  readonly spec?: BudgetSpec;
  readonly used?: string | number;
  readonly reserved?: string | number;
  readonly at?: number;
}

function line(quotaName: string, { spec = budget(), used = 0, reserved = 0, at = now }: Given = {}): BudgetLine {
  return { quotaName, limits: limitsAt(spec, 0 as MilliGpuHours, at), used: charge(used), reserved: charge(reserved) };
}

function decisive(verdict: BudgetVerdict): string {
  return verdict.outcome === 'Full' ? 'Full' : `${verdict.outcome} by ${verdict.line.quotaName}`;
}

const graced = budget({ grace: '0.2' });

describe('admission by one budget', () => {
  const table: Record<string, { given: Given; cost: string; at?: string; want: string }> = {
    'in full up to the budget': { given: { used: 900, reserved: 60 }, cost: '40', want: 'Full' },
    'exhausted a milli-hour beyond it, without grace': {
      given: { used: 900, reserved: 60 },
      cost: '40.001',
      want: 'BudgetExhausted',
    },
    'as borrower within the grace': {
      given: { spec: graced, used: 900, reserved: 60 },
      cost: '40.001',
      want: 'Borrower',
    },
    'as borrower up to the end of the grace': { given: { spec: graced, used: 1100 }, cost: '100', want: 'Borrower' },
    'exhausted beyond the grace': { given: { spec: graced, used: 1100 }, cost: '100.001', want: 'BudgetExhausted' },
    'what is reserved counts as what is used': {
      given: { spec: graced, reserved: 1000 },
      cost: '0.001',
      want: 'Borrower',
    },
    'not before the period starts': {
      given: { at: moment('2026-02-28') },
      cost: '1',
      at: '2026-02-28T23:59:59+09:00',
      want: 'BudgetNotStarted',
    },
    'from the first moment of the period on': { given: {}, cost: '1', at: '2026-03-01', want: 'Full' },
    'to the last moment of its last day': { given: {}, cost: '1', at: '2027-02-28T23:59:59+09:00', want: 'Full' },
    'not after it': { given: {}, cost: '1', at: '2027-03-01', want: 'BudgetExpired' },
    'an empty budget admits nothing': { given: { spec: budget({ base: 0 }) }, cost: '0.001', want: 'BudgetExhausted' },
  };
  for (const [rule, { given, cost, at = '2026-07-01', want }] of Object.entries(table)) {
    it(rule, () => assert.equal(admission([line('kaist', given)], charge(cost), moment(at)).outcome, want));
  }

  it('the least cost tells how a budget stands', () => {
    const standing = (used: string) => admission([line('kaist', { spec: graced, used })], leastCost, now).outcome;
    assert.deepEqual(['999.999', '1000', '1200'].map(standing), ['Full', 'Borrower', 'BudgetExhausted']);
  });
});

describe('admission by a chain of budgets', () => {
  const table: Record<string, { chain: BudgetLine[]; want: string }> = {
    'without budgets in full': { chain: [], want: 'Full' },
    'in full where all do': { chain: [line('kaist'), line('alliance')], want: 'Full' },
    'as borrower where the parent says so': {
      chain: [line('kaist'), line('alliance', { spec: graced, used: 1100 })],
      want: 'Borrower by alliance',
    },
    'as borrower where the child says so, whatever the parent has left': {
      chain: [line('kaist', { spec: graced, used: 1100 }), line('alliance', { spec: budget({ base: 9000 }) })],
      want: 'Borrower by kaist',
    },
    'exhausted goes before borrower': {
      chain: [line('kaist', { spec: graced, used: 1100 }), line('alliance', { used: 1000 })],
      want: 'BudgetExhausted by alliance',
    },
    'the nearest names the reason that several give': {
      chain: [line('kaist', { used: 1000 }), line('alliance', { used: 1000 })],
      want: 'BudgetExhausted by kaist',
    },
    'a parent that has not started goes before a child that has expired': {
      chain: [
        line('kaist', { spec: budget({ period: ['2025-03-01', '2026-02-28'] }) }),
        line('alliance', { spec: budget({ period: ['2027-03-01', '2028-02-29'] }) }),
      ],
      want: 'BudgetNotStarted by alliance',
    },
  };
  for (const [rule, { chain, want }] of Object.entries(table)) {
    it(rule, () => assert.equal(decisive(admission(chain, charge(50), now)), want));
  }
});

describe('the sentence of a verdict', () => {
  const table: Record<string, { given: Given; at?: string; want: string }> = {
    'exhausted: what is left, used, reserved and asked for': {
      given: { used: 800, reserved: 80 },
      want:
        'ResearchQuota kaist has 120 of 1000 normalized GPU-hours left (800 used, 80 reserved for what runs), ' +
        '240 are asked for; declare a shorter walltime, or ask for a supplement',
    },
    'borrower: also what is left with grace': {
      given: { spec: graced, used: 900 },
      want:
        'ResearchQuota kaist has 100 (300 with grace) of 1000 normalized GPU-hours left (900 used, 0 reserved for ' +
        'what runs), 240 are asked for: admitted on its grace, so it may be reclaimed at any time',
    },
    'beyond the grace nothing is left': {
      given: { spec: graced, used: 1300 },
      want:
        'ResearchQuota kaist has 0 (0 with grace) of 1000 normalized GPU-hours left (1300 used, 0 reserved for what ' +
        'runs), 240 are asked for; declare a shorter walltime, or ask for a supplement',
    },
    'not started: when it starts': {
      given: {},
      at: '2026-02-01',
      want: 'the budget of ResearchQuota kaist starts at 2026-02-28T15:00:00Z',
    },
    'expired: when it ended, and what to do': {
      given: {},
      at: '2027-04-01',
      want: 'the budget of ResearchQuota kaist ended at 2027-02-28T15:00:00Z; ask for an extension or for a next period',
    },
  };
  for (const [rule, { given, at = '2026-07-01', want }] of Object.entries(table)) {
    it(rule, () => {
      const verdict = admission([line('kaist', given)], charge(240), moment(at));
      assert.ok(verdict.outcome !== 'Full');
      assert.equal(describeVerdict(verdict), want);
    });
  }
});

describe('admission is monotone', () => {
  const amount = fc.nat(2000);
  const given = fc.record({
    base: amount,
    grace: fc.constantFrom('0', '0.2', '1'),
    used: amount,
    reserved: amount,
    start: fc.constantFrom('2026-03-01', '2026-09-01'),
  });
  const lineOf = (g: { base: number; grace: string; used: number; reserved: number; start: string }) =>
    line('any', {
      spec: budget({ base: g.base, grace: g.grace, period: [g.start, '2027-02-28'] }),
      used: g.used,
      reserved: g.reserved,
    });
  const order = ['Full', 'Borrower', 'BudgetExhausted', 'BudgetExpired', 'BudgetNotStarted'];
  const strictness = (lines: readonly BudgetLine[], cost: number) =>
    order.indexOf(admission(lines, charge(cost), now).outcome);

  it('more cost, more use or one more budget never admits more, a supplement never less', () => {
    fc.assert(
      fc.property(
        fc.array(given, { minLength: 1, maxLength: 4 }),
        amount,
        given,
        fc.nat(500),
        ([own, ...above], cost, other, more) => {
          const rest = above.map(lineOf);
          const before = strictness([lineOf(own!), ...rest], cost);
          assert.ok(strictness([lineOf(own!), ...rest], cost + more) >= before);
          assert.ok(strictness([lineOf({ ...own!, used: own!.used + more }), ...rest], cost) >= before);
          assert.ok(strictness([lineOf({ ...own!, reserved: own!.reserved + more }), ...rest], cost) >= before);
          assert.ok(strictness([lineOf(own!), ...rest, lineOf(other)], cost) >= before);
          assert.ok(strictness([lineOf({ ...own!, base: own!.base + more }), ...rest], cost) <= before);
        },
      ),
    );
  });
});
