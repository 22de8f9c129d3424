import type { ResearchQuota } from '../../api/v1alpha1/index.ts';
import { micros, parseInstant, parseMicro, parsePeriodEnd, type Micro } from '../units/index.ts';
import { noHours, parseGpuHours, type MilliGpuHours } from './hours.ts';
import type { Adjustment, BudgetSpec } from './spec.ts';

type Written = NonNullable<ResearchQuota['spec']['budget']>;
type WrittenAdjustment = NonNullable<Written['adjustments']>[number];

/** A budget, and for each field that could not be read a sentence that names it and says what to write instead. */
export interface BudgetReading {
  readonly budget: BudgetSpec;
  readonly problems: readonly string[];
}

/**
 * The budget of a quota's manifest; undefined = it has none. With problems the budget is not to be used. A budget that
 * the schema admits has none, but for a time zone that does not exist and a period that is empty in this one.
 *
 * @param timeZone of the quota's pool, in which bare dates are days; of a pool that can't be found, any zone will do
 */
export function budgetSpecOf({ spec }: ResearchQuota, timeZone: string): BudgetReading | undefined {
  const written = spec.budget;
  if (written === undefined) return undefined;
  const fields = new BudgetFields(timeZone);
  const { period, carryover, overdraft, adjustments = [] } = written;
  const start = fields.instant('period.start', period.start);
  const end = fields.periodEnd('period.end', period.end);
  if (start >= end) fields.add('period.end', `must come after period.start in the pool's time zone, ${timeZone}`);
  const budget: BudgetSpec = {
    base: fields.hours('normalizedGpuHours', written.normalizedGpuHours),
    period: { start, end },
    carryoverFraction: fields.fraction('carryover.maxFraction', carryover.maxFraction),
    graceFraction: fields.fraction('overdraft.graceFraction', overdraft.graceFraction),
    adjustments: adjustments.map((entry) => adjustmentOf(fields, entry)).sort((a, b) => a.at - b.at),
  };
  return { budget, problems: fields.problems };
}

function adjustmentOf(fields: BudgetFields, { name, date, kind, ...rest }: WrittenAdjustment): Adjustment {
  const field = `adjustments[${name}]`;
  const at = fields.instant(`${field}.date`, date);
  return kind === 'Extension'
    ? { kind, at, end: fields.periodEnd(`${field}.end`, rest.end ?? '') }
    : { kind, at, hours: fields.hours(`${field}.normalizedGpuHours`, rest.normalizedGpuHours ?? '') };
}

/** Reads fields of a budget one after the other and notes what is wrong with which. */
class BudgetFields {
  readonly problems: string[] = [];
  readonly #timeZone: string;

  constructor(timeZone: string) {
    this.#timeZone = timeZone;
  }

  add(field: string, problem: string): void {
    this.problems.push(`spec.budget.${field}: ${problem}`);
  }

  hours(field: string, value: string | number): MilliGpuHours {
    const advice = 'write normalized GPU-hours of 0 or more with at most three decimals';
    return this.#read(field, parseGpuHours(value), { fallback: noHours, advice });
  }

  fraction(field: string, value: string | number): Micro {
    const advice = 'write a number of 0 or more with at most six decimals';
    return this.#read(field, parseMicro(value), { fallback: micros(0), advice });
  }

  instant(field: string, value: string): number {
    return this.#read(field, parseInstant(value, this.#timeZone), { fallback: -Infinity, advice: noMoment(value) });
  }

  periodEnd(field: string, value: string): number {
    return this.#read(field, parsePeriodEnd(value, this.#timeZone), { fallback: Infinity, advice: noMoment(value) });
  }

  #read<T>(field: string, parsed: T | undefined, otherwise: { readonly fallback: T; readonly advice: string }): T {
    if (parsed !== undefined) return parsed;
    this.add(field, otherwise.advice);
    return otherwise.fallback;
  }
}

function noMoment(value: string): string {
  return `no such moment: ${value}, write a date such as 2026-03-01`;
}
