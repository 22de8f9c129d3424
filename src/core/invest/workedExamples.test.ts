import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { fleetOf, nodeFacts, podFacts, resource, type FleetParts } from '../../../test/support/fleet.ts';
import { figuresOf, investmentStatus, noAccessRecord, poolStatus, quotaStatus } from '../status/index.ts';

/*
 * The examples of DESIGN.md and the deals of July 2025 from manifests to statuses, through what the operator calls. Each
 * figure was worked out by hand; the comment beside it says how.
 */

const now = Date.parse('2026-06-01T00:00:00Z');
const productOf = (name: string) => ({ 'nvidia.com/gpu.product': name });
const h200 = { name: 'h200', nodeSelector: { matchLabels: productOf('NVIDIA-H200') }, weight: '1' };
const b200 = { name: 'b200', nodeSelector: { matchLabels: productOf('NVIDIA-B200') }, weight: '2' };
const a100 = { name: 'a100', nodeSelector: { matchLabels: productOf('NVIDIA-A100') }, weight: '0.25' };

function pool(more: object = {}) {
  return resource('GpuPool', 'national', { spec: { acceleratorClasses: [h200, b200, a100], ...more } });
}

function quota(name: string, capacity: object = {}) {
  const namespaceSelector = { matchLabels: { 'moa.dev/institution': name } };
  return resource('ResearchQuota', name, { spec: { poolName: 'national', namespaceSelector, capacity } });
}

function investment(name: string, spec: object, status?: object) {
  const term = { start: '2026-04-01', end: '2031-03-31' };
  const whole = { poolName: 'national', investorName: 'company-a', term, ...spec };
  return resource('MatchingInvestment', name, { spec: whole, ...(status === undefined ? {} : { status }) });
}

/** Nodes of eight devices, the last `down` of them not Ready. */
function nodes(product: string, labels: Record<string, string>, { devices, down = 0 }: Amount) {
  const count = devices / 8;
  return Array.from({ length: count }, (_, i) =>
    nodeFacts(`${product}-${Object.values(labels).join('-')}-${i}`, {
      labels: { ...productOf(product), ...labels },
      ready: i < count - down,
    }),
  );
}

interface Amount {
  readonly devices: number;
  readonly down?: number;
}

const labelsOf = (name: string, funding: string) => ({ 'moa.dev/investment': name, 'moa.dev/funding': funding });
const selecting = (name: string, funding: string) => ({ nodeSelector: { matchLabels: labelsOf(name, funding) } });

/** DESIGN.md section 2.3, as it stands there. */
const companyA = investment('company-a-2026', {
  contribution: { kind: 'Hardware', items: [{ class: 'h200', gpus: 64 }], ...selecting('company-a-2026', 'investor') },
  match: { ratio: '1.0', cap: '64', items: [{ class: 'b200', gpus: 32 }], ...selecting('company-a-2026', 'state') },
  entitlement: { ownFraction: '1.0', matchedFraction: '0.5' },
  reclaim: { guaranteedAccessWithin: '1h' },
});

/** What company A brought, and what the state delivered, in devices. */
function dealNodes(brought: Amount = { devices: 64 }, delivered: Amount = { devices: 32 }) {
  return [
    ...nodes('NVIDIA-H200', labelsOf('company-a-2026', 'investor'), brought),
    ...nodes('NVIDIA-B200', labelsOf('company-a-2026', 'state'), delivered),
  ];
}

function picture(parts: FleetParts) {
  const namespaces = (parts.quotas ?? []).map(({ metadata: { name } }) => ({
    name,
    labels: { 'moa.dev/institution': name },
  }));
  return figuresOf(fleetOf({ pools: [pool()], quotas: [quota('company-a')], namespaces, ...parts }).snapshot(now));
}

/** The figures of an investment's status that are amounts, and its phase. */
function investmentOf(parts: FleetParts, name: string) {
  const figures = picture(parts);
  const { phase, ...amounts } = investmentStatus(figures, figures.policy.investments.get(name)!, {
    record: noAccessRecord,
    now,
  }).figures;
  const { contributed, matched, unmatched, entitlement, public: open, effectiveEntitlement, used, lent } = amounts;
  return { phase, C: contributed, M: matched, unmatched, E: entitlement, P: open, effectiveEntitlement, used, lent };
}

