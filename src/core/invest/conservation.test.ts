import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { fleetOf, nodeFacts, podFacts, resource, type FleetParts } from '../../../test/support/fleet.ts';
import type { Fleet, NodeFacts } from '../snapshot/index.ts';
import { figuresOf, investmentStatus, noAccessRecord, poolStatus, quotaStatus, type Figures } from '../status/index.ts';
import { parseMilliGpus } from '../units/index.ts';

/*
 * Pools with investments and contributions of every kind, whose nodes arrive, fail, are relabelled and leave. After each
 * step the statuses must conserve capacity, keep to the floor, and be those of a few lines of arithmetic of our own.
 */

const now = Date.parse('2026-06-01T00:00:00Z');
const weights = { h200: '1', b200: '2', a100: '0.25' } as const;
type Class = keyof typeof weights;
const classNames = Object.keys(weights) as Class[];
const owners = ['deal-0', 'deal-1', 'deal-2', 'contributor', 'nobody'] as const;

/** A node of a generated pool. */
interface Node {
  readonly class: Class;
  readonly devices: number;
  readonly owner: (typeof owners)[number];
  readonly funding: 'investor' | 'state';
  readonly ready: boolean;
}

interface Deal {
  readonly kind: 'Hardware' | 'Cash' | 'HostingAndOperations';
  readonly term: 'before' | 'within' | 'after';
  readonly ratio: number | undefined;
  readonly cap: number | undefined;
  readonly own: number;
  readonly matched: number;
  readonly promised: Readonly<Record<Class, number>>;
  readonly matchPromised: Readonly<Record<Class, number>>;
}

/** Each sets, or removes, the node of a number. */
interface Step {
  readonly number: number;
  readonly node: Node | undefined;
}

const node: fc.Arbitrary<Node> = fc.record({
  class: fc.constantFrom(...classNames),
  devices: fc.integer({ min: 0, max: 8 }),
  owner: fc.constantFrom(...owners),
  funding: fc.constantFrom('investor', 'state'),
  ready: fc.boolean(),
});
/** In thousandths of one. */
const fraction = fc.nat(1000);
const promise = fc.record({ h200: fc.nat(24), b200: fc.nat(24), a100: fc.nat(24) });
const deal: fc.Arbitrary<Deal> = fc.record({
  kind: fc.constantFrom('Hardware', 'Hardware', 'Cash', 'HostingAndOperations'),
  term: fc.constantFrom('within', 'within', 'within', 'before', 'after'),
  ratio: fc.option(fc.nat(3000), { nil: undefined }),
  cap: fc.option(fc.nat(60_000), { nil: undefined }),
  own: fraction,
  matched: fraction,
  promised: promise,
  matchPromised: promise,
});
const world = fc.record({
  deals: fc.tuple(deal, deal, deal),
  publicFloor: fraction,
  retained: fraction,
  use: fc.nat(6),
  steps: fc.array(fc.record({ number: fc.nat(11), node: fc.option(node, { nil: undefined, freq: 4 }) }), {
    minLength: 6,
    maxLength: 24,
  }),
});

const decimal = (thousandths: number) => String(thousandths / 1000);
const terms = {
  before: { start: '2027-01-01' },
  within: { start: '2026-01-01', end: '2026-12-31' },
  after: { end: '2026-05-31' },
};

