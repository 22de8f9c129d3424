import type { ResearchQuotaStatus } from '../../api/v1alpha1/index.ts';
import { ConditionReason, QuotaCondition } from '../../api/v1alpha1/constants/index.ts';
import type { QuotaState } from '../snapshot/index.ts';
import { formatMilliGpus, mulDivFloor, oneMicro, type MilliGpus } from '../units/index.ts';
import { budgetAvailable, budgetStatus, type BudgetNow } from './budgetStatus.ts';
import { lentOf, quotaFiguresOf, type Figures } from './figures.ts';
import { condition, readyCondition, type ConditionValue, type Verdict } from './verdict.ts';

/** What a quota borrowed on average, as far as that is to be shown. */
export interface DecayedUse {
  readonly decayed: MilliGpus;
  /** When it was worked out, epoch milliseconds. */
  readonly asOf: number;
}

/**
 * The status of a quota (DESIGN.md sections 2.2 and 4.2). Its capacity block is about the quota's own namespaces; what
 * the quotas below it hold stands in theirs, so that the figures of a pool's quotas add up. A quota that is not in
 * force has no capacity block: nothing is counted for it.
 *
 * @param known.budget undefined while nobody keeps the ledger; it is then not shown
 * @param known.history undefined while nothing is known of the past; it then counts as none and is not shown
 */
export function quotaStatus(
  figures: Figures,
  quota: QuotaState,
  known: { readonly history?: DecayedUse | undefined; readonly budget?: BudgetNow | undefined } = {},
): Verdict<ResearchQuotaStatus> {
  const { history, budget } = known;
  const { spec } = quota;
  const ready = readyCondition(
    quota.problem,
    quota.remarks,
    spec.suspend ? 'the spec is in force; spec.suspend is true, so nothing new is admitted' : 'the spec is in force',
  );
  const workloads = figures.workloads.get(spec.name) ?? { pending: 0, running: 0 };
  const found = quotaFiguresOf(figures, quota);
  if (found === undefined || quota.pool === undefined) {
    return { generation: spec.generation, conditions: [ready], figures: { workloads } };
  }
  const { own, pool } = found;
  const hours = budget === undefined ? undefined : budgetStatus(budget);
  return {
    generation: spec.generation,
    conditions: [ready, ...(budget === undefined ? [] : [budgetAvailable(budget)]), borrowing(own.used, own.borrowed)],
    figures: {
      capacity: {
        guaranteed: formatMilliGpus(spec.guaranteed),
        entitled: formatMilliGpus(quota.entitled),
        effectiveGuarantee: formatMilliGpus(quota.effectiveGuarantee),
        used: formatMilliGpus(own.used),
        borrowed: formatMilliGpus(own.borrowed),
        lent: formatMilliGpus(lentOf(pool, own.unusedGuarantee)),
        classes: quota.pool.classes.map((c) => ({ name: c.spec.name, used: own.devices[c.index] ?? 0 })),
      },
      ...(hours === undefined ? {} : { budget: hours }),
      ...fairShare(quota, own.subtreeBorrowed, history),
      workloads,
    },
  };
}

/** `(borrowed + historyWeight x decayed) / weight`. A quota of weight 0 has no share: it comes after all that have one. */
function fairShare(
  { spec: { weight }, pool }: QuotaState,
  borrowed: MilliGpus,
  history: DecayedUse | undefined,
): Pick<ResearchQuotaStatus, 'fairShare'> {
  const decayed = history?.decayed ?? 0;
  const charged = borrowed + mulDivFloor(decayed, pool?.spec.fairShare.historyWeight ?? oneMicro, oneMicro);
  return {
    fairShare: {
      // The weight is in thousandths, hence the factor.
      ...(weight === 0 ? {} : { share: formatMilliGpus(mulDivFloor(charged, 1000, weight)) }),
      decayedUsage: formatMilliGpus(decayed),
      ...(history === undefined ? {} : { asOf: new Date(history.asOf).toISOString() }),
    },
  };
}

function borrowing(used: MilliGpus, borrowed: MilliGpus): ConditionValue {
  if (borrowed === 0) {
    const message = 'all that is used is guaranteed';
    return condition(QuotaCondition.Borrowing, false, ConditionReason.WithinGuarantee, message);
  }
  const message = `${formatMilliGpus(borrowed)} of the ${formatMilliGpus(used)} normalized GPUs in use are borrowed and may be reclaimed`;
  return condition(QuotaCondition.Borrowing, true, ConditionReason.AboveGuarantee, message);
}
