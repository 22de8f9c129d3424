import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fleetOf, nodeFacts, podFacts, resource, type FleetParts } from '../../../test/support/fleet.ts';
import { milli, parseMilliGpus } from '../units/index.ts';
import {
  figuresOf,
  investmentStatus,
  noAccessRecord,
  poolStatus,
  quotaStatus,
  type ConditionValue,
  type PowerWait,
} from './index.ts';

const now = Date.parse('2026-06-01T00:00:00Z');
const h200 = { name: 'h200', nodeSelector: { matchLabels: { product: 'H200' } }, weight: '1', powerWatts: 700 };
const b200 = { name: 'b200', nodeSelector: { matchLabels: { product: 'B200' } }, weight: '2', powerWatts: 1000 };

function pool(more: object = {}) {
  return resource('GpuPool', 'national', { spec: { acceleratorClasses: [h200, b200], ...more } });
}

/** A quota that pays for the namespace of its own name. */
function quota(name: string, capacity: object = {}, more: object = {}) {
  const spec = { poolName: 'national', namespaceSelector: { matchLabels: { team: name } }, capacity, ...more };
  return resource('ResearchQuota', name, { spec });
}

function namespaces(...names: string[]) {
  return names.map((name) => ({ name, labels: { team: name } }));
}

function nodes(count: number, options: Parameters<typeof nodeFacts>[1] = {}, prefix = 'node') {
  return Array.from({ length: count }, (_, i) => nodeFacts(`${prefix}-${i}`, options));
}

function pictureOf(parts: FleetParts) {
  return figuresOf(fleetOf(parts).snapshot(now));
}

function statusOfPool(parts: FleetParts) {
  const figures = pictureOf(parts);
  return poolStatus(figures, figures.policy.pools[0]!)!;
}

function statusOfQuota(parts: FleetParts, name: string) {
  const figures = pictureOf(parts);
  return quotaStatus(figures, figures.policy.quotas.get(name)!);
}

function statusOfInvestment(parts: FleetParts) {
  const figures = pictureOf(parts);
  return investmentStatus(figures, [...figures.policy.investments.values()][0]!, { record: noAccessRecord, now });
}

