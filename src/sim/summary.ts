import { gpusPerNode } from './jobPods.ts';
import type { JobOutcome, Replayed } from './replay.ts';

/**
 * One replay in figures. Times in milliseconds. A job's wait is all the time from its submission to its end beyond what
 * the work itself takes: in the queue, at first and after evictions, and in attempts that were lost. Jobs that never
 * could start count in no wait.
 */
export interface Summary {
  readonly jobs: number;
  readonly started: number;
  readonly waited: number;
  readonly waitMean: number;
  readonly waitP50: number;
  readonly waitP95: number;
  readonly waitP99: number;
  /** Of jobs that need more than one node: small ones slip past them wherever no time is kept for them. */
  readonly gangWaitP95: number;
  /** Jobs that their institution was entitled to on arrival, beside all that it held and waited for. */
  readonly guaranteed: number;
  /** From submission to first start of those jobs: the price of having lent what they would have started on. */
  readonly accessP95: number;
  readonly accessWorst: number;
  /** Of the work that was done. */
  readonly gpuHours: number;
  /** From the first arrival to the last end. */
  readonly makespan: number;
  readonly contendedHours: number;
  readonly useWhenContended: number;
  /** Jobs that were promised a time while they waited, and those of them that started later than first promised. */
  readonly promised: number;
  readonly late: number;
  readonly evictions: number;
  readonly lostGpuHours: number;
  /**
   * How evenly institutions that wanted more were served for their shares while GPUs were short: Jain's index of
   * {@link Balance.servedOfShare}, 1 = all alike, 1/n = one has everything.
   */
  readonly jainIndex: number;
  /** The worst served of them: below 1, someone had to do with less than its share though it wanted more. */
  readonly leastServed: number;
  readonly plans: number;
}

export function summaryOf({ outcomes, balance, plans }: Replayed): Summary {
  const done = outcomes.filter((outcome) => outcome.endedAt !== undefined);
  const waits = done.map(waitOf).sort((a, b) => a - b);
  const gangWaits = done
    .filter(({ job }) => job.gpus > gpusPerNode)
    .map(waitOf)
    .sort((a, b) => a - b);
  const guaranteed = done.filter(({ withinGuarantee }) => withinGuarantee);
  const access = guaranteed
    .map(({ submittedAt, startedAt = submittedAt }) => startedAt - submittedAt)
    .sort((a, b) => a - b);
  const promised = outcomes.filter(({ promisedAt }) => promisedAt !== undefined);
  const first = outcomes.reduce((least, { submittedAt }) => Math.min(least, submittedAt), Infinity);
  const last = done.reduce((most, { endedAt = 0 }) => Math.max(most, endedAt), -Infinity);
  const served = [...balance.servedOfShare.values()];
  return {
    jobs: outcomes.length,
    started: done.length,
    waited: waits.filter((wait) => wait > 0).length,
    waitMean: sum(waits) / Math.max(1, waits.length),
    waitP50: quantile(waits, 0.5),
    waitP95: quantile(waits, 0.95),
    waitP99: quantile(waits, 0.99),
    gangWaitP95: quantile(gangWaits, 0.95),
    guaranteed: guaranteed.length,
    accessP95: quantile(access, 0.95),
    accessWorst: access.at(-1) ?? 0,
    gpuHours: sum(done.map(({ job }) => job.gpus * job.durationSeconds)) / 3600,
    makespan: done.length === 0 ? 0 : last - first,
    contendedHours: balance.contendedHours,
    useWhenContended: balance.useWhenContended,
    promised: promised.length,
    late: promised.filter(({ startedAt = Infinity, promisedAt = 0 }) => startedAt > promisedAt).length,
    evictions: sum(outcomes.map(({ evictions }) => evictions)),
    lostGpuHours: sum(outcomes.map(({ lostGpuHours }) => lostGpuHours)),
    jainIndex: jainIndexOf(served),
    leastServed: served.length === 0 ? 1 : Math.min(...served),
    plans,
  };
}

/**
 * (sum x)^2 / (n x sum x^2), from 1/n to 1; 1 for none (Jain, Chiu, Hawe: "A quantitative measure of fairness and
 * discrimination for resource allocation in shared computer systems", 1984).
 */
export function jainIndexOf(values: readonly number[]): number {
  const squares = sum(values.map((value) => value * value));
  return squares === 0 ? 1 : sum(values) ** 2 / (values.length * squares);
}

function waitOf({ job, submittedAt, endedAt = 0 }: JobOutcome): number {
  return endedAt - submittedAt - Math.max(1, Math.round(job.durationSeconds * 1000));
}

/** The value that this part of the sorted values lies below; 0 of none. */
function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
