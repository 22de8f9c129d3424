import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chargeOfHours, noCharge, type BudgetSpec, type MilliGpuHours } from '../budget/index.ts';
import type { Fleet, PodFacts, QuotaSpec } from '../snapshot/index.ts';
import { fleetOf, node, pod, quota } from '../testing/world.ts';
import { micros } from '../units/index.ts';
import { plan } from './index.ts';

const hour = 3_600_000;
const now = 1000 * hour;
const hours = (count: number) => (count * 1000) as MilliGpuHours;

/** A budget whose period is running. */
function budget(base: number, more: Partial<BudgetSpec> = {}): BudgetSpec {
  return {
    base: hours(base),
    period: { start: now - 100 * hour, end: now + 100 * hour },
    carryoverFraction: micros(0),
    graceFraction: micros(0),
    adjustments: [],
    ...more,
  };
}

const grace = { graceFraction: micros(500_000) };
/** Its devices for an hour. */
const asks = (namespace: string, devices: number, more: Parameters<typeof pod>[2] = {}) =>
  pod(namespace, devices, { walltime: hour, ...more });
const runs = (namespace: string, devices: number, more: Parameters<typeof pod>[2] = {}) =>
  asks(namespace, devices, { nodeName: 'n0', phase: 'Running', boundAt: now - hour / 2, ...more });

interface Case {
  readonly quotas: readonly QuotaSpec[];
  readonly pods: readonly PodFacts[];
  /** Hours used by quota name. */
  readonly used?: Readonly<Record<string, number>>;
  readonly nodes?: number;
}

function stage({ quotas, pods, used = {}, nodes = 4 }: Case): Fleet {
  const fleet = fleetOf({ quotas, pods, nodes: Array.from({ length: nodes }, (_, i) => node(`n${i}`)) });
  fleet.budgetUse = (name) => ({
    used: used[name] === undefined ? noCharge : chargeOfHours(hours(used[name])),
    carriedOver: hours(0),
  });
  return fleet;
}

/** What started, in order, with a star for what a budget admitted as a borrower; then what waits and why. */
function outcome(world: Case): readonly string[] {
  const made = plan(stage(world).snapshot(now), now, { maxPods: 1000 });
  return [
    ...made.admit.map(({ workload, asBorrower }) => `${workload.pods[0]!.name}${asBorrower ? '*' : ''}`),
    ...made.waiting
      .flatMap(({ workloads, reason }) => workloads.map(({ pods }) => `${pods[0]!.name} ${reason}`))
      .sort(),
  ];
}

