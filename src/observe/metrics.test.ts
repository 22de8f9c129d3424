import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createMetrics } from './metrics.ts';
import type { Metrics } from './metrics.ts';
import { metricDefinitions } from './metricDefinitions.ts';
import type { MetricDefinition } from './metricDefinitions.ts';
import { renderMetricsReference } from './metricsReference.ts';
import { processMetrics } from './processMetrics.ts';
import { noState } from './stateSample.ts';
import type { InvestmentSample, PoolSample, QuotaSample } from './stateSample.ts';

const definitions = Object.values<MetricDefinition>(metricDefinitions);

/** The samples of one metric on the page, without its name. */
async function samples(metrics: Metrics, name: string): Promise<string[]> {
  const { body } = await metrics.render();
  return body
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .map((line) => line.slice(name.length));
}

describe('metrics', () => {
  it('every metric of the page is in the tables, and every metric of the tables is on the page', async () => {
    const { body } = await createMetrics({ version: '1' }).render();
    const names = [...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    const linuxOnly = (name: string) =>
      process.platform !== 'linux' && processMetrics[name as 'process_open_fds'].includes('Linux only');
    const wanted = [
      ...definitions.map(({ name }) => name),
      ...Object.keys(processMetrics).filter((name) => !linuxOnly(name)),
    ];
    assert.deepEqual(names.sort(), wanted.sort());
  });

  it('every metric of the tables is on the reference page', () => {
    const page = renderMetricsReference();
    for (const name of [...definitions.map((definition) => definition.name), ...Object.keys(processMetrics)])
      assert.ok(page.includes(name), name);
  });

  it('every row of the reference page has the cells of its table', () => {
    for (const table of renderMetricsReference().split(/\n\n/)) {
      const rows = table.split('\n').filter((line) => line.startsWith('|'));
      assert.ok(new Set(rows.map((row) => row.split('|').length)).size <= 1, table);
    }
  });

  it('no label holds what nobody bounds: pods, nodes, namespaces, users, uids', () => {
    const unbounded = new Set(['pod', 'node', 'namespace', 'user', 'uid', 'workload', 'job']);
    const found = definitions.flatMap(({ name, labels }) =>
      Object.keys(labels)
        .filter((label) => unbounded.has(label))
        .map((label) => `${name} ${label}`),
    );
    assert.deepEqual(found, []);
  });

  it('two sets of metrics in one process do not see each other', async () => {
    const [one, other] = [createMetrics({ version: '1' }), createMetrics({ version: '1' })];
    one.events.inc({ result: 'created' });
    assert.ok((await samples(one, 'moa_events_total')).includes('{result="created"} 1'));
    assert.ok((await samples(other, 'moa_events_total')).includes('{result="created"} 0'));
  });

  it('counts whose labels can all be foreseen begin at 0, so that the first one is seen as an increase', async () => {
    const metrics = createMetrics({ version: '1' });
    assert.deepEqual(await samples(metrics, 'moa_scheduling_cycles_total'), [
      '{result="whole"} 0',
      '{result="partial"} 0',
      '{result="skipped"} 0',
      '{result="failed"} 0',
    ]);
    assert.deepEqual(await samples(metrics, 'moa_pods_bound_total'), []);
  });

  it('the build is named', async () => {
    const found = await samples(createMetrics({ version: '1.2.3' }), 'moa_build_info');
    assert.deepEqual(found, [`{version="1.2.3",node_version="${process.version}"} 1`]);
  });

  it('histograms put 15 minutes of waiting into the bucket of 15 minutes', async () => {
    const metrics = createMetrics({ version: '1' });
    metrics.workloadWait.observe({ tier: 'Research' }, 900);
    const buckets = await samples(metrics, 'moa_workload_wait_seconds_bucket');
    assert.ok(buckets.includes('{le="300",tier="Research"} 0'));
    assert.ok(buckets.includes('{le="900",tier="Research"} 1'));
  });
});

describe('gauges read off when asked', () => {
  it('are as fresh as the page', async () => {
    const metrics = createMetrics({ version: '1' });
    let depth = 0;
    metrics.beforeRender(() => metrics.workqueueDepth.set({ name: 'pools' }, depth));
    depth = 3;
    assert.deepEqual(await samples(metrics, 'moa_workqueue_depth'), ['{name="pools"} 3']);
    depth = 1;
    assert.deepEqual(await samples(metrics, 'moa_workqueue_depth'), ['{name="pools"} 1']);
  });
});

describe('state on the page', () => {
  const pool = (name: string): PoolSample => ({
    name,
    nodes: 3,
    readyNodes: 2,
    capacity: { all: 24_000, ready: 16_000, guaranteed: 12_500, entitled: 4000 },
    classes: [{ name: 'h200', gpus: 24, readyGpus: 16, allocatedGpus: 9, freeGpus: 7, largestFreeNode: 4 }],
    sites: [{ name: 'daejeon', watts: 6300, limitWatts: undefined }],
    conditions: {},
    reclaimBoundSeconds: 1020,
    unservedGuaranteeSeconds: 0,
  });
  const quota = (name: string, figures: Partial<QuotaSample> = {}): QuotaSample => ({
    name,
    poolName: 'a',
    parentName: '',
    tier: 'Research',
    effectiveGuarantee: 0,
    used: 0,
    borrowed: 0,
    lent: 0,
    ...figures,
  });
  const investment = (name: string, figures: Partial<InvestmentSample> = {}): InvestmentSample => ({
    name,
    poolName: 'a',
    quotaName: 'q',
    phase: 'Active',
    effectiveEntitlement: 0,
    used: 0,
    lent: 0,
    promiseSeconds: undefined,
    longestWaitSeconds: 0,
    accessP95Seconds: 0,
    breaches: 0,
    ...figures,
  });

  it('quotas and investments are held in milli-GPUs and shown in GPUs', async () => {
    const metrics = createMetrics({ version: '1' });
    metrics.recordState({
      quotas: [quota('kaist', { effectiveGuarantee: 64_000, used: 65_250, borrowed: 1250, lent: 1 })],
      investments: [investment('company-a', { effectiveEntitlement: 760_027, lent: 500 })],
    });
    const shown = async (name: string) => (await samples(metrics, name)).join();
    assert.equal(await shown('moa_quota_guaranteed_normalized_gpus'), '{quota="kaist"} 64');
    assert.equal(await shown('moa_quota_used_normalized_gpus'), '{quota="kaist"} 65.25');
    assert.equal(await shown('moa_quota_borrowed_normalized_gpus'), '{quota="kaist"} 1.25');
    assert.equal(await shown('moa_quota_lent_normalized_gpus'), '{quota="kaist"} 0.001');
    assert.equal(await shown('moa_investment_entitlement_normalized_gpus'), '{investment="company-a"} 760.027');
    assert.equal(await shown('moa_investment_used_normalized_gpus'), '{investment="company-a"} 0');
    assert.equal(await shown('moa_investment_lent_normalized_gpus'), '{investment="company-a"} 0.5');
  });

  it('pools show devices by class', async () => {
    const metrics = createMetrics({ version: '1' });
    metrics.recordState({ pools: [pool('national')] });
    const shown = async (name: string) => (await samples(metrics, name)).join();
    assert.equal(await shown('moa_pool_nodes'), '{pool="national"} 3');
    assert.equal(await shown('moa_pool_ready_nodes'), '{pool="national"} 2');
    assert.equal(await shown('moa_pool_gpus'), '{pool="national",class="h200"} 24');
    assert.equal(await shown('moa_pool_ready_gpus'), '{pool="national",class="h200"} 16');
    assert.equal(await shown('moa_pool_allocated_gpus'), '{pool="national",class="h200"} 9');
    assert.equal(await shown('moa_pool_free_gpus'), '{pool="national",class="h200"} 7');
    assert.equal(await shown('moa_pool_largest_free_node_gpus'), '{pool="national",class="h200"} 4');
    assert.deepEqual(await samples(metrics, 'moa_pool_normalized_gpus'), [
      '{pool="national",kind="all"} 24',
      '{pool="national",kind="ready"} 16',
      '{pool="national",kind="guaranteed"} 12.5',
      '{pool="national",kind="entitled"} 4',
    ]);
  });

  it('what a sample does not name any more vanishes, a pool with its counts', async () => {
    const metrics = createMetrics({ version: '1' });
    metrics.recordState({
      pools: [pool('a'), pool('b')],
      quotas: [quota('q'), quota('r')],
    });
    metrics.admissions.inc({ quota: 'q' });
    metrics.admissions.inc({ quota: 'r' });
    metrics.podsBound.inc({ pool: 'a' }, 5);
    metrics.podsBound.inc({ pool: 'b' });
    metrics.recordState({ pools: [pool('b')], quotas: [quota('r')] });
    assert.deepEqual(await samples(metrics, 'moa_pool_gpus'), ['{pool="b",class="h200"} 24']);
    assert.deepEqual(await samples(metrics, 'moa_pods_bound_total'), ['{pool="b"} 1']);
    assert.deepEqual(await samples(metrics, 'moa_quota_used_normalized_gpus'), ['{quota="r"} 0']);
    assert.deepEqual(await samples(metrics, 'moa_workloads_admitted_total'), ['{quota="r"} 1']);
  });

  it('what is not there has no series: a limit, a promise, a budget, a condition that is not written', async () => {
    const metrics = createMetrics({ version: '1' });
    metrics.recordState({ pools: [pool('a')], quotas: [quota('q')], investments: [investment('i')] });
    for (const name of [
      'moa_site_power_limit_watts',
      'moa_investment_promised_access_seconds',
      'moa_quota_budget_normalized_gpu_hours',
      'moa_pool_condition',
    ])
      assert.deepEqual(await samples(metrics, name), [], name);
    assert.deepEqual(await samples(metrics, 'moa_site_power_watts'), ['{pool="a",site="daejeon"} 6300']);
  });

  it('a budget shows its four parts, a condition whether it is True, a wait for how long it has lasted', async () => {
    const metrics = createMetrics({ version: '1' });
    metrics.recordState({
      pools: [{ ...pool('a'), conditions: { Overcommitted: true, PowerLimited: false } }],
      quotas: [quota('q', { budget: { granted: 2000.5, carriedOver: 0, used: 1, reserved: 0.25 } })],
      waits: [{ tier: 'Research', reason: 'NoCapacity', seconds: 61.5 }],
      unready: [{ kind: 'ResearchQuota', count: 2 }],
    });
    assert.deepEqual(await samples(metrics, 'moa_quota_budget_normalized_gpu_hours'), [
      '{quota="q",kind="granted"} 2000.5',
      '{quota="q",kind="carried_over"} 0',
      '{quota="q",kind="used"} 1',
      '{quota="q",kind="reserved"} 0.25',
    ]);
    assert.deepEqual(await samples(metrics, 'moa_pool_condition'), [
      '{pool="a",condition="Overcommitted"} 1',
      '{pool="a",condition="PowerLimited"} 0',
    ]);
    assert.deepEqual(await samples(metrics, 'moa_longest_wait_seconds'), [
      '{tier="Research",reason="NoCapacity"} 61.5',
    ]);
    assert.deepEqual(await samples(metrics, 'moa_unready_resources'), ['{kind="ResearchQuota"} 2']);
  });

  it('a process that does not lead shows none of it', async () => {
    const metrics = createMetrics({ version: '1' });
    metrics.recordState({
      pools: [pool('a')],
      quotas: [quota('q')],
      investments: [investment('i')],
      workloads: [{ quotaName: 'q', running: 1, pending: { NoCapacity: 1 }, reserved: 1 }],
      waits: [{ tier: 'Research', reason: 'NoCapacity', seconds: 1 }],
      unready: [{ kind: 'GpuPool', count: 0 }],
    });
    metrics.recordState(noState);
    const { body } = await metrics.render();
    const shown = body
      .split('\n')
      .filter((line) => /^moa_(pool|quota|investment|site|pending|running|longest|un)/.test(line));
    assert.deepEqual(shown, []);
  });

  it('a part that a sample leaves out stays as it was', async () => {
    const metrics = createMetrics({ version: '1' });
    metrics.recordState({ workloads: [{ quotaName: '', running: 0, pending: { NoQuota: 2 }, reserved: 0 }] });
    metrics.recordState({ pools: [pool('a')] });
    assert.deepEqual(await samples(metrics, 'moa_pending_workloads'), ['{quota="",reason="NoQuota"} 2']);
  });

  it('a reason that no workload has any more vanishes', async () => {
    const metrics = createMetrics({ version: '1' });
    metrics.recordState({
      workloads: [{ quotaName: 'q', running: 1, pending: { NoCapacity: 2, UserLimit: 1 }, reserved: 2 }],
    });
    metrics.recordState({ workloads: [{ quotaName: 'q', running: 3, pending: { UserLimit: 1 }, reserved: 1 }] });
    assert.deepEqual(await samples(metrics, 'moa_pending_workloads'), ['{quota="q",reason="UserLimit"} 1']);
    assert.deepEqual(await samples(metrics, 'moa_running_workloads'), ['{quota="q"} 3']);
  });
});
