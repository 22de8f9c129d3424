import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { loadAll } from 'js-yaml';

import type { Kind } from '../../src/api/v1alpha1/index.ts';
import { chargeFor, chargeOfHours, milliGpuHours, parseGpuHours } from '../../src/core/budget/index.ts';
import { plan } from '../../src/core/plan/index.ts';
import type { NodeFacts, PodFacts } from '../../src/core/snapshot/index.ts';
import { figuresOf, investmentStatus, noAccessRecord, poolStatus, quotaStatus } from '../../src/core/status/index.ts';
import { formatMilliGpus, milli, parseMicro } from '../../src/core/units/index.ts';
import { fleetOf, nodeFacts, podFacts, resource } from '../support/fleet.ts';

/* The figures of docs/concepts.md, worked out by the core from the manifests that stand there. */

const page = readFileSync(new URL('../../docs/concepts.md', import.meta.url), 'utf8');
const yaml = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text ?? '').join('---\n');

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: object;
}
const manifests = loadAll(yaml) as readonly Manifest[];
const ofKind = <K extends Kind>(kind: K) =>
  manifests.filter((one) => one.kind === kind).map((one) => resource(kind, one.metadata.name, { spec: one.spec }));

const policy = {
  pools: ofKind('GpuPool'),
  quotas: ofKind('ResearchQuota'),
  investments: ofKind('MatchingInvestment'),
  namespaces: ['kaist', 'company-a'].map((name) => ({ name: `${name}-lab`, labels: { 'moa.dev/institution': name } })),
};
const hour = 3_600_000;
const now = Date.parse('2026-11-24T05:00:00Z');

function nodes(count: number, product: string, labels: Readonly<Record<string, string>>): readonly NodeFacts[] {
  const owner = Object.values(labels).join('-');
  return Array.from({ length: count }, (_, i) =>
    nodeFacts(`${product}-${owner}-${i}`, { labels: { 'nvidia.com/gpu.product': `NVIDIA-${product}`, ...labels } }),
  );
}
const invested = (funding: string) => ({ 'moa.dev/investment': 'company-a-2026', 'moa.dev/funding': funding });
const companys = nodes(8, 'H200', invested('investor'));
const kaists = nodes(4, 'H200', { 'moa.dev/contributor': 'kaist' });
const states = nodes(4, 'B200', invested('state'));

/** A pod of eight H200, alone or of the gang of eight. */
function train(namespace: string, node?: NodeFacts, gang?: string): PodFacts {
  return {
    ...podFacts(namespace, 8, node?.name),
    classes: ['h200'],
    walltime: 2 * hour,
    ...(node === undefined ? {} : { boundAt: now - 60_000 }),
    ...(gang === undefined ? {} : { gang: { kind: 'label', name: gang, size: 8 } as const }),
  };
}
const sweep = [...companys, ...kaists].map((node) => train('kaist-lab', node));

/** Fleet with those pods, on all nodes unless others are named. */
const worldOf = (pods: readonly PodFacts[], on: readonly NodeFacts[] = [...companys, ...kaists, ...states]) =>
  fleetOf({ ...policy, nodes: on, pods });

function statusesOf(...world: Parameters<typeof worldOf>) {
  const figures = figuresOf(worldOf(...world).snapshot(now));
  const { figures: pool, conditions } = poolStatus(figures, figures.policy.pools[0]!)!;
  const [investment] = [...figures.policy.investments.values()];
  const quotas = ['company-a', 'k-ai-alliance', 'kaist'].map((name) => {
    const { effectiveGuarantee, used, borrowed } = quotaStatus(figures, figures.policy.quotas.get(name)!).figures
      .capacity!;
    return `${name} ${effectiveGuarantee} ${used} ${borrowed}`;
  });
  const { figures: deal } = investmentStatus(figures, investment!, { record: noAccessRecord, now });
  return { pool, conditions, quotas, deal };
}

