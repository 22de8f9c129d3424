import type { Micro } from '../units/index.ts';
import type { MilliGpuHours } from './hours.ts';

/** A stretch of time. Epoch milliseconds, whole. */
export interface Period {
  readonly start: number;
  /** First moment after it. */
  readonly end: number;
}

/** A change of a budget. It takes force at a moment and is never taken back, only followed by another. */
export type Adjustment =
  | { readonly kind: 'Supplement' | 'Reduction'; readonly at: number; readonly hours: MilliGpuHours }
  | { readonly kind: 'Extension'; readonly at: number; readonly end: number };

/** `ResearchQuota.spec.budget` as the core sees it: integers, and moments in place of dates. */
export interface BudgetSpec {
  /** Granted for the period, before adjustments. */
  readonly base: MilliGpuHours;
  /** As it is written, without Extensions. */
  readonly period: Period;
  /** Share of the base that passes into the next period at most. */
  readonly carryoverFraction: Micro;
  /** Share of the budget by which borrowers may exceed it. */
  readonly graceFraction: Micro;
  /** In the order in which they take force; those of one moment as they are written. */
  readonly adjustments: readonly Adjustment[];
}