function quotaOf(parts: FleetParts, name: string) {
  const figures = picture(parts);
  return quotaStatus(figures, figures.policy.quotas.get(name)!).figures.capacity;
}

function poolOf(parts: FleetParts) {
  const figures = picture(parts);
  return poolStatus(figures, figures.policy.pools[0]!, undefined)!;
}

describe('DESIGN.md section 2.3, worked', () => {
  const table: Record<string, { parts: FleetParts; want: Partial<ReturnType<typeof investmentOf>> }> = {
    '64 H200 brought, ratio 1, 32 B200 of weight 2 delivered, own 1.0, matched 0.5': {
      parts: { nodes: dealNodes() },
      // M = min(1 x 64, 64, 2 x 32); E = 64 + 64 / 2; P = 64 + 64 - 96.
      want: { phase: 'Active', C: '64', M: '64', unmatched: '0', E: '96', P: '32', effectiveEntitlement: '96' },
    },
    'with 40 of the 64 arrived': {
      parts: { nodes: dealNodes({ devices: 40 }) },
      // M = min(40, 64, 64); E = 40 + 20; P = 40 + 64 - 60.
      want: { phase: 'Provisioning', C: '40', M: '40', unmatched: '24', E: '60', P: '44', effectiveEntitlement: '60' },
    },
    'with half of the match delivered': {
      parts: { nodes: dealNodes({ devices: 64 }, { devices: 16 }) },
      // M = min(64, 64, 32); E = 64 + 16; P = 64 + 32 - 80.
      want: { phase: 'Provisioning', C: '64', M: '32', unmatched: '0', E: '80', P: '16', effectiveEntitlement: '80' },
    },
    'with two of the eight nodes of the investor down': {
      parts: { nodes: dealNodes({ devices: 64, down: 2 }) },
      // 96 x (48 + 64) / (64 + 64): what is down is borne by investor and public alike.
      want: { phase: 'Degraded', C: '64', M: '64', E: '96', P: '32', effectiveEntitlement: '84' },
    },
    'with two of the four nodes of the state down': {
      parts: { nodes: dealNodes({ devices: 64 }, { devices: 32, down: 2 }) },
      // 96 x (64 + 32) / 128.
      want: { phase: 'Degraded', E: '96', effectiveEntitlement: '72' },
    },
    'in a pool that keeps 0.3 of its ready capacity public': {
      parts: { pools: [pool({ publicFloor: '0.3' })], nodes: dealNodes() },
      // 0.7 x 128 = 89.6 may be entitled: E stays, what can be had is cut.
      want: { phase: 'Active', E: '96', P: '32', effectiveEntitlement: '89.6' },
    },
    'with weights that were pinned at the start of the term': {
      parts: {
        pools: [pool({ acceleratorClasses: [h200, { ...b200, weight: '3' }] })],
        nodes: dealNodes(),
        investments: [investment('company-a-2026', companyA.spec, { pinnedWeights: [{ class: 'b200', weight: '2' }] })],
      },
      want: { C: '64', M: '64', unmatched: '0', E: '96', P: '32' },
    },
  };
  for (const [rule, { parts, want }] of Object.entries(table)) {
    it(rule, () => {
      const got = investmentOf({ investments: [companyA], ...parts }, 'company-a-2026');
      assert.deepEqual({ ...got, ...want }, got);
    });
  }

  it('the entitlement raises what the investor can always have', () => {
    const quotas = [quota('company-a', { guaranteed: '10', classes: [{ name: 'b200', guaranteed: 8 }] })];
    const capacity = quotaOf({ quotas, investments: [companyA], nodes: dealNodes() }, 'company-a');
    // 10 + 2 x 8 + 96.
    assert.deepEqual([capacity?.guaranteed, capacity?.entitled, capacity?.effectiveGuarantee], ['10', '96', '122']);
  });

  it('what the investor leaves idle is lent without anyone asking, and counts as lent, not as used', () => {
    const pods = [
      ...Array.from({ length: 3 }, (_, i) => podFacts('company-a', 8, `NVIDIA-H200-company-a-2026-investor-${i}`)),
      ...Array.from({ length: 4 }, (_, i) => podFacts('kaist', 8, `NVIDIA-B200-company-a-2026-state-${i}`)),
    ];
    const quotas = [quota('company-a'), quota('kaist')];
    const parts = { quotas, investments: [companyA], nodes: dealNodes(), pods };
    // Company A uses 24 of 96. KAIST borrows 4 x 8 x 2 = 64, of which 128 - 96 = 32 are nobody's: it has 32 of the 96.
    const { used, lent } = investmentOf(parts, 'company-a-2026');
    assert.deepEqual([used, lent], ['24', '32']);
    assert.equal(quotaOf(parts, 'kaist')?.borrowed, '64');
  });
});

