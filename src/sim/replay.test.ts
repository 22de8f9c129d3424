import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { comparePooling } from './comparison.ts';
import type { TraceJob } from './traces/index.ts';

const hour = 3600;

/** A job of one hour. */
const job = (id: string, institution: string, submitSeconds: number, gpus: number): TraceJob => ({
  id,
  institution,
  submitSeconds,
  gpus,
  durationSeconds: hour,
});

describe('a replay', () => {
  it("runs jobs in each other's idle time when pooled, and makes them wait when fenced", () => {
    const jobs = [job('a1', 'a', 0, 8), job('a2', 'a', 0, 8), job('b1', 'b', 7200, 8), job('b2', 'b', 7200, 8)];
    const { fenced, pooled } = comparePooling({ jobs, nodes: 2 });
    assert.deepEqual([fenced.waited, pooled.waited], [2, 0]);
    assert.equal(fenced.waitP95, 3600);
    assert.equal(fenced.gpuHours, pooled.gpuHours);
  });

  it('counts a job that can never start as not started, and ends', () => {
    const { pooled } = comparePooling({ jobs: [job('a1', 'a', 0, 8), job('big', 'a', 0, 64)], nodes: 2 });
    assert.deepEqual([pooled.jobs, pooled.started], [2, 1]);
  });

  it('starts a gang over several nodes only when all of them are free', () => {
    const { pooled } = comparePooling({ jobs: [job('one', 'a', 0, 8), job('gang', 'a', 1, 16)], nodes: 2 });
    assert.equal(pooled.waitP95, 3599);
  });
});