function manifests({
  deals,
  publicFloor,
  retained,
}: {
  deals: readonly Deal[];
  publicFloor: number;
  retained: number;
}) {
  const contribution = { quotaName: 'contributor', nodeSelector: { matchLabels: { owner: 'contributor' } } };
  const acceleratorClasses = classNames.map((name) => ({
    name,
    nodeSelector: { matchLabels: { product: name } },
    weight: weights[name],
  }));
  const contributions = [{ ...contribution, retainedFraction: decimal(retained) }];
  const spec = { acceleratorClasses, contributions, publicFloor: decimal(publicFloor) };
  const items = (promised: Deal['promised']) =>
    classNames.filter((name) => promised[name] > 0).map((name) => ({ class: name, gpus: promised[name] }));
  return {
    pools: [resource('GpuPool', 'national', { spec })],
    quotas: ['investor-0', 'investor-1', 'investor-2', 'contributor', 'borrower'].map((name) =>
      resource('ResearchQuota', name, {
        spec: { poolName: 'national', namespaceSelector: { matchLabels: { team: name } } },
      }),
    ),
    namespaces: ['investor-0', 'borrower'].map((name) => ({ name, labels: { team: name } })),
    investments: deals.map((one, i) => {
      const selector = (funding: string) => ({ nodeSelector: { matchLabels: { owner: `deal-${i}`, funding } } });
      return resource('MatchingInvestment', `deal-${i}`, {
        spec: {
          poolName: 'national',
          investorName: `investor-${i}`,
          contribution: { kind: one.kind, items: items(one.promised), ...selector('investor') },
          match: {
            ...(one.ratio === undefined ? {} : { ratio: decimal(one.ratio) }),
            ...(one.cap === undefined ? {} : { cap: decimal(one.cap) }),
            items: items(one.matchPromised),
            ...selector('state'),
          },
          entitlement: { ownFraction: decimal(one.own), matchedFraction: decimal(one.matched) },
          term: terms[one.term],
        },
      });
    }),
  } satisfies FleetParts;
}

function factsOf(number: number, { class: product, devices, owner, funding, ready }: Node): NodeFacts {
  return nodeFacts(`node-${number}`, {
    labels: { product, owner, funding },
    ready,
    allocatable: { 'nvidia.com/gpu': devices, pods: 110 },
  });
}

/** DESIGN.md section 2.3 for one deal, by hand: in thousandths of GPUs, but for what has to be rounded. */
function expected(one: Deal, name: string, all: readonly Node[]) {
  const worth = (funding: string, promised: Deal['promised'], readyOnly = false): bigint => {
    let sum = 0n;
    for (const accelerator of classNames) {
      const mine = all.filter((n) => n.owner === name && n.funding === funding && n.class === accelerator);
      const devices = mine.filter((n) => n.ready || !readyOnly).reduce((total, n) => total + n.devices, 0);
      sum += BigInt(Math.min(devices, promised[accelerator])) * BigInt(parseMilliGpus(weights[accelerator])!);
    }
    return sum;
  };
  const brings = one.kind === 'Hardware';
  const promised = classNames.reduce((sum, c) => sum + one.promised[c] * parseMilliGpus(weights[c])!, 0);
  const [C, D] = [brings ? worth('investor', one.promised) : 0n, worth('state', one.matchPromised)];
  const limits = [D];
  if (one.ratio !== undefined) limits.push(((brings ? C : BigInt(promised)) * BigInt(one.ratio)) / 1000n);
  if (one.cap !== undefined) limits.push(BigInt(one.cap));
  const M = limits.reduce((least, limit) => (limit < least ? limit : least));
  const E = one.term === 'within' ? (C * BigInt(one.own)) / 1000n + (M * BigInt(one.matched)) / 1000n : 0n;
  const ready = (brings ? worth('investor', one.promised, true) : 0n) + worth('state', one.matchPromised, true);
  return { C, D, M, E, readyE: C + D === 0n ? 0n : (E * ready) / (C + D) };
}

function expectedOfContribution(retained: number, all: readonly Node[]): bigint {
  const worth = (nodes: readonly Node[]) =>
    nodes.reduce((sum, n) => sum + BigInt(n.devices) * BigInt(parseMilliGpus(weights[n.class])!), 0n);
  const mine = all.filter(({ owner }) => owner === 'contributor');
  const full = (worth(mine) * BigInt(retained)) / 1000n;
  return worth(mine) === 0n ? 0n : (full * worth(mine.filter(({ ready }) => ready))) / worth(mine);
}

const amount = (text: string | undefined) =>
  BigInt(parseMilliGpus(text ?? 'none') ?? assert.fail(`no amount: ${text}`));

function statusesOf(figures: Figures) {
  const pool = poolStatus(figures, figures.policy.pools[0]!, undefined)!.figures;
  const investments = [...figures.policy.investments.values()].map(
    (one) => investmentStatus(figures, one, { record: noAccessRecord, now }).figures,
  );
  const quotas = [...figures.policy.quotas.values()].map((one) => quotaStatus(figures, one).figures.capacity!);
  return { pool, investments, quotas };
}

