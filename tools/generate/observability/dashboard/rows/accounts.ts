import { perSecond, type Row } from '../panel.ts';

const part = (kind: string): string =>
  `max by (quota) (moa_quota_budget_normalized_gpu_hours{quota=~"$quota", kind="${kind}"})`;
const noBudget = 'a quota has a budget';

/** Hours: what is granted, what is used, and whether the ledger keeps up. */
export const accounts: Row = {
  title: 'Budgets and ledger',
  panels: [
    {
      title: 'Budgets most used',
      description: 'The ten quotas that have used the largest share of the GPU-hours of their present period.',
      kind: 'bars',
      unit: 'percentunit',
      width: 8,
      queries: [
        {
          expr: `topk(10, ${part('used')} / (${part('granted')} + ${part('carried_over')}))`,
          legend: '{{quota}}',
          emptyUntil: noBudget,
        },
      ],
      limits: { yellow: 0.9, red: 1 },
    },
    {
      title: 'GPU-hours of the chosen quotas',
      description:
        'Normalized GPU-hours of the present period, summed over the chosen quotas. Parents include their children.',
      kind: 'trend',
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: 'sum by (kind) (max by (quota, kind) (moa_quota_budget_normalized_gpu_hours{quota=~"$quota"}))',
          legend: '{{kind}}',
          emptyUntil: noBudget,
        },
      ],
    },
    {
      title: 'Ledger lag',
      description: 'Age of the oldest entry that the store of the ledger has not taken yet.',
      kind: 'trend',
      unit: 's',
      width: 8,
      queries: [{ expr: 'max(moa_ledger_lag_seconds)', legend: 'lag' }],
    },
    {
      title: 'Ledger entries',
      description: 'Entries that the store of the ledger takes each second.',
      kind: 'trend',
      unit: 'ops',
      width: 12,
      queries: [{ expr: perSecond('moa_ledger_entries_total'), legend: 'entries' }],
    },
    {
      title: 'Not in the ledger yet',
      description: 'Size of what the store of the ledger has not taken yet.',
      kind: 'trend',
      unit: 'bytes',
      width: 12,
      queries: [{ expr: 'max(moa_ledger_lag_bytes)', legend: 'not taken' }],
    },
  ],
};
