import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resource } from '../../../test/support/fleet.ts';
import { investmentSpecOf, isUnreadable, poolSpecOf, quotaSpecOf } from './index.ts';

const selector = { matchLabels: { product: 'H200' } };
const h200 = { name: 'h200', nodeSelector: selector, weight: '1' };

describe('a manifest as the core reads it', () => {
  it('a pool: weights in milli-GPUs, kilowatts in watts, durations in milliseconds, defaults filled in', () => {
    const pool = resource('GpuPool', 'national', {
      spec: {
        acceleratorClasses: [{ ...h200, weight: '0.25', powerWatts: 700 }],
        contributions: [{ quotaName: 'kist', nodeSelector: selector, retainedFraction: '0.2487' }],
        sites: [{ name: 'daejeon', nodeSelector: selector, powerLimitKilowatts: '1.5' }],
        publicFloor: '0.3',
        scheduling: { reclaim: { notice: '90s' } },
      },
    });
    const inProduct = [{ key: 'product', operator: 'In', values: ['H200'] }];
    assert.deepEqual(poolSpecOf(pool), {
      name: 'national',
      generation: 1,
      classes: [
        { name: 'h200', resourceName: 'nvidia.com/gpu', nodeSelector: inProduct, weight: 250, powerWatts: 700 },
      ],
      contributions: [{ quotaName: 'kist', nodeSelector: inProduct, retainedFraction: 248_700 }],
      topologyLevels: [],
      sites: [{ name: 'daejeon', nodeSelector: inProduct, powerLimitWatts: 1500 }],
      isolate: false,
      publicFloor: 300_000,
      placement: 'Pack',
      minRuntime: 900_000,
      notice: 90_000,
      backfill: true,
      fairShare: { halfLife: 604_800_000, historyWeight: 1_000_000, preemption: 'Never' },
      timeZone: 'UTC',
      borrowedChargeFactor: 1_000_000,
      milestones: [],
    });
  });

  it('a quota: what is absent is no limit', () => {
    const quota = resource('ResearchQuota', 'kaist', {
      spec: { poolName: 'national', capacity: { guaranteed: 64, classes: [{ name: 'b200', max: 8 }] }, weight: '1.5' },
    });
    assert.deepEqual(quotaSpecOf(quota, 'UTC'), {
      name: 'kaist',
      generation: 1,
      createdAt: Date.parse('2026-01-01T00:00:00Z'),
      poolName: 'national',
      parentName: undefined,
      namespaceSelector: undefined,
      tier: 'Research',
      weight: 1500,
      guaranteed: 64_000,
      borrowingLimit: undefined,
      lendingLimit: undefined,
      perUserMax: undefined,
      classes: [{ name: 'b200', guaranteed: 0, max: 8 }],
      maxWorkloadGpus: undefined,
      maxWalltime: undefined,
      defaultWalltime: undefined,
      budget: undefined,
      suspend: false,
    });
  });

  it('an investment: bare dates are days of the time zone of the pool, the last one included', () => {
    const term = { start: '2026-04-01', end: '2026-04-30' };
    const deal = resource('MatchingInvestment', 'deal', { spec: { poolName: 'national', investorName: 'a', term } });
    const spec = investmentSpecOf(deal, 'Asia/Seoul');
    assert.ok(!isUnreadable(spec));
    assert.equal(new Date(spec.termStart).toISOString(), '2026-03-31T15:00:00.000Z');
    assert.equal(new Date(spec.termEnd).toISOString(), '2026-04-30T15:00:00.000Z');
  });

  it('an investment without a term is always in force', () => {
    const deal = resource('MatchingInvestment', 'deal', { spec: { poolName: 'national', investorName: 'a' } });
    const spec = investmentSpecOf(deal, 'UTC');
    assert.ok(!isUnreadable(spec));
    assert.deepEqual([spec.termStart, spec.termEnd], [-Infinity, Infinity]);
  });

  it('selectors keep every operator', () => {
    const matchExpressions = [
      { key: 'zone', operator: 'NotIn', values: ['a', 'b'] },
      { key: 'gpu', operator: 'Exists' },
    ];
    const quota = resource('ResearchQuota', 'q', {
      spec: { poolName: 'p', namespaceSelector: { matchLabels: { team: 'x' }, matchExpressions } },
    });
    const spec = quotaSpecOf(quota, 'UTC');
    assert.ok(!isUnreadable(spec));
    assert.deepEqual(spec.namespaceSelector, [
      { key: 'team', operator: 'In', values: ['x'] },
      { key: 'zone', operator: 'NotIn', values: ['a', 'b'] },
      { key: 'gpu', operator: 'Exists', values: [] },
    ]);
  });

  const pool = (spec: object) => resource('GpuPool', 'p', { spec: { acceleratorClasses: [h200], ...spec } });
  const investment = (term: object) =>
    resource('MatchingInvestment', 'i', { spec: { poolName: 'p', investorName: 'q', term } });
  const unreadable: Record<string, { spec: object; says: string }> = {
    'a time zone that does not exist': {
      spec: poolSpecOf(pool({ accounting: { timeZone: 'Mars/Base' } })),
      says: 'spec.accounting.timeZone: there is no time zone Mars/Base, write an IANA name such as Asia/Seoul',
    },
    'a weight too large to add up': {
      spec: poolSpecOf(pool({ acceleratorClasses: [{ ...h200, weight: 10_001 }] })),
      says: 'spec.acceleratorClasses[h200].weight: 10001 is too much, write at most 10000',
    },
    'a term that the time zone of the pool turns round': {
      spec: investmentSpecOf(investment({ start: '2026-03-01T10:00:00Z', end: '2026-02-28' }), 'UTC'),
      says: "spec.term.end: must come after spec.term.start in the pool's time zone, UTC",
    },
  };
  for (const [rule, { spec, says }] of Object.entries(unreadable)) {
    it(`${rule} is told with the field`, () => {
      assert.deepEqual({ ...spec, name: '', generation: 0 }, { name: '', generation: 0, problem: says });
    });
  }
});
