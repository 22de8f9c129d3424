import { isUnreadable } from '../../core/snapshot/index.ts';
import { EventReason } from '../../api/v1alpha1/index.ts';
import { budgetWarnings, quotaStatus, unreadableStatus, usedMessage } from '../../core/status/index.ts';
import { readQuota, zoneIn } from '../manifests/index.ts';
import type { StatusKind } from './statusController.ts';
import type { World } from './world.ts';

/** The status of ResearchQuotas. Events tell when 80, 90 and 100 % of a budget are used. */
export function researchQuotaStatus({ quotas, record, now, budgetOf }: World): StatusKind<'ResearchQuota'> {
  return {
    kind: 'ResearchQuota',
    store: quotas,
    judge: (seen, figures) => {
      const state = figures.policy.quotas.get(seen.name);
      if (state?.spec.generation !== seen.generation) {
        const spec = readQuota(seen, zoneIn(figures.policy));
        if (isUnreadable(spec)) return unreadableStatus(spec);
      }
      if (state === undefined) return undefined;
      const history = record.borrowing.shownOf(seen.name, now());
      return quotaStatus(figures, state, { history, budget: budgetOf(state) });
    },
    newsOf: ({ budget: before } = {}, { budget: after }) =>
      after === undefined
        ? []
        : budgetWarnings(before, after).map((percent) => ({
            reason: EventReason.BudgetThreshold,
            note: usedMessage(percent),
          })),
  };
}
