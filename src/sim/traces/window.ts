import type { TraceJob } from './job.ts';

/** What {@link busyWindow} looks for. */
export interface WindowOptions {
  readonly hours: number;
  /** Most jobs that the window may hold, those included that run when it begins. */
  readonly maxJobs: number;
}

/** Windows are tried that begin so many seconds apart. */
const stepSeconds = 1800;

/**
 * The busiest stretch of a trace: of the windows with at most `maxJobs` jobs the one in which most GPUs are asked for,
 * summed over the jobs submitted in it; the earliest of equals. Jobs that would be running when it begins are part of
 * it, as if every job had started at once: they are submitted at its first second with what is left of their duration.
 *
 * O(windows x jobs in one) after one pass over the jobs for each window's beginning.
 *
 * @param jobs by time of submission
 * @returns the jobs of the window, times counted from its beginning; undefined when every window has too many jobs, or
 *   the trace is empty
 */
export function busyWindow(jobs: readonly TraceJob[], { hours, maxJobs }: WindowOptions): TraceJob[] | undefined {
  const first = jobs[0];
  const last = jobs.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const length = hours * 3600;
  const ends = jobs.map(({ submitSeconds, durationSeconds }) => submitSeconds + durationSeconds).sort((a, b) => a - b);
  let best: { start: number; from: number; to: number; gpus: number } | undefined;
  let from = 0;
  let to = 0;
  let ended = 0;
  // The last window holds the last job, even if only a part of a step before its end.
  const latest = Math.max(first.submitSeconds, last.submitSeconds - length + stepSeconds);
  for (let start = first.submitSeconds; start <= latest; start += stepSeconds) {
    from = firstNotBefore(jobs, start, from);
    to = firstNotBefore(jobs, start + length, to);
    while ((ends[ended] ?? Infinity) <= start) ended += 1;
    const running = from - ended;
    if (to - from + running > maxJobs) continue;
    const gpus = jobs.slice(from, to).reduce((sum, job) => sum + job.gpus, 0);
    if (best === undefined || gpus > best.gpus) best = { start, from, to, gpus };
  }
  if (best === undefined) return undefined;
  const { start } = best;
  const carried = jobs.slice(0, best.from).filter((job) => job.submitSeconds + job.durationSeconds > start);
  return [
    ...carried.map((job) => ({
      ...job,
      submitSeconds: 0,
      durationSeconds: job.submitSeconds + job.durationSeconds - start,
    })),
    ...jobs.slice(best.from, best.to).map((job) => ({ ...job, submitSeconds: job.submitSeconds - start })),
  ];
}

function firstNotBefore(jobs: readonly TraceJob[], seconds: number, hint: number): number {
  let index = hint;
  while ((jobs[index]?.submitSeconds ?? Infinity) < seconds) index += 1;
  return index;
}
