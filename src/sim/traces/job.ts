/** One job of a trace, as it was submitted. */
export interface TraceJob {
  /** Unique in its trace; lower-case letters, digits and dashes. */
  readonly id: string;
  /** When it was submitted: epoch seconds in a trace, seconds since the beginning in a window of one. */
  readonly submitSeconds: number;
  /** How long it ran, above 0. */
  readonly durationSeconds: number;
  /** Devices that it held: a whole number, or a part of one, above 0 with at most three decimals. */
  readonly gpus: number;
  /** Who submitted it. */
  readonly institution: string;
}

/** The institutions of a trace: the one that asks for most GPU-seconds first, then by name. */
export function institutionsOf(jobs: readonly TraceJob[]): string[] {
  const gpuSeconds = new Map<string, number>();
  for (const { institution, gpus, durationSeconds } of jobs) {
    gpuSeconds.set(institution, (gpuSeconds.get(institution) ?? 0) + gpus * durationSeconds);
  }
  return [...gpuSeconds].sort(([a, ofA], [b, ofB]) => ofB - ofA || (a < b ? -1 : 1)).map(([name]) => name);
}

/** Most GPUs held at one moment if every job started when it was submitted. */
export function peakGpus(jobs: readonly TraceJob[]): number {
  const changes = jobs.flatMap(({ submitSeconds, durationSeconds, gpus }) => [
    { at: submitSeconds, gpus },
    { at: submitSeconds + durationSeconds, gpus: -gpus },
  ]);
  return peakOf(changes);
}

/** Most GPUs held at one moment by what takes (positive) and gives back (negative) GPUs at these times. Sorts the list. */
export function peakOf(changes: { readonly at: number; readonly gpus: number }[]): number {
  // What ends makes room before another begins.
  changes.sort((a, b) => a.at - b.at || a.gpus - b.gpus);
  let held = 0;
  let peak = 0;
  for (const { gpus } of changes) {
    held += gpus;
    peak = Math.max(peak, held);
  }
  return peak;
}

/** GPU-seconds that the jobs of a window of this length use inside it if every job starts at once. */
export function gpuSecondsWithin(jobs: readonly TraceJob[], seconds: number): number {
  return jobs.reduce(
    (sum, { gpus, submitSeconds, durationSeconds }) => sum + gpus * Math.min(durationSeconds, seconds - submitSeconds),
    0,
  );
}