interface Given {
  readonly deals: readonly Deal[];
  readonly publicFloor: number;
  readonly retained: number;
}

function check(fleet: Fleet, { deals, publicFloor, retained }: Given, all: readonly Node[]): void {
  const figures = figuresOf(fleet.snapshot(now));
  const { pool, investments, quotas } = statusesOf(figures);
  const readyCapacity = all
    .filter(({ ready }) => ready)
    .reduce((sum, n) => sum + BigInt(n.devices) * BigInt(parseMilliGpus(weights[n.class])!), 0n);
  const allowed = (readyCapacity * (1000n - BigInt(publicFloor))) / 1000n;
  const wants = deals.map((one, i) => expected(one, `deal-${i}`, all));
  const contributed = expectedOfContribution(retained, all);
  const raw = wants.reduce((sum, { readyE }) => sum + readyE, contributed);
  const scaled = (ready: bigint) => (raw > allowed ? (ready * allowed) / raw : ready);

  let entitled = 0n;
  for (const [i, { C, D, M, E, readyE }] of wants.entries()) {
    const status = investments[i]!;
    const [matched, unmatched] = [amount(status.matched), amount(status.unmatched)];
    const [gotE, gotP] = [amount(status.entitlement), amount(status.public)];
    assert.deepEqual([amount(status.contributed), matched, gotE], [C, M, E]);
    assert.equal(C + D, gotE + gotP, 'C + D = E + P');
    assert.equal(unmatched, D - matched, 'unmatched = D - M');
    const effective = amount(status.effectiveEntitlement);
    assert.equal(effective, scaled(readyE));
    assert.ok(effective <= gotE);
    assert.ok(amount(status.used) + amount(status.lent) <= effective, 'what is used is not lent');
    entitled += effective;
  }
  const ofContribution = amount(pool.contributors?.[0]?.entitlement);
  assert.equal(ofContribution, scaled(contributed));
  entitled += ofContribution;
  assert.ok(entitled <= allowed, `${entitled} entitled, ${allowed} allowed`);

  // The parts are the whole: what quotas are entitled to, what the pool says, what is left to the public.
  assert.equal(
    quotas.reduce((sum, capacity) => sum + amount(capacity.entitled), 0n),
    entitled,
  );
  const { capacity } = pool;
  assert.equal(amount(capacity?.entitled), entitled);
  assert.equal(amount(capacity?.public) + entitled, amount(capacity?.normalizedGpus));
}

describe('capacity is conserved while nodes arrive, fail and leave', () => {
  it('C + D = E + P, unmatched = D - M, entitlements within the floor, and the sums are those of their parts', () => {
    let [scaledRuns, steps] = [0, 0];
    fc.assert(
      fc.property(world, ({ steps: changes, use, ...given }) => {
        const parts = manifests(given);
        const fleet = fleetOf(parts);
        const nodes = new Map<number, Node>();
        for (const { number, node: next } of changes as readonly Step[]) {
          if (next === undefined) {
            nodes.delete(number);
            fleet.removeNode(`node-${number}`);
          } else {
            nodes.set(number, next);
            fleet.upsertNode(factsOf(number, next));
            if (number < use)
              fleet.upsertPod(podFacts(number % 2 === 0 ? 'borrower' : 'investor-0', 1, `node-${number}`));
          }
          check(fleet, given, [...nodes.values()]);
          steps++;
        }
        const left = figuresOf(fleet.snapshot(now));
        if (left.policy.pools[0]!.floorFactor < 1_000_000) scaledRuns++;
        // What a watch told step by step is what a list would tell at once.
        const fresh = fleetOf({ ...parts, nodes: [...nodes].map(([number, one]) => factsOf(number, one)) });
        const entitlements = (figures: Figures) =>
          statusesOf(figures).investments.map((one) => one.effectiveEntitlement);
        assert.deepEqual(entitlements(figuresOf(fresh.snapshot(now))), entitlements(left));
      }),
      { numRuns: 300, seed: 23 },
    );
    assert.ok(scaledRuns > 20 && steps > 1000, `${scaledRuns} ended above the floor, ${steps} steps`);
  });
});
