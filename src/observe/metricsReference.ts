import { metricDefinitions } from './metricDefinitions.ts';
import type { MetricDefinition } from './metricDefinitions.ts';
import { processMetrics } from './processMetrics.ts';

const definitions = Object.values<MetricDefinition>(metricDefinitions);

/** The reference page of all metrics, in Markdown: docs/reference/metrics.md. */
export function renderMetricsReference(): string {
  return [
    '# Metrics',
    '',
    'Served at `/metrics` of `--metrics-address` in the Prometheus text format. A name that ends in `normalized_gpus`',
    'counts devices times the weight of their class; one that ends in `gpus` without that counts devices. Gauges that',
    'mirror resources are set by the replica that leads; the series of a deleted resource disappear.',
    '',
    '| metric | type | labels | meaning |',
    '|---|---|---|---|',
    ...definitions.map(renderRow),
    '',
    '## Buckets of the histograms',
    '',
    '| metric | upper bounds, in seconds |',
    '|---|---|',
    ...definitions.flatMap(({ name, buckets }) =>
      buckets === undefined ? [] : [`| \`${name}\` | ${buckets.join(', ')} |`],
    ),
    '',
    '## Process and run time',
    '',
    '| metric | meaning |',
    '|---|---|',
    ...Object.entries(processMetrics).map(([name, meaning]) => `| \`${name}\` | ${meaning} |`),
    '',
  ].join('\n');
}

function renderRow({ name, kind, help, note, labels }: MetricDefinition): string {
  const meanings = Object.entries(labels).map(([label, { meaning, values }]) => {
    const list = values === undefined ? '' : ` (${values.map((value) => `\`${value}\``).join(', ')})`;
    return `\`${label}\`: ${meaning}${list}`;
  });
  const cells = [`\`${name}\``, kind, meanings.join('<br>'), note === undefined ? help : `${help} ${note}`];
  return `| ${cells.join(' | ')} |`;
}