describe('DESIGN.md section 2.3: cash, and hosts that bring no device', () => {
  const hosted = (match: object) =>
    investment('host', {
      contribution: { kind: 'HostingAndOperations' },
      match: { items: [{ class: 'h200', gpus: 3056 }], ...selecting('host', 'state'), ...match },
      entitlement: { ownFraction: '1', matchedFraction: '0.2487' },
    });
  const delivered = nodes('NVIDIA-H200', labelsOf('host', 'state'), { devices: 3056 });

  it('a host that keeps 0.2487 of 3,056 H200: E 760.027, P 2,295.973', () => {
    const got = investmentOf({ investments: [hosted({})], nodes: delivered }, 'host');
    // 0.2487 x 3056 = 760.0272, cut off after three decimals.
    assert.deepEqual([got.C, got.M, got.E, got.P], ['0', '3056', '760.027', '2295.973']);
  });

  it('the value of cash counts for the ratio only', () => {
    const cash = investment('cash', {
      contribution: { kind: 'Cash', items: [{ class: 'h200', gpus: 100 }] },
      match: { ratio: '0.5', items: [{ class: 'h200', gpus: 80 }], ...selecting('cash', 'state') },
      entitlement: { ownFraction: '1', matchedFraction: '1' },
    });
    const parts = {
      investments: [cash],
      nodes: nodes('NVIDIA-H200', labelsOf('cash', 'state'), { devices: 80 }),
    };
    // M = min(0.5 x 100, 80) = 50; nothing of its own; P = 80 - 50.
    const got = investmentOf(parts, 'cash');
    assert.deepEqual([got.C, got.M, got.unmatched, got.E, got.P], ['0', '50', '30', '50', '30']);
  });
});

describe('the deals of July 2025: the state pays and owns, a provider hosts and keeps a share', () => {
  interface Provider {
    readonly name: string;
    readonly class: 'h200' | 'b200';
    readonly product: string;
    readonly bought: number;
    /** In devices. */
    readonly keeps: number;
    readonly public: number;
    /** As published, per cent. */
    readonly share: number;
    /** In normalized GPUs. */
    readonly want: { readonly E: string; readonly P: string };
    /** What the published share as matchedFraction comes to, in normalized GPUs. */
    readonly byShare: string;
  }
  const providers: readonly Provider[] = [
    {
      ...{ name: 'naver-cloud', class: 'h200', product: 'NVIDIA-H200' },
      ...{ bought: 3056, keeps: 760, public: 2296, share: 24.9 },
      want: { E: '760', P: '2296' },
      byShare: '760.944', // 0.249 x 3056
    },
    {
      ...{ name: 'nhn-cloud', class: 'b200', product: 'NVIDIA-B200' },
      ...{ bought: 7656, keeps: 1536, public: 6120, share: 20.1 },
      want: { E: '3072', P: '12240' }, // twice the devices
      byShare: '3077.712', // 0.201 x 15312
    },
    {
      ...{ name: 'kakao', class: 'b200', product: 'NVIDIA-B200' },
      ...{ bought: 2424, keeps: 384, public: 2040, share: 15.8 },
      want: { E: '768', P: '4080' },
      byShare: '765.984', // 0.158 x 4848
    },
  ];
  /** What the provider keeps, as a number of GPUs by `cap` or as a share by `matchedFraction`. */
  const deal = ({ name, class: accelerator, bought, keeps, share }: Provider, by: 'cap' | 'share') =>
    investment(name, {
      investorName: name,
      contribution: { kind: 'HostingAndOperations' },
      match: {
        ...(by === 'cap' ? { cap: keeps * (accelerator === 'b200' ? 2 : 1) } : {}),
        items: [{ class: accelerator, gpus: bought }],
        ...selecting(name, 'state'),
      },
      entitlement: { matchedFraction: by === 'cap' ? '1' : `0.${share * 10}` },
    });
  const nodesOf = ({ name, product, bought }: Provider) => nodes(product, labelsOf(name, 'state'), { devices: bought });
  const all = (by: 'cap' | 'share'): FleetParts => ({
    quotas: providers.map(({ name }) => quota(name)),
    investments: providers.map((provider) => deal(provider, by)),
    nodes: providers.flatMap(nodesOf),
  });

  for (const provider of providers) {
    const { name, class: accelerator, bought, keeps, share, want, byShare } = provider;
    it(`${name} keeps ${keeps} of ${bought} ${accelerator.toUpperCase()}, the public has ${provider.public}`, () => {
      assert.equal(keeps + provider.public, bought);
      assert.equal(Math.round((keeps / bought) * 1000) / 10, share);
      const got = investmentOf({ ...all('cap') }, name);
      assert.deepEqual([got.phase, got.C, got.E, got.P], ['Active', '0', want.E, want.P]);
      assert.equal(investmentOf({ ...all('share') }, name).E, byShare);
    });
  }

  it('together they are 23,216 normalized GPUs, of which 18,616 are public', () => {
    const { figures } = poolOf(all('cap'));
    // 3056 + 2 x (7656 + 2424); 760 + 3072 + 768 are kept.
    assert.deepEqual(figures.capacity, {
      gpus: 13_136,
      normalizedGpus: '23216',
      allocatedGpus: 0,
      freeGpus: 13_136,
      guaranteed: '4600',
      entitled: '4600',
      public: '18616',
    });
  });
});

