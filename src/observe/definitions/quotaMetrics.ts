import type { MetricDefinition } from './metricDefinition.ts';
import { like, pool, quota } from './shared.ts';

/** What quotas may use and do use. Set by the replica that leads. */
export const quotaMetrics = {
  quotaInfo: {
    kind: 'gauge',
    name: 'moa_quota_info',
    help: 'Always 1; the labels tell about the quota.',
    note: 'To be joined with the other metrics of quotas, which have its name only.',
    labels: {
      quota,
      pool,
      parent: { meaning: 'ResearchQuota above it, empty directly under the pool' },
      tier: { meaning: 'tier of the quota' },
    },
  },
  quotaGuaranteed: {
    kind: 'gauge',
    name: 'moa_quota_guaranteed_normalized_gpus',
    help: 'Effective guarantee of a quota: its own plus what contributions and investments buy.',
    note: like('effectiveGuarantee'),
    labels: { quota },
  },
  quotaUsed: {
    kind: 'gauge',
    name: 'moa_quota_used_normalized_gpus',
    help: 'What the running pods of a quota hold.',
    note: like('used'),
    labels: { quota },
  },
  quotaBorrowed: {
    kind: 'gauge',
    name: 'moa_quota_borrowed_normalized_gpus',
    help: 'What a quota holds beyond its effective guarantee.',
    note: like('borrowed'),
    labels: { quota },
  },
  quotaLent: {
    kind: 'gauge',
    name: 'moa_quota_lent_normalized_gpus',
    help: 'Guarantee of a quota that others are using.',
    note: like('lent'),
    labels: { quota },
  },
  quotaBudget: {
    kind: 'gauge',
    name: 'moa_quota_budget_normalized_gpu_hours',
    help: 'Budget of a quota in its present period. Absent without a budget.',
    note: 'As in `status.budget`; what is left is `granted` + `carried_over` - `used` - `reserved`.',
    labels: { quota, kind: { meaning: 'which part', values: ['granted', 'carried_over', 'used', 'reserved'] } },
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
