import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';

import { createMetrics } from '../../src/observe/index.ts';
import type { Metrics } from '../../src/observe/index.ts';
import { metricDefinitions } from '../../src/observe/metricDefinitions.ts';
import type { MetricDefinition } from '../../src/observe/metricDefinitions.ts';
import { ensureBinaries, printProgress } from '../../tools/cluster/index.ts';

/** Gives every metric one series for each fixed value of each label. */
function touchAll(metrics: Metrics): void {
  const instruments = metrics as unknown as Record<
    string,
    Record<'inc' | 'set' | 'observe', (...call: unknown[]) => void>
  >;
  const methods = { counter: 'inc', gauge: 'set', histogram: 'observe' } as const;
  for (const [key, { kind, labels }] of Object.entries<MetricDefinition>(metricDefinitions)) {
    const combinations = Object.entries(labels).reduce<Record<string, string>[]>(
      (all, [label, { values = ['a "quoted"\\name\n'] }]) =>
        all.flatMap((set) => values.map((value) => ({ ...set, [label]: value }))),
      [{}],
    );
    for (const set of combinations)
      instruments[key]![methods[kind]](...(Object.keys(set).length === 0 ? [1] : [set, 1]));
  }
}

async function check(page: string): Promise<{ status: number | null; output: string }> {
  const { promtool } = await ensureBinaries(['promtool'], printProgress());
  const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], { input: page, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

describe("Prometheus' own check of the page", () => {
  it('finds nothing, with every metric touched', async () => {
    const metrics = createMetrics({ version: '0.1.0' });
    touchAll(metrics);
    const { body } = await metrics.render();
    assert.equal(body.match(/^moa_reconcile_total\{/gm)?.length, 3);
    // A GPU-hour is no length of time but what budgets are kept in.
    const hours = 'moa_quota_budget_normalized_gpu_hours use base unit "seconds" instead of "hours"\n';
    assert.deepEqual(await check(body), { status: 3, output: hours });
  });

  it('does find what is wrong', async () => {
    const { status, output } = await check(
      '# HELP moa_waits_total Waits.\n# TYPE moa_waits_total gauge\nmoa_waits_total 1\n',
    );
    assert.notEqual(status, 0);
    assert.match(output, /non-counter metrics should not have "_total" suffix/);
  });
});
