import assert from 'node:assert/strict';
import { test } from 'node:test';

import { sampleDay, sampleInstitutions } from '../../src/sim/traces/index.ts';
import { capacityOf, fleetOf, investmentPlan } from './fleet.ts';
import { quotaNameOf } from './policy.ts';
import type { Scenario } from './scenario.ts';
import { summarize, type SummaryInput } from './summary.ts';
import type { InvestmentView, JobView, NodeView, PodView } from './views.ts';

const fleet = fleetOf(10);
const jobs = sampleDay({ seed: 1, jobs: 2 });
const scenario: Scenario = {
  source: 'a test',
  seconds: 100,
  jobs,
  institutions: sampleInstitutions,
  peakGpus: 2,
  fleet,
  capacity: capacityOf(fleet),
  investment: investmentPlan('matching', 10, 100),
};
const namespace = quotaNameOf(sampleInstitutions[3]);

const identity = (name: string) => ({ uid: name, namespace, name, resourceVersion: '1' });
const pod = (name: string, fields: Partial<PodView> = {}): PodView => ({
  ...identity(name),
  job: name,
  gpus: 4,
  createdAt: 10_000,
  nodeName: 'n',
  scheduledAt: 12_000,
  startedAt: 12_000,
  finishedAt: 22_000,
  waitsFor: undefined,
  ...fields,
});
const job = (name: string, state: JobView['state']): JobView => ({ ...identity(name), state, pods: 1 });
const node: NodeView = { ...identity('n'), namespace: '', gpus: 8, createdAt: 0 };
const investment: InvestmentView = {
  ...identity('matching'),
  phase: 'Active',
  contributed: '16',
  matched: '16',
  entitlement: '24',
  effectiveEntitlement: '24',
};

function input(fields: Partial<SummaryInput> = {}): SummaryInput {
  const pods = [pod('x'), pod('y', { finishedAt: undefined })];
  return {
    scenario,
    speedup: 3600,
    submitted: 2,
    fresh: { pods, jobs: [job('x', 'done'), job('y', 'active')], nodes: [node] },
    watchedPods: pods,
    began: 10_000,
    replayed: 20_000,
    until: 32_000,
    api: { requests: 1, conflicts: 0, notFound: 0, errors: {}, retriesOfDemo: 0 },
    investment,
    ...fields,
  };
}

test('a run in which all is well passes every check, and its figures are those of its pods', () => {
  const summary = summarize(input());
  assert.deepEqual(
    summary.checks.filter(({ holds }) => !holds),
    [],
  );
  assert.deepEqual(summary.jobs, { submitted: 2, done: 1, failed: 0, running: 1, pending: 0 });
  assert.deepEqual(summary.use[0], { institution: namespace, jobs: 2, gpuSeconds: 120, gpuHours: 120 });
  assert.equal(summary.use.length, 15);
  assert.equal(summary.gpuSeconds, 120);
  // 2 x 4 GPUs for 8 s of 8 GPUs for 10 s.
  assert.equal(summary.utilization, 0.8);
  assert.deepEqual(summary.waits, { pods: 2, p50Seconds: 2, p95Seconds: 2 });
});

const good = input();
const wrong: Record<string, { input: SummaryInput; want: RegExp }> = {
  'a job that was not submitted is noticed': {
    input: input({ submitted: 1, fresh: { ...good.fresh, jobs: [job('x', 'done')] } }),
    want: /every job of the window/,
  },
  'a job that vanished is noticed': {
    input: input({ fresh: { ...good.fresh, jobs: [job('x', 'done')] } }),
    want: /submitted = done/,
  },
  'a pod that the watch missed is noticed': { input: input({ watchedPods: [pod('x')] }), want: /as watched/ },
  'a pod in the namespace of no institution is noticed': {
    input: input({ fresh: { ...good.fresh, pods: [...good.fresh.pods, pod('z', { namespace: 'other', gpus: 0.5 })] } }),
    want: /GPU-seconds by institution/,
  },
  'a node that held too much is noticed': {
    input: input({ fresh: { ...good.fresh, nodes: [{ ...node, gpus: 7 }] } }),
    want: /no node ever/,
  },
  'an investment that buys too little is noticed': {
    input: input({ investment: { ...investment, entitlement: '23.999' } }),
    want: /the investment buys/,
  },
  'an investment without a status is noticed': { input: input({ investment: undefined }), want: /the investment buys/ },
};
for (const [rule, { input: given, want }] of Object.entries(wrong)) {
  test(rule, () => {
    const failed = summarize(given).checks.filter(({ holds }) => !holds);
    assert.ok(failed.length > 0);
    assert.match(failed[0]!.rule, want);
  });
}
