import type { AlertGroup } from './alert.ts';

const part = (kind: string): string => `max by (quota) (moa_quota_budget_normalized_gpu_hours{kind="${kind}"})`;
const usedShare = `${part('used')} / (${part('granted')} + ${part('carried_over')})`;

/** Whether hours are written down, and for whom they run out. */
export const accounts: AlertGroup = {
  name: 'moa.accounts',
  alerts: [
    {
      name: 'MoaLedgerBehind',
      expr: 'max(moa_ledger_lag_seconds) > 900',
      for: '5m',
      severity: 'critical',
      summary: 'The ledger does not take what is used',
      description:
        'The oldest entry that is not in the store is {{ $value | humanizeDuration }} old. Scheduling goes on; until the store takes them, the entries are in the journal of one replica only.',
    },
    {
      name: 'MoaBudgetNearlyUsed',
      expr: `(${usedShare} > 0.9) < 1`,
      for: '15m',
      severity: 'warning',
      summary: 'The budget of {{ $labels.quota }} is nearly used',
      description: '{{ $value | humanizePercentage }} of its GPU-hours are used.',
    },
    {
      name: 'MoaBudgetUsedUp',
      expr: `${usedShare} >= 1`,
      for: '15m',
      severity: 'warning',
      summary: 'The budget of {{ $labels.quota }} is used up',
      description:
        '{{ $value | humanizePercentage }} of its GPU-hours are used: what starts now starts as a borrower within the grace, or waits with BudgetExhausted.',
    },
  ],
};
