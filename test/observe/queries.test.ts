import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { metricDefinitions } from '../../src/observe/metricDefinitions.ts';
import type { MetricDefinition } from '../../src/observe/metricDefinitions.ts';
import { processMetrics } from '../../src/observe/processMetrics.ts';
import { readPromQl } from './promql.ts';
import { alertQueries, dashboardQueries } from './queries.ts';

/** What is known of a metric: its labels, with their values where those are fixed. */
type Labels = ReadonlyMap<string, readonly string[] | undefined>;

/** Added by Prometheus to everything that it scrapes. */
const ofTheScrape = ['job', 'instance'];

const known = new Map<string, Labels>([
  ...Object.values<MetricDefinition>(metricDefinitions).flatMap(seriesOf),
  ...Object.keys(processMetrics).flatMap((name): [string, Labels][] => {
    const labels = labelsOf(['kind', 'space', 'type'].map((label) => [label, undefined]));
    return [name, `${name}_sum`, `${name}_count`].map((series) => [series, labels]);
  }),
]);

function seriesOf({ name, kind, labels }: MetricDefinition): [string, Labels][] {
  const own = Object.entries(labels).map(([label, { values }]): [string, readonly string[] | undefined] => [
    label,
    values,
  ]);
  if (kind !== 'histogram') return [[name, labelsOf(own)]];
  return [
    [`${name}_bucket`, labelsOf([...own, ['le', undefined]])],
    [`${name}_sum`, labelsOf(own)],
    [`${name}_count`, labelsOf(own)],
  ];
}

function labelsOf(own: Iterable<[string, readonly string[] | undefined]>): Labels {
  return new Map([...own, ...ofTheScrape.map((label): [string, undefined] => [label, undefined])]);
}

/** Everything in an expression that no metric has. */
function mistakesIn(expr: string): string[] {
  const { selections, groupings } = readPromQl(expr);
  const ofSelections = selections.flatMap(({ metric, matchers }) => {
    const labels = known.get(metric);
    if (labels === undefined) return [`there is no metric ${metric}`];
    return matchers.flatMap(({ label, value }) => {
      if (!labels.has(label)) return [`${metric} has no label ${label}`];
      const values = labels.get(label);
      const strange = value.split('|').filter((one) => /^\w+$/.test(one) && values?.includes(one) === false);
      return strange.map((one) => `${label} of ${metric} is never ${one}`);
    });
  });
  const ofGroupings = groupings.flatMap(({ labels, metrics }) =>
    labels
      .filter((label) => !metrics.some((metric) => known.get(metric)?.has(label)))
      .map((label) => `no metric of ${metrics.join(', ')} has the label ${label}`),
  );
  return [...ofSelections, ...ofGroupings];
}

describe('the queries of the alerts and of the dashboard', () => {
  for (const { place, expr } of [...alertQueries, ...dashboardQueries])
    it(`${place} is PromQL and asks for what exists`, () => assert.deepEqual(mistakesIn(expr), []));

  it('show every metric of Moa somewhere', () => {
    const shown = new Set(
      [...alertQueries, ...dashboardQueries].flatMap(({ expr }) =>
        readPromQl(expr).selections.map(({ metric }) => metric.replace(/_(bucket|sum|count)$/, '')),
      ),
    );
    const names = Object.values<MetricDefinition>(metricDefinitions).map(({ name }) => name);
    assert.deepEqual(
      names.filter((name) => !shown.has(name)),
      [],
    );
  });

  it('name a series by labels that it has', () => {
    const mistakes = dashboardQueries.flatMap(({ place, expr, legend = '' }) => {
      const { selections } = readPromQl(expr);
      const labels = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label ?? '');
      return labels
        .filter((label) => !selections.some(({ metric }) => known.get(metric)?.has(label)))
        .map((label) => `${place}: ${label}`);
    });
    assert.deepEqual(mistakes, []);
  });
});

describe('the check of queries', () => {
  const table: [sentence: string, expr: string, want: string[]][] = [
    ['a metric that does not exist', 'sum(moa_leaders)', ['there is no metric moa_leaders']],
    ['a label that the metric does not have', 'moa_pool_nodes{class="x"}', ['moa_pool_nodes has no label class']],
    [
      'a value that the label never has',
      'moa_scheduling_cycles_total{result=~"whole|half"}',
      ['result of moa_scheduling_cycles_total is never half'],
    ],
    [
      'a grouping by a label that nothing has',
      'sum by (reason) (moa_leader)',
      ['no metric of moa_leader has the label reason'],
    ],
    [
      'a join on a label that neither side has',
      'moa_leader * on (pool) moa_bind_backlog',
      ['no metric of moa_leader, moa_bind_backlog has the label pool'],
    ],
    [
      'a histogram without a suffix',
      'rate(moa_bind_duration_seconds[5m])',
      ['there is no metric moa_bind_duration_seconds'],
    ],
  ];
  for (const [sentence, expr, want] of table) it(`finds ${sentence}`, () => assert.deepEqual(mistakesIn(expr), want));

  it('finds what is no PromQL', () => {
    assert.throws(() => mistakesIn('sum(rate(moa_leader[5m])'), /no PromQL at 2\d/);
    assert.throws(() => mistakesIn('moa_leader ~ 1'), /no PromQL at 11/);
  });
});
