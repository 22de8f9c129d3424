import type { ResearchQuotaStatus } from '../../api/v1alpha1/index.ts';
import { ConditionReason, QuotaCondition, WaitReason } from '../../api/v1alpha1/constants/index.ts';
import {
  admission,
  budgetFigures,
  describeVerdict,
  forecastExhaustion,
  leastCost,
  parseGpuHours,
  warningsBetween,
  type BudgetLine,
  type BudgetSpec,
  type Charge,
  type ChargeRate,
  type MilliGpuHours,
  type PeriodHistory,
  type PeriodTerms,
  type WarningPercent,
} from '../budget/index.ts';
import { formatInstant, formatMicro, formatMilliGpus, parseMicro } from '../units/index.ts';
import { condition, type ConditionValue } from './verdict.ts';

/** What the ledger says of a quota's budget at a moment, children included. */
export interface BudgetBook {
  readonly used: Charge;
  readonly carriedOver: MilliGpuHours;
  /** What is charged for each millisecond at present. */
  readonly rate: ChargeRate;
  /** The present period and the last; undefined without a budget. */
  readonly history: PeriodHistory | undefined;
}

/** The budgets that a quota draws on, at a moment. */
export interface BudgetNow {
  /** Its own and those above, nearest first; quotas without one left out. */
  readonly lines: readonly BudgetLine[];
  /** Its own; undefined = it has none. */
  readonly own: { readonly spec: BudgetSpec; readonly line: BudgetLine; readonly book: BudgetBook } | undefined;
  /** Epoch milliseconds. */
  readonly now: number;
}

export type BudgetStatus = NonNullable<ResearchQuotaStatus['budget']>;

/** Thousandths of normalized GPU-hours are written as thousandths of GPUs are. */
const formatHours = formatMilliGpus;

/** `status.budget` of a quota (DESIGN.md sections 2.2 and 4.4); undefined when it has no budget of its own. */
export function budgetStatus({ own, now }: BudgetNow): BudgetStatus | undefined {
  if (own === undefined) return undefined;
  const { spec, line, book } = own;
  const figures = budgetFigures(line.limits, line.used, line.reserved);
  const exhaustedAt = forecastExhaustion(spec, book, now);
  const { current, previous } = book.history ?? { current: spec, previous: undefined };
  return {
    granted: formatHours(figures.granted),
    carriedOver: formatHours(figures.carriedOver),
    used: formatHours(figures.used),
    reserved: formatHours(figures.reserved),
    remaining: formatHours(figures.remaining),
    ...(exhaustedAt === undefined ? {} : { forecastExhaustion: formatInstant(exhaustedAt) }),
    currentPeriod: periodStatus(current),
    ...(previous === undefined ? {} : { previousPeriod: periodStatus(previous) }),
  };
}

/** What a status keeps of the periods, as the manifest only has the present one; undefined when it keeps none. */
export function keptPeriods(status: ResearchQuotaStatus | undefined): PeriodHistory | undefined {
  const { currentPeriod, previousPeriod } = status?.budget ?? {};
  const current = currentPeriod === undefined ? undefined : periodTerms(currentPeriod);
  if (current === undefined) return undefined;
  return { current, previous: previousPeriod === undefined ? undefined : periodTerms(previousPeriod) };
}

/** Whether the budgets that a quota draws on admit anything now, and on what terms. */
export function budgetAvailable({ lines, own, now }: BudgetNow): ConditionValue {
  const type = QuotaCondition.BudgetAvailable;
  if (lines.length === 0) {
    const message = 'neither the quota nor one above has a budget; its GPU-hours are counted, not limited';
    return condition(type, true, ConditionReason.NoBudget, message);
  }
  const verdict = admission(lines, leastCost, now);
  switch (verdict.outcome) {
    case 'Borrower':
      return condition(type, true, ConditionReason.InGrace, describeVerdict(verdict));
    case WaitReason.BudgetExhausted:
    case WaitReason.BudgetExpired:
    case WaitReason.BudgetNotStarted:
      return condition(type, false, verdict.outcome, describeVerdict(verdict));
    case 'Full': {
      const reached = own === undefined ? undefined : warningsBetween(undefined, figuresOf(own.line)).at(-1);
      if (reached === undefined) return condition(type, true, ConditionReason.WithinBudget, 'GPU-hours are left');
      return condition(type, true, ConditionReason.NearlyUsed, usedMessage(reached));
    }
  }
}

/** The warnings that a status gives and the one before did not (80, 90 and 100 per cent of the same period's budget). */
export function budgetWarnings(before: BudgetStatus | undefined, after: BudgetStatus): readonly WarningPercent[] {
  const samePeriod = before?.currentPeriod?.start === after.currentPeriod?.start;
  return warningsBetween(samePeriod && before !== undefined ? hoursOf(before) : undefined, hoursOf(after));
}

/** What a warning says. */
export function usedMessage(percent: WarningPercent): string {
  return percent === 100
    ? 'the whole budget is used: what starts now draws on the grace, if there is one; ask for a supplement'
    : `${percent} % of the budget is used; ask for a supplement before it runs out`;
}

function figuresOf({ limits, used, reserved }: BudgetLine) {
  return budgetFigures(limits, used, reserved);
}

function hoursOf({ granted, carriedOver, used }: BudgetStatus) {
  const [grantedHours, carriedHours, usedHours] = [granted, carriedOver, used].map((text) => parseGpuHours(text) ?? 0);
  return { granted: grantedHours, carriedOver: carriedHours, used: usedHours } as Record<
    'granted' | 'carriedOver' | 'used',
    MilliGpuHours
  >;
}

function periodStatus({ base, period, carryoverFraction }: PeriodTerms) {
  return {
    start: formatInstant(period.start),
    end: formatInstant(period.end),
    normalizedGpuHours: formatHours(base),
    carryoverFraction: formatMicro(carryoverFraction),
  };
}

function periodTerms(kept: ReturnType<typeof periodStatus>): PeriodTerms | undefined {
  const base = parseGpuHours(kept.normalizedGpuHours);
  const carryoverFraction = parseMicro(kept.carryoverFraction);
  const period = { start: Date.parse(kept.start), end: Date.parse(kept.end) };
  if (base === undefined || carryoverFraction === undefined || Number.isNaN(period.start + period.end))
    return undefined;
  return { base, period, carryoverFraction };
}