const table: Record<string, { world: Case; want: readonly string[] }> = {
  'what fits with its whole walltime starts in full, then on the grace as a borrower, then not': {
    world: {
      quotas: [quota('kaist', 32, { budget: budget(10, grace) })],
      pods: [asks('kaist', 8, { name: 'a' }), asks('kaist', 6, { name: 'b' }), asks('kaist', 2, { name: 'c' })],
    },
    want: ['a', 'b*', 'c BudgetExhausted'],
  },
  'a smaller one behind one that is refused still starts': {
    world: {
      quotas: [quota('kaist', 32, { budget: budget(10) })],
      pods: [asks('kaist', 8, { name: 'a' }), asks('kaist', 4, { name: 'b' }), asks('kaist', 2, { name: 'c' })],
    },
    want: ['a', 'c', 'b BudgetExhausted'],
  },
  'what has been used counts, and so does the walltime left of what runs': {
    world: {
      quotas: [quota('kaist', 32, { budget: budget(10) })],
      used: { kaist: 4 },
      pods: [runs('kaist', 8, { name: 'r' }), asks('kaist', 3, { name: 'a' }), asks('kaist', 2, { name: 'b' })],
    },
    want: ['b', 'a BudgetExhausted'],
  },
  'a budget above binds children together, and those without any are free': {
    world: {
      quotas: [
        quota('alliance', 0, { budget: budget(5) }),
        quota('kaist', 0, { parentName: 'alliance' }),
        quota('snu', 0, { parentName: 'alliance', budget: budget(100) }),
        quota('kist', 0),
      ],
      pods: [
        asks('kaist', 4, { name: 'a' }),
        asks('snu', 4, { name: 'b' }),
        asks('kist', 8, { name: 'c' }),
        asks('snu', 1, { name: 'd' }),
      ],
    },
    want: ['a', 'c', 'd', 'b BudgetExhausted'],
  },
  'before its period nothing starts, after it neither': {
    world: {
      quotas: [
        quota('soon', 8, { budget: budget(100, { period: { start: now + hour, end: now + 2 * hour } }) }),
        quota('gone', 8, { budget: budget(100, { period: { start: now - 2 * hour, end: now } }) }),
      ],
      pods: [asks('soon', 1, { name: 'a' }), asks('gone', 1, { name: 'b' })],
    },
    want: ['a BudgetNotStarted', 'b BudgetExpired'],
  },
  'a period that is over is told before a gang that is incomplete, an exhausted budget is not': {
    world: {
      quotas: [
        quota('gone', 8, { budget: budget(100, { period: { start: now - 2 * hour, end: now } }) }),
        quota('spent', 8, { budget: budget(0) }),
      ],
      pods: [
        asks('gone', 1, { name: 'a', gangOf: ['g', 2] }),
        asks('spent', 1, { name: 'b', gangOf: ['g', 2] }),
        asks('spent', 1, { name: 'c' }),
      ],
    },
    want: ['a BudgetExpired', 'b GangIncomplete', 'c BudgetExhausted'],
  },
  'a supplement counts from its date on': {
    world: {
      quotas: [
        quota('kaist', 8, {
          budget: budget(0, {
            adjustments: [
              { kind: 'Supplement', at: now - hour, hours: hours(2) },
              { kind: 'Supplement', at: now + hour, hours: hours(100) },
            ],
          }),
        }),
      ],
      pods: [asks('kaist', 2, { name: 'a' }), asks('kaist', 1, { name: 'b' })],
    },
    want: ['a', 'b BudgetExhausted'],
  },
  'nobody waits for a budget that pays for nothing': {
    world: {
      quotas: [quota('late', 8, { budget: budget(0) }), quota('kist', 8)],
      used: {},
      nodes: 1,
      pods: [asks('late', 8, { name: 'a' }), asks('kist', 8, { name: 'b' })],
    },
    want: ['b', 'a BudgetExhausted'],
  },
};

describe('budgets decide what starts', () => {
  for (const [rule, { world, want }] of Object.entries(table)) {
    it(rule, () => assert.deepEqual(outcome(world), want));
  }
});

describe('what a budget admitted as a borrower', () => {
  const graced = quota('graced', 16, { budget: budget(8, grace) });
  const borrower = runs('graced', 8, { name: 'r', borrower: true, walltime: 100 * hour });

  it('is reclaimed by who is within guarantee, though its own quota is within its guarantee as well', () => {
    const world = { quotas: [graced, quota('kist', 8)], nodes: 1, pods: [borrower, asks('kist', 8, { name: 'a' })] };
    const { evict, waiting } = plan(stage(world).snapshot(now), now, { maxPods: 1000 });
    assert.deepEqual(
      evict.map(({ victim, cause }) => [victim.pods[0]!.pod.name, cause]),
      [['r', 'Reclaim']],
    );
    assert.deepEqual(waiting[0]?.reason, 'WaitingForReclaim');
  });

  it('has no right to reclaim itself', () => {
    const world = {
      quotas: [graced, quota('kist', 0)],
      used: { graced: 8 },
      nodes: 1,
      pods: [runs('kist', 8, { name: 'r', walltime: 100 * hour }), asks('graced', 4, { name: 'a' })],
    };
    assert.deepEqual(plan(stage(world).snapshot(now), now, { maxPods: 1000 }).evict, []);
  });

  it('counts as borrowed from the moment of the decision, and the plan leaves no trace of having tried', () => {
    const fleet = stage({ quotas: [graced], used: { graced: 8 }, pods: [asks('graced', 4, { name: 'a' })] });
    const borrowedNow = () => fleet.snapshot(now).policy.pools[0]!.tree.borrowed(0);
    const { admit } = plan(fleet.snapshot(now), now, { maxPods: 1000 });
    assert.deepEqual([admit[0]?.asBorrower, borrowedNow()], [true, 0]);
    fleet.assume('uid-a', { nodeName: 'n0', since: now, borrower: true });
    assert.equal(borrowedNow(), 4000);
    fleet.forget('uid-a');
    assert.equal(borrowedNow(), 0);
  });
});