/** A condition as `type=status reason`. */
function short(conditions: readonly ConditionValue[]): string[] {
  return conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`);
}

describe('the status of a pool', () => {
  it('counts all devices, and as free only those that a pod could get now', () => {
    const { figures } = statusOfPool({
      pools: [pool()],
      nodes: [
        nodeFacts('busy'),
        nodeFacts('idle'),
        nodeFacts('cordoned', { cordoned: true }),
        nodeFacts('down', { ready: false }),
        nodeFacts('without', { allocatable: { pods: 110 } }),
        nodeFacts('other', { labels: {} }),
        nodeFacts('b', { labels: { product: 'B200' }, allocatable: { 'nvidia.com/gpu': 4 } }),
      ],
      pods: [podFacts('stranger', 6, 'busy'), podFacts('stranger', 1, 'cordoned'), podFacts('stranger', 2, 'down')],
    });
    assert.deepEqual(figures.nodes, { total: 5, ready: 4 });
    assert.deepEqual(figures.capacity, {
      gpus: 36,
      normalizedGpus: '40',
      allocatedGpus: 9,
      freeGpus: 14,
      guaranteed: '0',
      entitled: '0',
      public: '40',
    });
    assert.deepEqual(figures.classes, [
      { name: 'h200', nodes: 4, gpus: 32, readyGpus: 24, allocatedGpus: 9, freeGpus: 10, largestFreeNode: 8 },
      { name: 'b200', nodes: 1, gpus: 4, readyGpus: 4, allocatedGpus: 0, freeGpus: 4, largestFreeNode: 4 },
    ]);
  });

  it('shows what the allocated devices of each site draw', () => {
    const at = (zone: string) => ({ matchLabels: { zone } });
    const { figures } = statusOfPool({
      pools: [
        pool({
          sites: [
            { name: 'daejeon', nodeSelector: at('daejeon'), powerLimitKilowatts: 1200 },
            { name: 'gwangju', nodeSelector: at('gwangju'), powerLimitKilowatts: '1.5' },
            { name: 'empty', nodeSelector: at('empty') },
          ],
        }),
      ],
      nodes: [
        nodeFacts('d', { labels: { product: 'H200', zone: 'daejeon' } }),
        nodeFacts('g', { labels: { product: 'B200', zone: 'gwangju' } }),
      ],
      pods: [podFacts('stranger', 3, 'd'), podFacts('stranger', 1, 'g')],
    });
    assert.deepEqual(figures.sites, [
      { name: 'daejeon', gpus: 8, powerKilowatts: '2.1', powerLimitKilowatts: 1200 },
      { name: 'gwangju', gpus: 8, powerKilowatts: '1', powerLimitKilowatts: '1.5' },
      { name: 'empty', gpus: 0, powerKilowatts: '0' },
    ]);
  });

  it('measures milestones in ready devices, and never says 1 before the target is reached', () => {
    const milestones = [
      { date: '2026-12-31', gpus: 16 },
      { date: '2027-12-31', gpus: 17 },
      { date: '2028-12-31', gpus: 50_000 },
    ];
    const { figures } = statusOfPool({
      pools: [pool({ milestones })],
      nodes: [...nodes(2), nodeFacts('down', { ready: false })],
    });
    assert.deepEqual(figures.milestones, [
      { date: '2026-12-31', gpus: 16, reached: true, progress: '1' },
      { date: '2027-12-31', gpus: 17, reached: false, progress: '0.941' },
      { date: '2028-12-31', gpus: 50_000, reached: false, progress: '0' },
    ]);
  });

  it('shows what contributions bring and buy', () => {
    const contribution = {
      quotaName: 'kist',
      nodeSelector: { matchLabels: { from: 'kist' } },
      retainedFraction: '0.5',
    };
    const { figures, conditions } = statusOfPool({
      pools: [pool({ contributions: [contribution] })],
      quotas: [quota('kist')],
      nodes: [nodeFacts('k', { labels: { product: 'H200', from: 'kist' } }), nodeFacts('public')],
    });
    assert.deepEqual(figures.contributors, [{ quotaName: 'kist', gpus: 8, entitlement: '4' }]);
    assert.deepEqual(figures.capacity?.public, '12');
    assert.deepEqual(short(conditions), [
      'Ready=True Ready',
      'Overcommitted=False WithinCapacity',
      'PowerLimited=False WithinPowerLimit',
    ]);
  });

  describe('and its power', () => {
    const site = { name: 'daejeon', nodeSelector: { matchLabels: { product: 'H200' } } };
    const powerOf = (limit: string | undefined, used: number, wait?: PowerWait) => {
      const limited = limit === undefined ? site : { ...site, powerLimitKilowatts: limit };
      const parts = { pools: [pool({ sites: [limited] })], nodes: nodes(1), pods: [podFacts('a', used, 'node-0')] };
      const figures = pictureOf(parts);
      const { conditions } = poolStatus(figures, figures.policy.pools[0]!, { waitForPower: wait })!;
      const { status, reason, message } = conditions.find(({ type }) => type === 'PowerLimited')!;
      return [status, reason, message];
    };
    const table: Record<string, [got: () => string[], want: string[]]> = {
      'without a limit is never short': [
        () => powerOf(undefined, 8),
        ['False', 'WithinPowerLimit', 'no site has a power limit'],
      ],
      'with power for exactly one more device is not limited': [
        () => powerOf('4.9', 6),
        ['False', 'WithinPowerLimit', 'every site has power for another device'],
      ],
      'with less than a device needs is limited, and the message says what it lacks': [
        () => powerOf('4.8', 6),
        ['True', 'SiteAtLimit', 'site daejeon draws 4.2 of 4.8 kW; the next device needs 0.7'],
      ],
      'beyond a limit that was lowered is limited, and the message says by how much': [
        () => powerOf('4', 6),
        ['True', 'SiteAtLimit', 'site daejeon draws 4.2 of 4 kW, 0.2 too much'],
      ],
      'is limited while a workload waits for it, though single devices would still fit': [
        () => powerOf('5', 6, { workloads: 2, message: 'daejeon has 0.8 kW left' }),
        ['True', 'WaitingForPower', '2 workloads wait for power: daejeon has 0.8 kW left'],
      ],
    };
    for (const [rule, [got, want]] of Object.entries(table)) it(rule, () => assert.deepEqual(got(), want));
  });

  const conditionTable: Record<string, { parts: FleetParts; want: string[]; says: RegExp }> = {
    'a pool without devices is not ready': {
      parts: { pools: [pool()], nodes: [nodeFacts('without', { allocatable: { pods: 110 } })] },
      want: ['Ready=False NoNodes', 'Overcommitted=False WithinCapacity'],
      says: /no node carries a device of the classes h200, b200/,
    },
    'guarantees beyond the ready capacity overcommit the pool, and the message says by how much': {
      parts: { pools: [pool()], quotas: [quota('a', { guaranteed: 10 })], nodes: nodes(1) },
      want: ['Ready=True Ready', 'Overcommitted=True GuaranteesExceedCapacity'],
      says: /guaranteed 10 normalized GPUs and 8 are ready: lower guarantees by 2/,
    },
    'entitlements beyond the public floor overcommit the pool, and the message gives the factor': {
      parts: {
        pools: [pool({ publicFloor: '0.25', contributions: [{ quotaName: 'a', nodeSelector: h200.nodeSelector }] })],
        quotas: [quota('a')],
        nodes: nodes(1),
      },
      want: ['Ready=True Ready', 'Overcommitted=True EntitlementsExceedFloor'],
      says: /scaled by 0\.75/,
    },
    'a contributor that does not exist is told, and the pool stays ready': {
      parts: {
        pools: [pool({ contributions: [{ quotaName: 'nobody', nodeSelector: h200.nodeSelector }] })],
        nodes: nodes(1),
      },
      want: ['Ready=True ContributorNotFound', 'Overcommitted=False WithinCapacity'],
      says: /nobody, which does not exist/,
    },
  };
  for (const [rule, { parts, want, says }] of Object.entries(conditionTable)) {
    it(rule, () => {
      const { conditions } = statusOfPool(parts);
      assert.deepEqual(short(conditions).slice(0, 2), want);
      assert.match(conditions.map((c) => c.message).join('\n'), says);
    });
  }
});

describe('the status of a quota', () => {
  it('tells guaranteed use from borrowed, and the lender what is lent', () => {
    const parts = {
      pools: [pool()],
      quotas: [quota('lender', { guaranteed: 24 }), quota('borrower', { guaranteed: 8 })],
      namespaces: namespaces('lender', 'borrower'),
      nodes: nodes(4),
      pods: [podFacts('borrower', 8, 'node-0'), podFacts('borrower', 6, 'node-1'), podFacts('lender', 4, 'node-2')],
    };
    const borrower = statusOfQuota(parts, 'borrower');
    assert.deepEqual(borrower.figures.capacity, {
      guaranteed: '8',
      entitled: '0',
      effectiveGuarantee: '8',
      used: '14',
      borrowed: '6',
      lent: '0',
      classes: [
        { name: 'h200', used: 14 },
        { name: 'b200', used: 0 },
      ],
    });
    assert.deepEqual(borrower.figures.fairShare, { share: '6', decayedUsage: '0' });
    assert.deepEqual(short(borrower.conditions), ['Ready=True Ready', 'Borrowing=True AboveGuarantee']);
    const lender = statusOfQuota(parts, 'lender');
    assert.equal(lender.figures.capacity?.lent, '6');
    assert.deepEqual(short(lender.conditions), ['Ready=True Ready', 'Borrowing=False WithinGuarantee']);
  });

  it('counts what is borrowed from capacity that no one is guaranteed as lent by no one', () => {
    const parts = {
      pools: [pool()],
      quotas: [quota('idle', { guaranteed: 8 }), quota('busy')],
      namespaces: namespaces('busy'),
      nodes: nodes(2),
      pods: [podFacts('busy', 8, 'node-0'), podFacts('busy', 3, 'node-1')],
    };
    assert.equal(statusOfQuota(parts, 'busy').figures.capacity?.borrowed, '11');
    assert.equal(statusOfQuota(parts, 'idle').figures.capacity?.lent, '3');
  });

  it('lets a class guarantee cover use of that class only', () => {
    const parts = {
      pools: [pool()],
      quotas: [quota('a', { guaranteed: 2, classes: [{ name: 'b200', guaranteed: 4 }] })],
      namespaces: namespaces('a'),
      nodes: [...nodes(1), nodeFacts('b', { labels: { product: 'B200' } })],
      pods: [podFacts('a', 5, 'node-0'), podFacts('a', 1, 'b')],
    };
    const { capacity } = statusOfQuota(parts, 'a').figures;
    assert.equal(capacity?.effectiveGuarantee, '10');
    assert.equal(capacity.used, '7');
    assert.equal(capacity.borrowed, '3');
  });

  it('of a consortium is about its own namespaces, not those of its members', () => {
    const parts = {
      pools: [pool()],
      quotas: [quota('consortium', { guaranteed: 16 }), quota('member', {}, { parentName: 'consortium', weight: 2 })],
      namespaces: namespaces('consortium', 'member'),
      nodes: nodes(2),
      pods: [podFacts('member', 6, 'node-0'), podFacts('consortium', 1, 'node-1')],
    };
    const consortium = statusOfQuota(parts, 'consortium').figures;
    assert.equal(consortium.capacity?.used, '1');
    assert.equal(consortium.capacity.lent, '6');
    assert.deepEqual(consortium.fairShare, { share: '0', decayedUsage: '0' });
    const member = statusOfQuota(parts, 'member').figures;
    assert.equal(member.capacity?.borrowed, '6');
    assert.deepEqual(member.fairShare, { share: '3', decayedUsage: '0' });
  });

  it('adds what was borrowed in the past to the share, weighted, and says as of when', () => {
    const half = { scheduling: { fairShare: { historyWeight: '0.5' } } };
    const parts = {
      pools: [pool(half)],
      quotas: [quota('a', {}, { weight: 2 })],
      namespaces: namespaces('a'),
      nodes: nodes(1),
      pods: [podFacts('a', 6, 'node-0')],
    };
    const figures = pictureOf(parts);
    const history = { decayed: milli(4250), asOf: now };
    assert.deepEqual(quotaStatus(figures, figures.policy.quotas.get('a')!, { history }).figures.fairShare, {
      share: '4.062', // (6 + 0.5 x 4.25) / 2, rounded down
      decayedUsage: '4.25',
      asOf: '2026-06-01T00:00:00.000Z',
    });
  });

  it('shows no share for weight 0', () => {
    const parts = { pools: [pool()], quotas: [quota('a', {}, { weight: 0 })], nodes: nodes(1) };
    assert.deepEqual(statusOfQuota(parts, 'a').figures.fairShare, { decayedUsage: '0' });
  });

  it('counts the workloads of its namespaces, whether it is in force or not', () => {
    const parts = {
      pools: [pool()],
      quotas: [quota('a'), quota('broken', {}, { parentName: 'nobody' })],
      namespaces: namespaces('a', 'broken'),
      nodes: nodes(1),
      pods: [podFacts('a', 1, 'node-0'), podFacts('a', 1), podFacts('a', 1), podFacts('broken', 1)],
    };
    assert.deepEqual(statusOfQuota(parts, 'a').figures.workloads, { pending: 2, running: 1 });
    const broken = statusOfQuota(parts, 'broken');
    assert.deepEqual(broken.figures, { workloads: { pending: 1, running: 0 } });
    assert.deepEqual(short(broken.conditions), ['Ready=False ParentNotFound']);
  });

  it('says that a suspended quota admits nothing', () => {
    const parts = { pools: [pool()], quotas: [quota('a', {}, { suspend: true })], nodes: nodes(1) };
    assert.match(statusOfQuota(parts, 'a').conditions[0]!.message, /nothing new is admitted/);
  });

  it('adds up over the pool: what is lent is what is borrowed beyond the unguaranteed capacity, to the milli-unit', () => {
    const guarantees = fc.array(fc.nat(12_000), { minLength: 1, maxLength: 6 });
    const uses = fc.array(fc.tuple(fc.nat(5), fc.integer({ min: 1, max: 4 })), { maxLength: 8 });
    fc.assert(
      fc.property(guarantees, uses, (amounts, taken) => {
        const quotas = amounts.map((milli, i) => quota(`q${i}`, { guaranteed: String(milli / 1000) }));
        const names = quotas.map((q) => q.metadata.name);
        const pods = taken.map(([q, gpus], i) => podFacts(names[q % names.length]!, gpus, `node-${i % 4}`));
        const figures = pictureOf({ pools: [pool()], quotas, namespaces: namespaces(...names), nodes: nodes(4), pods });
        const capacities = names.map(
          (n) => quotaStatus(figures, figures.policy.quotas.get(n)!, undefined).figures.capacity!,
        );
        const total = (field: 'used' | 'borrowed' | 'lent' | 'effectiveGuarantee') =>
          capacities.reduce((sum, capacity) => sum + parseMilliGpus(capacity[field])!, 0);
        assert.equal(
          total('used'),
          taken.reduce((sum, [, gpus]) => sum + gpus * 1000, 0),
        );
        const owed = Math.max(0, total('borrowed') - Math.max(0, 32_000 - total('effectiveGuarantee')));
        const unused = total('effectiveGuarantee') - (total('used') - total('borrowed'));
        const wanted = Math.min(owed, unused);
        assert.ok(total('lent') <= wanted && total('lent') > wanted - names.length, `${total('lent')} of ${wanted}`);
      }),
      { numRuns: 200 },
    );
  });
});

describe('the status of an investment', () => {
  const from = (funding: string) => ({ matchLabels: { funding } });
  const spec = {
    poolName: 'national',
    investorName: 'company-a',
    contribution: { items: [{ class: 'h200', gpus: 64 }], nodeSelector: from('investor') },
    match: { ratio: '1.0', cap: '64', items: [{ class: 'b200', gpus: 32 }], nodeSelector: from('state') },
    entitlement: { ownFraction: '1.0', matchedFraction: '0.5' },
    term: { start: '2026-04-01', end: '2031-03-31' },
  };
  const investment = (more: object = {}, status?: object) =>
    resource('MatchingInvestment', 'deal', {
      spec: { ...spec, ...more },
      ...(status === undefined ? {} : { status }),
    });
  const brought = (count: number, ready = count) => [
    ...nodes(ready, { labels: { product: 'H200', funding: 'investor' } }, 'investor'),
    ...nodes(count - ready, { labels: { product: 'H200', funding: 'investor' }, ready: false }, 'down'),
  ];
  const delivered = nodes(4, { labels: { product: 'B200', funding: 'state' } }, 'state');
  const deal = (parts: FleetParts = {}): FleetParts => ({
    pools: [pool()],
    quotas: [quota('company-a', { guaranteed: 8 }), quota('other')],
    namespaces: namespaces('company-a', 'other'),
    investments: [investment()],
    nodes: [...brought(8), ...delivered],
    ...parts,
  });

  it('shows the worked example: C 64, M 64, E 96, P 32', () => {
    const { figures, conditions } = statusOfInvestment(deal());
    assert.deepEqual(figures, {
      phase: 'Active',
      contributed: '64',
      matched: '64',
      unmatched: '0',
      entitlement: '96',
      public: '32',
      effectiveEntitlement: '96',
      used: '0',
      lent: '0',
      pinnedWeights: [
        { class: 'h200', weight: '1' },
        { class: 'b200', weight: '2' },
      ],
      reclaim: { p95Seconds: 0, breaches: 0 },
    });
    assert.deepEqual(short(conditions), [
      'Ready=True Ready',
      'ContributionVerified=True AllDevicesPresent',
      'MatchDelivered=True MatchComplete',
      'EntitlementActive=True InTerm',
      'AccessGuaranteeMet=True PromiseKept',
    ]);
  });

  const phases: Record<string, { parts: FleetParts; phase: string; has: string[] }> = {
    'while less has arrived than was promised it is provisioning': {
      parts: deal({ nodes: [...brought(5), ...delivered] }),
      phase: 'Provisioning',
      has: [
        'ContributionVerified=False DevicesMissing',
        'MatchDelivered=True MatchComplete',
        'EntitlementActive=True InTerm',
      ],
    },
    'while nothing has arrived it is provisioning and buys nothing': {
      parts: deal({ nodes: [] }),
      phase: 'Provisioning',
      has: ['EntitlementActive=False NothingVerified', 'MatchDelivered=False MatchIncomplete'],
    },
    'while the state owes its match it is provisioning': {
      parts: deal({ nodes: brought(8) }),
      phase: 'Provisioning',
      has: ['MatchDelivered=False MatchIncomplete', 'ContributionVerified=True AllDevicesPresent'],
    },
    'once all has arrived and some is not ready it is degraded': {
      parts: deal({ nodes: [...brought(8, 6), ...delivered] }),
      phase: 'Degraded',
      has: ['ContributionVerified=True AllDevicesPresent', 'EntitlementActive=True InTerm'],
    },
    'before the term it is pending': {
      parts: deal({ investments: [investment({ term: { start: '2026-07-01' } })] }),
      phase: 'Pending',
      has: ['EntitlementActive=False TermNotStarted'],
    },
    'after the term it has expired': {
      parts: deal({ investments: [investment({ term: { end: '2026-05-31' } })] }),
      phase: 'Expired',
      has: ['EntitlementActive=False TermEnded'],
    },
    'without its investor it is pending and not ready': {
      parts: deal({ quotas: [] }),
      phase: 'Pending',
      has: ['Ready=False InvestorNotFound', 'EntitlementActive=False NotReady'],
    },
    'without its pool it is pending and not ready': {
      parts: deal({ pools: [] }),
      phase: 'Pending',
      has: ['Ready=False PoolNotFound', 'EntitlementActive=False NotReady'],
    },
    'a promise shorter than minRuntime and notice cannot be kept': {
      parts: deal({ investments: [investment({ reclaim: { guaranteedAccessWithin: '10m' } })] }),
      phase: 'Active',
      has: ['AccessGuaranteeMet=False PromiseTooTight'],
    },
    'cash promises no devices': {
      parts: deal({ investments: [investment({ contribution: { kind: 'Cash', items: spec.contribution.items } })] }),
      phase: 'Active',
      has: ['ContributionVerified=True NoDevicesPromised', 'MatchDelivered=True MatchComplete'],
    },
    'without a match the state owes nothing': {
      parts: deal({ investments: [investment({ match: undefined })] }),
      phase: 'Active',
      has: ['MatchDelivered=True NoMatchPromised'],
    },
    'a match whose items fall short of the ratio is never complete, but what was promised is there': {
      parts: deal({
        investments: [investment({ match: { ...spec.match, items: [{ class: 'b200', gpus: 16 }] } })],
      }),
      phase: 'Active',
      has: ['MatchDelivered=False MatchIncomplete'],
    },
  };
  for (const [rule, { parts, phase, has }] of Object.entries(phases)) {
    it(rule, () => {
      const { figures, conditions } = statusOfInvestment(parts);
      assert.equal(figures.phase, phase);
      const got = short(conditions);
      for (const one of has) assert.ok(got.includes(one), `${one} is not among ${got.join(', ')}`);
    });
  }

  it('scales the effective entitlement by what is ready, and only that', () => {
    const { figures } = statusOfInvestment(deal({ nodes: [...brought(8, 6), ...delivered] }));
    assert.equal(figures.entitlement, '96');
    assert.equal(figures.effectiveEntitlement, '84');
  });

  it('outside the term is all public', () => {
    const { figures } = statusOfInvestment(deal({ investments: [investment({ term: { end: '2026-05-31' } })] }));
    assert.deepEqual([figures.entitlement, figures.effectiveEntitlement, figures.public], ['0', '0', '128']);
  });

  it('is used by what the investor holds beyond its other guarantees, and lent as far as others hold the rest', () => {
    const pods = [
      ...Array.from({ length: 4 }, (_, i) => podFacts('company-a', 8, `investor-${i}`)),
      ...Array.from({ length: 4 }, (_, i) => podFacts('other', 8, `investor-${i + 4}`)),
    ];
    const { figures } = statusOfInvestment(deal({ pods }));
    assert.equal(figures.used, '24'); // 32 held, 8 of them guaranteed otherwise
    assert.equal(figures.lent, '8'); // 32 borrowed, of which the 24 that no one is guaranteed
  });

  it('is not lent by an idle guarantee of a class', () => {
    const owner = quota('company-a', { guaranteed: 8, classes: [{ name: 'b200', guaranteed: 4 }] });
    const pods = [
      ...Array.from({ length: 8 }, (_, i) => podFacts('company-a', 8, `investor-${i}`)),
      ...Array.from({ length: 4 }, (_, i) => podFacts('other', 8, `state-${i}`)),
    ];
    const { figures } = statusOfInvestment(deal({ quotas: [owner, quota('other')], pods }));
    assert.deepEqual([figures.used, figures.lent], ['56', '40']);
  });

  it('keeps the weights that were pinned, and pins those of classes that came later', () => {
    const pinned = { pinnedWeights: [{ class: 'h200', weight: '0.5' }] };
    const { figures } = statusOfInvestment(deal({ investments: [investment({}, pinned)] }));
    assert.deepEqual(figures.pinnedWeights, [
      { class: 'h200', weight: '0.5' },
      { class: 'b200', weight: '2' },
    ]);
    assert.equal(figures.contributed, '32');
  });

  it('pins nothing before the term', () => {
    const parts = deal({ investments: [investment({ term: { start: '2026-07-01' } })] });
    assert.equal(statusOfInvestment(parts).figures.pinnedWeights, undefined);
  });

  it('breaks its promise for 30 days when a reclaim took too long, and says how many did', () => {
    const promised = deal({ investments: [investment({ reclaim: { guaranteedAccessWithin: '1h' } })] });
    const figures = pictureOf(promised);
    const met = (at: number) => {
      const record = { reclaims: [{ at: now, seconds: 3601, breach: true }], waitingSince: [] };
      const verdict = investmentStatus(figures, [...figures.policy.investments.values()][0]!, { record, now: at });
      const condition = verdict.conditions.find(({ type }) => type === 'AccessGuaranteeMet')!;
      return [condition.status, condition.reason, verdict.figures.reclaim?.breaches, condition.message];
    };
    assert.deepEqual(met(now).slice(0, 3), ['False', 'Breached', 1]);
    assert.match(String(met(now)[3]), /one reclaim .* longer than the promise of 1h in the last 30d/);
    assert.deepEqual(met(now + 30 * 86_400_000).slice(0, 3), ['True', 'PromiseKept', 0]);
  });

  it('keeps pinned weights while it is not ready', () => {
    const pinned = { pinnedWeights: [{ class: 'h200', weight: '0.5' }] };
    const { figures } = statusOfInvestment(deal({ quotas: [], investments: [investment({}, pinned)] }));
    assert.deepEqual(figures.pinnedWeights, pinned.pinnedWeights);
  });
});