describe('contributions of institutions', () => {
  const contribution = (quotaName: string, retainedFraction?: string) => ({
    quotaName,
    nodeSelector: { matchLabels: { 'moa.dev/contributor': quotaName } },
    ...(retainedFraction === undefined ? {} : { retainedFraction }),
  });
  const kist = nodes('NVIDIA-H200', { 'moa.dev/contributor': 'kist' }, { devices: 64, down: 2 });
  const etri = nodes('NVIDIA-A100', { 'moa.dev/contributor': 'etri' }, { devices: 32 });

  it('buy retainedFraction x weight x devices, as far as the nodes behind them are ready', () => {
    const parts = {
      pools: [pool({ contributions: [contribution('kist', '0.5'), contribution('etri', '1')] })],
      quotas: [quota('kist', { guaranteed: 4 }), quota('etri')],
      nodes: [...kist, ...etri],
    };
    assert.deepEqual(poolOf(parts).figures.contributors, [
      { quotaName: 'kist', gpus: 64, entitlement: '24' }, // 0.5 x 64 x 48 / 64
      { quotaName: 'etri', gpus: 32, entitlement: '8' }, // 1 x 0.25 x 32
    ]);
    assert.equal(quotaOf(parts, 'kist')?.effectiveGuarantee, '28');
  });

  it('are scaled into the public floor by the same factor as investments', () => {
    const parts = {
      pools: [pool({ publicFloor: '0.5', contributions: [contribution('etri', '1')] })],
      quotas: [quota('company-a'), quota('etri')],
      investments: [companyA],
      nodes: [...dealNodes(), ...etri],
    };
    const { figures, conditions } = poolOf(parts);
    // Ready 128 + 8 = 136, half of it may be entitled: 68 of 96 + 8 = 104. 96 x 68 / 104 and 8 x 68 / 104, cut off.
    assert.equal(investmentOf(parts, 'company-a-2026').effectiveEntitlement, '62.769');
    assert.deepEqual(figures.contributors, [{ quotaName: 'etri', gpus: 32, entitlement: '5.23' }]);
    const { status, message } = conditions.find(({ type }) => type === 'Overcommitted')!;
    assert.equal(status, 'True');
    assert.match(message, /every entitlement is scaled by 0\.653846/);
  });

  it('do not count nodes that serve an investment', () => {
    const both = dealNodes().map((node) => ({ ...node, labels: { ...node.labels, 'moa.dev/contributor': 'kist' } }));
    const parts = {
      pools: [pool({ contributions: [contribution('kist', '1')] })],
      quotas: [quota('company-a'), quota('kist')],
      investments: [companyA],
      nodes: both,
    };
    assert.deepEqual(poolOf(parts).figures.contributors, [{ quotaName: 'kist', gpus: 0, entitlement: '0' }]);
    assert.equal(investmentOf(parts, 'company-a-2026').E, '96');
  });
});
