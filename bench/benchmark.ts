import type { FlagSet, Settings } from './flags.ts';

/** Figures for people, one row for each thing measured. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** What a benchmark found out. */
export interface Report {
  readonly table: Table;
  /** Sentences under the table: what was checked, and what the columns mean. */
  readonly notes: readonly string[];
  /** Every single measurement, for the file. */
  readonly details: unknown;
  /** What went wrong that makes the figures worthless; empty when all is well. */
  readonly failures: readonly string[];
}

/** A benchmark: `npm run bench -- NAME [flags]`. */
export interface Benchmark<F extends FlagSet = FlagSet> {
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  readonly flags: F;
  /**
   * Measures. Progress goes to standard error.
   *
   * @throws UsageError when the settings do not fit together
   */
  run(settings: Settings<F>, signal: AbortSignal): Promise<Report>;
}
