import { isUnreadable } from '../core/snapshot/index.ts';
import { quotaStatus, unreadableConditions } from '../core/status/index.ts';
import type { StatusKind } from './statusController.ts';
import { readQuota, type World } from './world.ts';

/** The status of ResearchQuotas. */
export function researchQuotaStatus({ quotas }: World): StatusKind<'ResearchQuota'> {
  return {
    kind: 'ResearchQuota',
    store: quotas,
    judge: (seen, figures) => {
      const spec = readQuota(seen);
      if (isUnreadable(spec)) {
        return { generation: seen.generation, conditions: unreadableConditions(spec), figures: {} };
      }
      const state = figures.policy.quotas.get(seen.name);
      return state === undefined ? undefined : quotaStatus(figures, state);
    },
    newsOf: () => [],
  };
}
