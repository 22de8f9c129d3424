import { isUnreadable } from '../core/snapshot/index.ts';
import { quotaStatus, unreadableStatus } from '../core/status/index.ts';
import type { StatusKind } from './statusController.ts';
import { readQuota, zoneIn, type World } from './world.ts';

/** The status of ResearchQuotas. */
export function researchQuotaStatus({ quotas, record, now }: World): StatusKind<'ResearchQuota'> {
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
      return quotaStatus(figures, state, record.borrowing.shownOf(seen.name, now()));
    },
    newsOf: () => [],
  };
}
