import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import {
  busyWindow,
  institutionsOf,
  peakGpus,
  readPhilly,
  sampleDay,
  type TraceJob,
} from '../../src/sim/traces/index.ts';
import { UsageError, type SimulatedNode } from '../cluster/index.ts';
import type { DemoOptions } from './arguments.ts';
import { capacityOf, fleetOf, investmentPlan, nodesFor, type InvestmentPlan } from './fleet.ts';

/** Everything that happens in a run of the demo, decided beforehand. */
export interface Scenario {
  /** Where the jobs are from, for people. */
  readonly source: string;
  /** Length of the window, in seconds of the trace. */
  readonly seconds: number;
  readonly jobs: readonly TraceJob[];
  /** Those of the whole trace: who asks for most in the window first. */
  readonly institutions: readonly string[];
  /** GPUs in use at the peak if every job started at once. */
  readonly peakGpus: number;
  readonly fleet: readonly SimulatedNode[];
  readonly capacity: { readonly gpus: number; readonly milliGpus: number };
  readonly investment: InvestmentPlan;
}

const hours = 24;
/** How far the peak exceeds the fleet that the window begins with. What the investment adds brings it near 1.15. */
const contention = 1.3;
const published = fileURLToPath(new URL('../../../shared/data/philly.csv', import.meta.url));

/** @throws UsageError when the trace cannot be used */
export function planScenario(options: DemoOptions): Scenario {
  const { source, jobs, all } = loadJobs(options);
  const seconds = hours * 3600;
  const peak = peakGpus(jobs);
  const fleet = fleetOf(options.nodes ?? Math.max(3, nodesFor(peak / contention)));
  return {
    source,
    seconds,
    jobs,
    institutions: [...new Set([...institutionsOf(jobs), ...institutionsOf(all)])],
    peakGpus: peak,
    fleet,
    capacity: capacityOf(fleet),
    investment: investmentPlan('matching-2026', fleet.length, seconds),
  };
}

function loadJobs(options: DemoOptions): { source: string; jobs: readonly TraceJob[]; all: readonly TraceJob[] } {
  const { trace = existsSync(published) ? published : 'sample', seed, jobs: maxJobs } = options;
  if (trace === 'sample') {
    const jobs = sampleDay({ seed, jobs: maxJobs });
    return { source: `a sample day made from seed ${seed}`, jobs, all: jobs };
  }
  const all = readTrace(trace);
  const jobs = busyWindow(all, { hours, maxJobs });
  if (jobs === undefined) {
    throw new UsageError(`${trace} has no ${hours} hours with at most ${maxJobs} jobs: allow more with --jobs`);
  }
  return { source: `the busiest ${hours} hours with at most ${maxJobs} jobs of ${trace}`, jobs, all };
}

function readTrace(file: string): TraceJob[] {
  try {
    return readPhilly(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`--trace ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
