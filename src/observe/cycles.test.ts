import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { cycleObserver } from './cycles.ts';
import type { CycleObservation } from './cycles.ts';
import { createMetrics } from './metrics.ts';

const finished = {
  outcome: 'finished',
  whole: true,
  snapshotMs: 1,
  planMs: 250,
  applyMs: 4,
  admitted: 1,
  evicted: 0,
  reserved: 0,
} as const;

async function pageAfter(...cycles: readonly CycleObservation[]): Promise<string> {
  const metrics = createMetrics({ version: '1' });
  const observe = cycleObserver(metrics);
  for (const cycle of cycles) observe(cycle);
  return (await metrics.render()).body;
}

describe('scheduling cycles', () => {
  it('are counted by how they ended', async () => {
    const page = await pageAfter(finished, finished, { ...finished, whole: false }, { outcome: 'skipped' });
    for (const [result, count] of Object.entries({ whole: 2, partial: 1, skipped: 1, failed: 0 }))
      assert.ok(page.includes(`\nmoa_scheduling_cycles_total{result="${result}"} ${count}\n`), result);
  });

  it('that finished are timed by phase, in seconds; others have no time', async () => {
    const page = await pageAfter(finished, { outcome: 'failed' });
    for (const [phase, seconds] of Object.entries({ snapshot: 0.001, plan: 0.25, apply: 0.004 })) {
      assert.ok(page.includes(`\nmoa_scheduling_cycle_duration_seconds_sum{phase="${phase}"} ${seconds}\n`), phase);
      assert.ok(page.includes(`\nmoa_scheduling_cycle_duration_seconds_count{phase="${phase}"} 1\n`), phase);
    }
  });
});
