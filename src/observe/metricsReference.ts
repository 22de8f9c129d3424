import { metricDefinitions } from './metricDefinitions.ts';
import type { MetricDefinition } from './metricDefinitions.ts';
import { processMetrics } from './processMetrics.ts';

/** The reference page of all metrics, in Markdown: docs/reference/metrics.md. */
export function renderMetricsReference(): string {
  return [
    '# Metrics',
    '',
    'Served at `/metrics` of `--metrics-address` in the Prometheus text format. A name that ends in `normalized_gpus`',
    'counts devices times the weight of their class; one that ends in `gpus` without that counts devices. Gauges that',
    'mirror resources are set by the replica that leads; the series of a deleted resource disappear.',
    '',
    ...Object.values<MetricDefinition>(metricDefinitions).flatMap(renderMetric),
    '## Process and run time',
    '',
    '| metric | meaning |',
    '|---|---|',
    ...Object.entries(processMetrics).map(([name, meaning]) => `| \`${name}\` | ${meaning} |`),
    '',
  ].join('\n');
}

function renderMetric({ name, kind, help, note, labels, buckets }: MetricDefinition): string[] {
  const rows = Object.entries(labels).map(([label, { meaning, values }]) => {
    const list = values === undefined ? '' : values.map((value) => `\`${value}\``).join(', ');
    return `| \`${label}\` | ${meaning} | ${list} |`;
  });
  return [
    `## ${name}`,
    '',
    `A ${kind}. ${help}${note === undefined ? '' : ` ${note}`}`,
    '',
    ...(rows.length === 0 ? [] : ['| label | meaning | values |', '|---|---|---|', ...rows, '']),
    ...(buckets === undefined ? [] : [`Buckets: ${buckets.join(', ')}.`, '']),
  ];
}
