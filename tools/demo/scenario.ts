import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import {
  busyWindow,
  gpuSecondsWithin,
  institutionsOf,
  peakGpus,
  readPhilly,
  sampleDay,
  sampleInstitutions,
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
const published = fileURLToPath(new URL('../../../shared/data/philly.csv', import.meta.url));

/** @throws UsageError when the trace cannot be used */
export function planScenario(options: DemoOptions): Scenario {
  const { source, jobs, institutions } = loadJobs(options);
  const seconds = hours * 3600;
  // What the window keeps busy on average is all that there is: at its peak jobs wait, and it has work to the end.
  const mean = gpuSecondsWithin(jobs, seconds) / seconds;
  const fleet = fleetOf(options.nodes ?? Math.max(3, nodesFor(mean)));
  return {
    source,
    seconds,
    jobs,
    institutions: [...new Set([...institutionsOf(jobs), ...institutions])],
    peakGpus: peakGpus(jobs),
    fleet,
    capacity: capacityOf(fleet),
    investment: investmentPlan('matching-2026', fleet.length, seconds),
  };
}

function loadJobs(options: DemoOptions): Pick<Scenario, 'source' | 'jobs' | 'institutions'> {
  const { trace = existsSync(published) ? published : 'sample', seed, jobs: maxJobs } = options;
  if (trace === 'sample') {
    const jobs = sampleDay({ seed, jobs: maxJobs });
    return { source: `a sample day made from seed ${seed}`, jobs, institutions: sampleInstitutions };
  }
  const all = readTrace(trace);
  const jobs = busyWindow(all, { hours, maxJobs });
  if (jobs === undefined) {
    throw new UsageError(`${trace} has no ${hours} hours with at most ${maxJobs} jobs: allow more with --jobs`);
  }
  return {
    source: `the busiest ${hours} hours with at most ${maxJobs} jobs of ${trace}`,
    jobs,
    institutions: institutionsOf(all),
  };
}

function readTrace(file: string): TraceJob[] {
  try {
    return readPhilly(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`--trace ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
