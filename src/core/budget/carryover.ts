import { Temporal } from 'temporal-polyfill';
import { mulDivFloor, oneMicro } from '../units/index.ts';
import { chargeOfHours, milliGpuHours, type Charge } from './charge.ts';
import { noHours, type MilliGpuHours } from './hours.ts';
import { endAt, grantedAt } from './limits.ts';
import type { BudgetSpec, Period } from './spec.ts';

/** What has to be kept of a period, as the manifest no longer says it once the next has begun. */
export type PeriodTerms = Pick<BudgetSpec, 'base' | 'period' | 'carryoverFraction'>;

/** The period that a budget is in, and the one before. */
export interface PeriodHistory {
  readonly current: PeriodTerms;
  /** Undefined: the current one is the first that was seen. */
  readonly previous: PeriodTerms | undefined;
}

/**
 * What is to be kept after a budget has been read. A period that starts where the kept one ended, or later, follows it;
 * any other edit corrects the kept one. Reading the same manifest again changes nothing. O(adjustments).
 *
 * @param kept undefined = the budget is seen for the first time
 */
export function historyAfter(kept: PeriodHistory | undefined, spec: BudgetSpec): PeriodHistory {
  const { base, period, carryoverFraction } = spec;
  const current: PeriodTerms = { base, period, carryoverFraction };
  const follows = kept !== undefined && endOf(kept.current, spec) <= period.start;
  return { current, previous: follows ? kept.current : kept?.previous };
}

/**
 * What passes from the previous period into this one: min(unused base, carryoverFraction x base), rounded down, where
 * both are equally long (DESIGN.md section 7, Budget); else nothing. Use counts against the base first, so what was
 * carried over or supplemented does not pass on, and nothing is carried over twice. Reductions that no Supplement
 * outweighs make the base smaller. Until the last period is over and all of it is booked the result still shrinks.
 *
 * O(adjustments). Throws a RangeError for an unknown zone.
 */
export function carriedOver(spec: BudgetSpec, last: LastPeriod | undefined, timeZone: string): MilliGpuHours {
  if (last === undefined) return noHours;
  const { terms, used } = last;
  const follows = endOf(terms, spec) <= spec.period.start;
  if (!follows || !sameLength(terms.period, spec.period, timeZone)) return noHours;
  const base = Math.min(terms.base, grantedAt(lastBudget(terms, spec), spec.period.start)) as MilliGpuHours;
  const unused = milliGpuHours((chargeOfHours(base) - used) as Charge);
  const most = mulDivFloor(terms.base, terms.carryoverFraction, oneMicro);
  return Math.min(unused, most) as MilliGpuHours;
}

/** The period before, and all that was used in it, children included. */
export interface LastPeriod {
  readonly terms: PeriodTerms;
  readonly used: Charge;
}

/** When the period ended, Extensions included that took force before the next one starts. */
function endOf(terms: PeriodTerms, next: BudgetSpec): number {
  return endAt(lastBudget(terms, next), next.period.start);
}

/** The last period's budget with its adjustments: they are still in the manifest, as entries never go. */
function lastBudget(terms: PeriodTerms, next: BudgetSpec): BudgetSpec {
  return { ...next, ...terms, adjustments: next.adjustments.filter(({ at }) => at < next.period.start) };
}

/**
 * Whether two periods are equally long for people: in years, months and days, or in days. So a year with a 29th of
 * February is as long as one without, February as long as March, and a week as one in which clocks change.
 */
function sameLength(a: Period, b: Period, timeZone: string): boolean {
  return (['year', 'day'] as const).some((unit) => lengthOf(a, unit, timeZone) === lengthOf(b, unit, timeZone));
}

function lengthOf({ start, end }: Period, largestUnit: 'year' | 'day', timeZone: string): string {
  return zoned(start, timeZone).until(zoned(end, timeZone), { largestUnit }).toString();
}

function zoned(moment: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(moment).toZonedDateTimeISO(timeZone);
}
