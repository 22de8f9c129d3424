import type { Charge, ChargeRate } from './charge.ts';
import type { MilliGpuHours } from './hours.ts';
import { limitsAt, nextChangeAt } from './limits.ts';
import type { BudgetSpec } from './spec.ts';

/** How a budget is used now. */
export interface Consumption {
  readonly carriedOver: MilliGpuHours;
  readonly used: Charge;
  /** What is charged for each millisecond now. */
  readonly rate: ChargeRate;
}

/**
 * When the budget, grace left aside, is used up if use goes on at its present rate: the first whole millisecond.
 * Adjustments that are written already are counted from their dates on. Undefined: not before the period ends, or it is
 * used up already. While the rate stays the forecast stays, so a status that holds it is not written over and over.
 *
 * O(adjustments squared): a list of a few entries.
 */
export function forecastExhaustion(spec: BudgetSpec, use: Consumption, now: number): number | undefined {
  const { carriedOver, rate } = use;
  if (rate <= 0n) return undefined;
  let from = Math.max(now, spec.period.start);
  let used: bigint = use.used;
  if (used >= limitsAt(spec, carriedOver, from).softCharge) return undefined;
  for (;;) {
    const { softCharge, period } = limitsAt(spec, carriedOver, from);
    if (from >= period.end) return undefined;
    const left = softCharge - used;
    if (left <= 0n) return from;
    const until = nextChangeAt(spec, from) ?? period.end;
    const exhausted = from + Number((left + rate - 1n) / rate);
    if (exhausted < until) return exhausted;
    used += rate * BigInt(until - from);
    from = until;
  }
}
