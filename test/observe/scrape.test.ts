import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { metricDefinitions } from '../../src/observe/metricDefinitions.ts';
import type { MetricDefinition } from '../../src/observe/metricDefinitions.ts';
import { eventually, startOperator, withCluster, type Operator } from '../support/index.ts';
import { Estate } from '../scheduler/estate.ts';
import { startCollector, type Collector } from './collector.ts';
import { startPrometheus, type Prometheus } from './prometheus.ts';
import { alertQueries, dashboardQueries } from './queries.ts';

/** What does not happen here, so that what shows it stays empty. */
const neverHappens = new Set([
  'something is wrong',
  'a binding fails',
  'an eviction fails',
  'a request fails',
  'a watch fails',
]);

/** Metrics of what does not happen here. */
const neverCounted = new Set<string>([
  metricDefinitions.bindFailures.name,
  metricDefinitions.evictionFailures.name,
  metricDefinitions.watchRestarts.name,
]);

const zone = 'topology.kubernetes.io/zone';

/** A site of 20 kW, so that power is shown; borrowers may be taken at once, with a second's notice. */
const poolSpec = {
  sites: [{ name: 'daejeon', nodeSelector: { matchLabels: { [zone]: 'daejeon' } }, powerLimitKilowatts: 20 }],
  scheduling: { reclaim: { minRuntime: '0s', notice: '1s' } },
};

/** The date so many days from now. */
function dayFrom(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
}

describe('the running operator', () => {
  // Before the cluster's own: whoever was started last is stopped first.
  after(async () => {
    await prometheus?.stop();
    await operator?.stop();
    await collector?.close();
  });
  const cluster = withCluster({ crds: true });
  let operator: Operator | undefined;
  let prometheus: Prometheus | undefined;
  let collector: Collector | undefined;
  const ask = (expr: string) => prometheus!.query(expr);
  const sum = async (expr: string) => (await ask(expr)).reduce((total, { value }) => total + value, 0);
  const scraped = (expr: string, least: number) =>
    eventually(async () => assert.ok((await sum(expr)) >= least, `${expr} is below ${least}`), { timeoutMs: 30_000 });

  before(
    async () => {
      collector = await startCollector();
      operator = await startOperator(cluster.plane, ['--leader-elect=true', '--otlp-endpoint', collector.endpoint]);
      prometheus = await startPrometheus(operator.metricsAddress);
      await liveThroughEverything();
    },
    { timeout: 150_000 },
  );

  /** Workloads start, wait, borrow, lend, are reclaimed and are paid for; an investor gets access. */
  async function liveThroughEverything(): Promise<void> {
    const labels = { [zone]: 'daejeon' };
    const invested = { ...labels, funding: 'investor' };
    const estate = await Estate.create(cluster, [{ labels }, { labels }, { labels: invested }], poolSpec);
    const investor = await estate.tenant({ guaranteed: 12 }, { tier: 'Strategic' });
    await cluster.client.create(
      estate.resource('MatchingInvestment', 'company-a', {
        investorName: investor.quota,
        contribution: {
          kind: 'Hardware',
          items: [{ class: 'h200', gpus: 8 }],
          nodeSelector: { matchLabels: { funding: 'investor' } },
        },
        entitlement: { ownFraction: '1.0' },
        term: { start: dayFrom(-30), end: dayFrom(365) },
        reclaim: { guaranteedAccessWithin: '1h' },
      }),
    );
    const budget = { normalizedGpuHours: '1000', period: { start: dayFrom(-30), end: dayFrom(300) } };
    const borrower = await estate.tenant({}, { tier: 'Education', budget });
    // A rate needs a count that was seen to grow, so everything happens twice, with a scrape in between.
    await borrower.running(1, { gpus: 8 });
    await scraped('moa_workload_wait_seconds_count{tier="Education"}', 1);
    await borrower.running(2, { gpus: 8 });
    await investor.running(1, { gpus: 8 });
    await scraped('moa_reclaim_access_seconds_count', 1);
    await investor.running(1, { gpus: 8 });
    await borrower.pod({ gpus: 8 });
    await scraped('moa_pending_workloads', 1);
  }

  it('answers a real Prometheus every query of the alerts and of the dashboard, and shows something wherever something has happened', async () => {
    await eventually(
      async () => {
        const empty: string[] = [];
        for (const { place, expr, emptyUntil } of [...alertQueries, ...dashboardQueries]) {
          const samples = await ask(expr);
          const hasData = samples.some(({ value }) => !Number.isNaN(value));
          if (!hasData && !(emptyUntil !== undefined && neverHappens.has(emptyUntil))) empty.push(`${place}: ${expr}`);
        }
        assert.deepEqual(empty, []);
      },
      { timeoutMs: 40_000, everyMs: 500 },
    );
  });

  it('shows every metric on the page but those of failures', async () => {
    const names = Object.values<MetricDefinition>(metricDefinitions)
      .map(({ name, kind }) => (kind === 'histogram' ? `${name}_count` : name))
      .filter((name) => !neverCounted.has(name));
    const missing = [];
    for (const name of names) if ((await ask(`count(${name})`)).length === 0) missing.push(name);
    assert.deepEqual(missing, []);
  });

  it('lets every alert be evaluated, and none fires', async () => {
    const rules = await eventually(async () => {
      const all = await prometheus!.rules();
      assert.ok(all.every(({ health }) => health !== 'unknown'));
      return all;
    });
    assert.equal(rules.length, alertQueries.length);
    assert.deepEqual(
      rules.filter(({ health }) => health !== 'ok').map(({ name, lastError }) => [name, lastError]),
      [],
    );
    assert.deepEqual(
      rules.filter(({ state }) => state === 'firing').map(({ name }) => name),
      [],
    );
  });

  it('shows what the statuses say', async () => {
    assert.equal(await sum('moa_leader'), 1);
    assert.equal(await sum('moa_pool_gpus'), 24);
    assert.equal(await sum('moa_investment_promised_access_seconds'), 3600);
    assert.equal(await sum('moa_investment_access_breaches'), 0);
    assert.equal(await sum('moa_site_power_limit_watts'), 20_000);
    assert.equal(await sum('moa_unready_resources'), 0);
    assert.equal(await sum('moa_quota_info{tier="Education"}'), 1);
    assert.ok((await sum('moa_workloads_admitted_total')) >= 5);
  });

  it('sends traces of its cycles, reconciliations and requests', async () => {
    await eventually(() => {
      const { spans } = collector!;
      const cycles = spans.filter(({ name }) => name === 'scheduling cycle');
      assert.ok(cycles.some(({ attributes }) => Number(attributes['moa.admitted']) > 0));
      assert.ok(cycles.some(({ attributes }) => Number(attributes['moa.evicted']) > 0));
      const plans = spans.filter(({ name }) => name === 'plan');
      assert.deepEqual(
        cycles.map(({ spanId }) => plans.filter(({ parentSpanId }) => parentSpanId === spanId).length),
        cycles.map(() => 1),
      );
      assert.ok(spans.some(({ name }) => name === 'POST pods/binding'));
      assert.ok(spans.some(({ name }) => name === 'reconcile status-GpuPool'));
      assert.ok(spans.every(({ resource }) => resource['service.name'] === 'moa'));
    });
  });
});