describe('the example of docs/concepts.md', () => {
  it('has 128 devices that are worth 160, of which 32 are guaranteed to nobody', () => {
    const { pool, quotas } = statusesOf([]);
    assert.equal(pool.capacity?.gpus, 128);
    assert.equal(pool.capacity.normalizedGpus, '160');
    assert.equal(pool.capacity.guaranteed, '128');
    assert.deepEqual(quotas, ['company-a 96 0 0', 'k-ai-alliance 0 0 0', 'kaist 32 0 0']);
  });

  it('entitles Company A to 96 of 64 + 64, the rest being public, and KAIST to half of 32; the floor leaves just that', () => {
    const { pool, conditions, deal } = statusesOf([]);
    assert.deepEqual(
      [deal.contributed, deal.matched, deal.entitlement, deal.effectiveEntitlement, deal.public],
      ['64', '64', '96', '96', '32'],
    );
    assert.equal(pool.contributors?.[0]?.entitlement, '16');
    assert.equal(pool.capacity?.entitled, '112');
    assert.equal(conditions.find(({ type }) => type === 'Overcommitted')?.status, 'False');
  });

  it('lends 32 of Company A to KAIST, whose thirteenth job waits as it may borrow no more, for two hours at most', () => {
    const { quotas, deal } = statusesOf(sweep);
    assert.deepEqual(quotas, ['company-a 96 0 0', 'k-ai-alliance 0 0 0', 'kaist 32 96 64']);
    assert.equal(deal.lent, '32');
    const made = plan(worldOf([...sweep, train('kaist-lab')]).snapshot(now), now, { maxPods: Infinity });
    assert.deepEqual(made.admit, []);
    assert.equal(made.waiting[0]?.reason, 'WaitingForQuota');
    assert.match(made.waiting[0].message, /can take 0 more .* it starts by 2026-11-24T06:59:00Z/);
  });

  it('takes back from KAIST just the 8 jobs that are borrowed, for a gang of 64', () => {
    const gang = Array.from({ length: 8 }, () => train('company-a-lab', undefined, 'serve'));
    const made = plan(worldOf([...sweep, ...gang]).snapshot(now), now, { maxPods: Infinity });
    assert.deepEqual(
      made.evict.map(({ victim }) => victim.pods.length),
      Array.from({ length: 8 }, () => 1),
    );
    const held = [...companys.map((node) => train('company-a-lab', node)), ...sweep.slice(8)];
    assert.deepEqual(statusesOf(held).quotas, ['company-a 96 64 0', 'k-ai-alliance 0 0 0', 'kaist 32 32 0']);
  });

  it('reserves 192 hours for the twelve jobs, and charges 128 when they have run, what is borrowed at half', () => {
    const snapshot = worldOf(sweep.map((pod) => ({ ...pod, boundAt: now }))).snapshot(now);
    const line = snapshot.budgets.lineOf(snapshot.policy.quotas.get('kaist')!, now)!;
    assert.equal(line.limits.softCharge - line.reserved, chargeOfHours(parseGpuHours('9808')!));
    const { borrowedChargeFactor } = snapshot.policy.pools[0]!.spec;
    assert.equal(borrowedChargeFactor, parseMicro('0.5'));
    const charged = (jobs: number, chargeFactor: typeof borrowedChargeFactor) =>
      milliGpuHours(chargeFor(BigInt(jobs * 8 * 1000 * 2 * hour), { weight: milli(1000), chargeFactor }));
    assert.equal(charged(4, parseMicro('1')!) + charged(8, borrowedChargeFactor), parseGpuHours('128'));
  });

  it('scales entitlements by 0.84 when the nodes of the state leave, and 10.24 of what Company A uses are borrowed', () => {
    const left = [...companys, ...kaists];
    const held = companys.map((node) => train('company-a-lab', node));
    const { pool, conditions, quotas, deal } = statusesOf(held, left);
    assert.deepEqual([deal.matched, deal.entitlement, deal.effectiveEntitlement], ['0', '64', '53.76']);
    assert.equal(pool.capacity?.entitled, formatMilliGpus(milli(67_200)));
    assert.match(conditions.find(({ type }) => type === 'Overcommitted')!.message, /scaled by 0\.84$/);
    assert.deepEqual(quotas, ['company-a 53.76 64 10.24', 'k-ai-alliance 0 0 0', 'kaist 29.44 0 0']);
  });
});
