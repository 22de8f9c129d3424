import { WaitReason } from '../../api/v1alpha1/constants/index.ts';
import { formatInstant, formatMilliGpus } from '../units/index.ts';
import { hoursNeededFor, milliGpuHours, type Charge } from './charge.ts';
import type { BudgetLimits } from './limits.ts';

/** One budget that a workload draws on: its quota's, or that of a quota above. Children's use is part of the figures. */
export interface BudgetLine {
  readonly quotaName: string;
  readonly limits: BudgetLimits;
  readonly used: Charge;
  readonly reserved: Charge;
}

/** Outcomes of an admission, each stricter than the one before. */
const outcomes = [
  'Full',
  'Borrower',
  WaitReason.BudgetExhausted,
  WaitReason.BudgetExpired,
  WaitReason.BudgetNotStarted,
] as const;

type Outcome = (typeof outcomes)[number];

/**
 * How budgets admit a workload: in full, as a borrower that may be reclaimed whatever its quota is guaranteed, or not
 * now, for the wait reason that `outcome` then is.
 */
export type BudgetVerdict = { readonly outcome: 'Full' } | StrictVerdict;

/** Any verdict but `Full`. */
export interface StrictVerdict {
  readonly outcome: Exclude<Outcome, 'Full'>;
  /** The budget that decided. */
  readonly line: BudgetLine;
  readonly cost: Charge;
}

/** The least that can be asked for: its admission tells how a budget stands. */
export const leastCost = 1n as Charge;

const full: BudgetVerdict = { outcome: 'Full' };

/**
 * How the budgets of a chain admit a workload (DESIGN.md section 4.4): as the strictest of them does; of several that
 * are equally strict the nearest to the workload is named. O(budgets in the chain).
 *
 * @param lines budgets of the workload's quota and of those above, nearest first; quotas without budget left out
 * @param cost weight x devices x walltime, without `borrowedChargeFactor`
 */
export function admission(lines: readonly BudgetLine[], cost: Charge, now: number): BudgetVerdict {
  let strictest = 0;
  let decisive: BudgetLine | undefined;
  for (const line of lines) {
    const rank = outcomes.indexOf(outcomeOf(line, cost, now));
    if (rank <= strictest) continue;
    strictest = rank;
    decisive = line;
  }
  const outcome = outcomes[strictest];
  if (decisive === undefined || outcome === undefined || outcome === 'Full') return full;
  return { outcome, line: decisive, cost };
}

/** One sentence for people: which budget, its figures, and what to do. */
export function describeVerdict({ outcome, line, cost }: StrictVerdict): string {
  const { quotaName, limits } = line;
  switch (outcome) {
    case WaitReason.BudgetNotStarted:
      return `the budget of ResearchQuota ${quotaName} starts at ${formatInstant(limits.period.start)}`;
    case WaitReason.BudgetExpired:
      return (
        `the budget of ResearchQuota ${quotaName} ended at ${formatInstant(limits.period.end)}; ` +
        `ask for an extension or for a next period`
      );
    case WaitReason.BudgetExhausted:
      return `${figures(line, cost)}; declare a shorter walltime, or ask for a supplement`;
    case 'Borrower':
      return `${figures(line, cost)}: admitted on its grace, so it may be reclaimed at any time`;
  }
}

function outcomeOf({ limits, used, reserved }: BudgetLine, cost: Charge, now: number): Outcome {
  if (now < limits.period.start) return WaitReason.BudgetNotStarted;
  if (now >= limits.period.end) return WaitReason.BudgetExpired;
  const total = used + reserved + cost;
  if (total <= limits.softCharge) return 'Full';
  return total <= limits.hardCharge ? 'Borrower' : WaitReason.BudgetExhausted;
}

function figures({ quotaName, limits, used, reserved }: BudgetLine, cost: Charge): string {
  const left = (limit: Charge) => formatMilliGpus(milliGpuHours((limit - used - reserved) as Charge));
  const [soft, hard] = [left(limits.softCharge), left(limits.hardCharge)];
  const grace = limits.hard === limits.soft ? '' : ` (${hard} with grace)`;
  return (
    `ResearchQuota ${quotaName} has ${soft}${grace} of ${formatMilliGpus(limits.soft)} normalized GPU-hours left ` +
    `(${formatMilliGpus(milliGpuHours(used))} used, ${formatMilliGpus(milliGpuHours(reserved))} reserved for what runs), ` +
    `${formatMilliGpus(hoursNeededFor(cost))} are asked for`
  );
}
