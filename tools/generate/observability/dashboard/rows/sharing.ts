import { perSecond, quantile, type Row } from '../panel.ts';

const largest = (metric: string): string => `topk(10, max by (quota) (${metric}{quota=~"$quota"}) > 0)`;

/** Who uses what, who lends, who borrows, and how fast it comes back. */
export const sharing: Row = {
  title: 'Guarantees, lending and reclaim',
  panels: [
    {
      title: 'Capacity and promises',
      description:
        'Normalized GPUs of the pool: all, those on Ready nodes, what is guaranteed, and the part of it that contributions and investments bought.',
      kind: 'trend',
      unit: 'short',
      width: 12,
      queries: [
        {
          expr: 'max by (pool, kind) (moa_pool_normalized_gpus{pool=~"$pool"})',
          legend: '{{pool}} {{kind}}',
        },
      ],
    },
    {
      title: 'Use, by tier',
      description: 'Normalized GPUs that the quotas of each tier hold.',
      kind: 'stack',
      unit: 'short',
      width: 12,
      queries: [
        {
          expr: 'sum by (tier) (max by (quota) (moa_quota_used_normalized_gpus) * on (quota) group_left (tier) max by (quota, tier) (moa_quota_info{pool=~"$pool"}))',
          legend: '{{tier}}',
        },
      ],
    },
    {
      title: 'Borrowed and lent',
      description: 'Normalized GPUs that quotas hold beyond their guarantees, and guarantees that others are using.',
      kind: 'trend',
      unit: 'short',
      width: 12,
      queries: [
        { expr: 'sum(moa_quota_borrowed_normalized_gpus{quota=~"$quota"})', legend: 'borrowed' },
        { expr: 'sum(moa_quota_lent_normalized_gpus{quota=~"$quota"})', legend: 'lent' },
      ],
    },
    {
      title: 'Largest borrowers',
      description: 'The ten quotas that borrow most.',
      kind: 'bars',
      unit: 'short',
      width: 6,
      queries: [
        {
          expr: largest('moa_quota_borrowed_normalized_gpus'),
          legend: '{{quota}}',
          emptyUntil: 'a quota borrows',
        },
      ],
    },
    {
      title: 'Largest lenders',
      description: 'The ten quotas of whose guarantee others use most.',
      kind: 'bars',
      unit: 'short',
      width: 6,
      queries: [
        { expr: largest('moa_quota_lent_normalized_gpus'), legend: '{{quota}}', emptyUntil: 'a guarantee is lent' },
      ],
    },
    {
      title: 'Evictions',
      description: 'Workloads evicted each second, by the cause that allowed it.',
      kind: 'stack',
      unit: 'ops',
      width: 8,
      queries: [
        {
          expr: perSecond('moa_evictions_total{pool=~"$pool"}', ['cause']),
          legend: '{{cause}}',
          emptyUntil: 'a workload is evicted',
        },
        {
          expr: perSecond('moa_eviction_failures_total', ['code']),
          legend: 'failed: {{code}}',
          emptyUntil: 'an eviction fails',
        },
      ],
    },
    {
      title: 'Access to what was lent',
      description: 'How long workloads within their guarantee waited for what was lent, until they started.',
      kind: 'trend',
      unit: 's',
      width: 8,
      queries: [
        {
          expr: quantile(0.5, 'moa_reclaim_access_seconds_bucket{pool=~"$pool"}'),
          legend: 'median',
          emptyUntil: 'something is reclaimed',
        },
        {
          expr: quantile(0.95, 'moa_reclaim_access_seconds_bucket{pool=~"$pool"}'),
          legend: 'p95',
          emptyUntil: 'something is reclaimed',
        },
      ],
    },
    {
      title: 'Longest present wait for what is lent',
      description: 'Beside what taking back should take at the most: least run time plus notice of the pool.',
      kind: 'trend',
      unit: 's',
      width: 8,
      queries: [
        { expr: 'max by (pool) (moa_unserved_guarantee_seconds{pool=~"$pool"})', legend: '{{pool}}' },
        { expr: 'max by (pool) (moa_reclaim_bound_seconds{pool=~"$pool"})', legend: '{{pool}} should be below' },
      ],
    },
    {
      title: 'Chosen quotas',
      description: 'What the chosen quotas are guaranteed and use. Choose a few above.',
      kind: 'trend',
      unit: 'short',
      width: 24,
      queries: [
        {
          expr: 'topk(10, max by (quota) (moa_quota_guaranteed_normalized_gpus{quota=~"$quota"}))',
          legend: '{{quota}} guaranteed',
        },
        {
          expr: 'topk(10, max by (quota) (moa_quota_used_normalized_gpus{quota=~"$quota"}))',
          legend: '{{quota}} used',
        },
      ],
    },
  ],
};
