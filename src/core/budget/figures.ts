import { milliGpuHours, type Charge } from './charge.ts';
import type { MilliGpuHours } from './hours.ts';
import type { BudgetLimits } from './limits.ts';

/** `ResearchQuota.status.budget`, but for the forecast. */
export interface BudgetFigures {
  readonly granted: MilliGpuHours;
  readonly carriedOver: MilliGpuHours;
  readonly used: MilliGpuHours;
  readonly reserved: MilliGpuHours;
  /** granted + carriedOver - used - reserved, of these very figures. Negative in grace. */
  readonly remaining: MilliGpuHours;
}

/** What people see of a budget: charges are rounded down to the milli-GPU-hour here and nowhere else. */
export function budgetFigures(limits: BudgetLimits, used: Charge, reserved: Charge): BudgetFigures {
  const { granted, carriedOver } = limits;
  const [usedHours, reservedHours] = [milliGpuHours(used), milliGpuHours(reserved)];
  const remaining = (granted + carriedOver - usedHours - reservedHours) as MilliGpuHours;
  return { granted, carriedOver, used: usedHours, reserved: reservedHours, remaining };
}

/** Per cent of a budget at which its people are warned. */
const warnings = [80, 90, 100] as const;

export type WarningPercent = (typeof warnings)[number];

type Use = Pick<BudgetFigures, 'granted' | 'carriedOver' | 'used'>;

/**
 * The warnings to give: those that the use has reached, and had not where the figures last stood. Given the figures of
 * status, a restart repeats nothing, while a supplement that makes use fall below a mark lets it warn again. A jump over
 * several returns them all, the least first.
 *
 * @param before the figures of the same period that were last published; undefined = none
 */
export function warningsBetween(before: Use | undefined, after: Use): readonly WarningPercent[] {
  return warnings.filter((percent) => reached(after, percent) && (before === undefined || !reached(before, percent)));
}

/** Nothing used has reached no mark, even of an empty budget. */
function reached({ granted, carriedOver, used }: Use, percent: WarningPercent): boolean {
  return used > 0 && BigInt(used) * 100n >= BigInt(granted + carriedOver) * BigInt(percent);
}
