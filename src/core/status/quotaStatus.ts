import type { ResearchQuotaStatus } from '../../api/v1alpha1/index.ts';
import { ConditionReason, QuotaCondition } from '../../api/v1alpha1/constants/index.ts';
import type { QuotaState } from '../snapshot/index.ts';
import { formatMilliGpus, mulDivFloor, type MilliGpus } from '../units/index.ts';
import { lentOf, quotaFiguresOf, type Figures } from './figures.ts';
import { condition, readyCondition, type ConditionValue, type Verdict } from './verdict.ts';

/**
 * The status of a quota (DESIGN.md sections 2.2 and 4.2). Its capacity block is about the quota's own namespaces; what
 * the quotas below it hold stands in theirs, so that the figures of a pool's quotas add up. A quota that is not in
 * force has no capacity block: nothing is counted for it.
 */
export function quotaStatus(figures: Figures, quota: QuotaState): Verdict<ResearchQuotaStatus> {
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
  return {
    generation: spec.generation,
    conditions: [ready, borrowing(own.used, own.borrowed)],
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
      ...fairShare(spec.weight, own.subtreeBorrowed),
      workloads,
    },
  };
}

/** A quota of weight 0 has no share: it comes after all that have one. */
function fairShare(weight: number, borrowed: MilliGpus): Pick<ResearchQuotaStatus, 'fairShare'> {
  if (weight === 0) return {};
  // The weight is in thousandths, hence the factor.
  return { fairShare: { share: formatMilliGpus(mulDivFloor(borrowed, 1000, weight)), decayedUsage: '0' } };
}

function borrowing(used: MilliGpus, borrowed: MilliGpus): ConditionValue {
  if (borrowed === 0) {
    const message = 'all that is used is guaranteed';
    return condition(QuotaCondition.Borrowing, false, ConditionReason.WithinGuarantee, message);
  }
  const message = `${formatMilliGpus(borrowed)} of the ${formatMilliGpus(used)} normalized GPUs in use are borrowed and may be reclaimed`;
  return condition(QuotaCondition.Borrowing, true, ConditionReason.AboveGuarantee, message);
}
