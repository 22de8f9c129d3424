import { mulDivFloor, oneMicro } from '../units/index.ts';
import { chargeOfHours, type Charge } from './charge.ts';
import { totalHours, type MilliGpuHours } from './hours.ts';
import type { Adjustment, BudgetSpec, Period } from './spec.ts';

/** What a budget allows from some moment until its next change. */
export interface BudgetLimits {
  /** With Extensions in force. */
  readonly period: Period;
  /** Base and adjustments in force. */
  readonly granted: MilliGpuHours;
  /** What came from the last period. */
  readonly carriedOver: MilliGpuHours;
  /** granted + carriedOver: up to here everything is admitted in full. */
  readonly soft: MilliGpuHours;
  /** soft and the grace: up to here borrowers are admitted. */
  readonly hard: MilliGpuHours;
  /** The same two as charges, for comparing. */
  readonly softCharge: Charge;
  readonly hardCharge: Charge;
}

/**
 * The limits of a budget at a moment (DESIGN.md section 4.4). An adjustment is in force from its date on. One that is
 * dated before the period starts belongs to an earlier period and counts no more: the list only ever grows.
 *
 * O(adjustments).
 *
 * @param carriedOver see `carriedOver`
 */
export function limitsAt(spec: BudgetSpec, carriedOver: MilliGpuHours, now: number): BudgetLimits {
  const granted = grantedAt(spec, now);
  const soft = totalHours([granted, carriedOver]);
  const hard = totalHours([soft, mulDivFloor(soft, spec.graceFraction, oneMicro)]);
  return {
    period: { start: spec.period.start, end: endAt(spec, now) },
    granted,
    carriedOver,
    soft,
    hard,
    softCharge: chargeOfHours(soft),
    hardCharge: chargeOfHours(hard),
  };
}

/** Base + Supplements - Reductions in force; never below 0. O(adjustments). */
export function grantedAt(spec: BudgetSpec, now: number): MilliGpuHours {
  const amounts: number[] = [spec.base];
  for (const adjustment of inForceAt(spec, now)) {
    if (adjustment.kind === 'Supplement') amounts.push(adjustment.hours);
    if (adjustment.kind === 'Reduction') amounts.push(0 - adjustment.hours);
  }
  return totalHours(amounts);
}

/**
 * First moment after the period, as known at `now`. Of several Extensions the one that took force last counts, so that
 * one that went too far can be followed by one that does not; none ends the period before its written end.
 *
 * O(adjustments).
 */
export function endAt(spec: BudgetSpec, now: number): number {
  let end = spec.period.end;
  for (const adjustment of inForceAt(spec, now)) {
    if (adjustment.kind === 'Extension') end = Math.max(adjustment.end, spec.period.end);
  }
  return end;
}

/**
 * The next moment after `now` at which limits change or the period starts or ends, though nobody touches the object;
 * undefined = never. O(adjustments).
 */
export function nextChangeAt(spec: BudgetSpec, now: number): number | undefined {
  const { start } = spec.period;
  const moments = [start, endAt(spec, now), ...spec.adjustments.map(({ at }) => at).filter((at) => at >= start)];
  const next = Math.min(...moments.filter((moment) => moment > now));
  return next === Infinity ? undefined : next;
}

function inForceAt({ adjustments, period }: BudgetSpec, now: number): readonly Adjustment[] {
  return adjustments.filter(({ at }) => at >= period.start && at <= now);
}
