import type { MilliGpus } from '../core/units/index.ts';
import type { Account } from './interval.ts';

/** What is followed of an investment, in normalized GPUs: C, D, E, E as far as it can be had, and what became of it. */
export const investmentMeasures = [
  /** C: what the investor's devices are worth. */
  'contributed',
  /** D: what the state's devices are worth. */
  'delivered',
  /** E. */
  'entitled',
  /** E after readiness and public floor. */
  'effective',
  /** What the investor uses of the effective entitlement. */
  'used',
  /** What others use of the rest. */
  'lent',
] as const;

export type InvestmentMeasure = (typeof investmentMeasures)[number];

/** An investment at one moment of its term. */
export interface InvestmentStanding {
  /** The account of the investor's quota. */
  readonly account: Account;
  /** Name of the MatchingInvestment. */
  readonly investment: string;
  readonly levels: Readonly<Record<InvestmentMeasure, MilliGpus>>;
}

/**
 * An investment over some time, at most an hour. It is named by investment and start, and may be written again when it
 * has become longer: the longest counts.
 */
export interface InvestmentStretch {
  readonly account: Account;
  readonly investment: string;
  /** Epoch milliseconds. */
  readonly start: number;
  /** First moment after it. */
  readonly end: number;
  /** Milli-GPUs times milliseconds, as decimal text: JSON has no integers of that size. */
  readonly sums: Readonly<Record<InvestmentMeasure, string>>;
}

/** A workload of an investor waited, within its guarantee, for what was lent. */
export interface InvestorWait {
  readonly account: Account;
  readonly investment: string;
  /** The workload's key. */
  readonly workload: string;
  /** When it started, or was given up past the promise. Epoch milliseconds. */
  readonly at: number;
  /** For how long it had waited, rounded up. */
  readonly seconds: number;
  /** Longer than was promised at the time. */
  readonly breach: boolean;
}
