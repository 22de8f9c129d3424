import { median } from '../report.ts';
import { quantile } from './timing.ts';

/** What a figure is to be: a rate of at least, a time or size of less than. */
export type Reach = { readonly atLeast: number } | { readonly under: number };

/** Something measured. */
export interface Figure {
  readonly what: string;
  readonly unit: 'pods/s' | 'ms' | 'µs' | 'bytes' | 'workloads' | 'times';
  /** One for each round, or for each cycle where the slowest ones count. */
  readonly samples: readonly number[];
  /** Undefined: told for comparison, nothing is promised. */
  readonly reach?: Reach | undefined;
  /** Which of the samples is reported. */
  readonly as?: 'median' | 'p99';
}

/** What a case found: figures, and what was wrong with the answers that were timed. */
export interface Outcome {
  readonly figures: readonly Figure[];
  readonly faults: readonly string[];
}

/** A situation that the core is measured in. */
export interface Case {
  readonly name: string;
  /** Measures `rounds` times after warming up. */
  readonly measure: (rounds: number) => Outcome;
}

export function valueOf({ samples, as = 'median' }: Figure): number {
  return as === 'median' ? median(samples) : quantile(samples, 0.99);
}

/** Undefined where nothing is promised. */
export function isMet(figure: Figure): boolean | undefined {
  const { reach } = figure;
  if (reach === undefined) return undefined;
  return 'atLeast' in reach ? valueOf(figure) >= reach.atLeast : valueOf(figure) < reach.under;
}

/** `rounds` outcomes of the same figures as one, their samples together. */
export function together(outcomes: readonly Outcome[]): Outcome {
  const [first] = outcomes;
  const figures = (first?.figures ?? []).map((figure, i) => ({
    ...figure,
    samples: outcomes.flatMap((outcome) => outcome.figures[i]?.samples ?? []),
  }));
  return { figures, faults: [...new Set(outcomes.flatMap((outcome) => outcome.faults))] };
}

/** Runs one round `rounds` times, after `warmUps` that are thrown away but for their faults. */
export function repeated(round: () => Outcome, rounds: number, warmUps: number): Outcome {
  const faults = Array.from({ length: warmUps }, round).flatMap((outcome) => outcome.faults);
  const outcome = together(Array.from({ length: rounds }, round));
  return { ...outcome, faults: [...new Set([...faults, ...outcome.faults])] };
}
