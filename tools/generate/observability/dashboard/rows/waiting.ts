import { perSecond, quantile, type Row } from '../panel.ts';

/** Who waits, why, and for how long. */
export const waiting: Row = {
  title: 'Waiting',
  panels: [
    {
      title: 'Waiting, by reason',
      description: 'Workloads that wait, by the reason that their pods show. docs/reference/reasons.md explains each.',
      kind: 'stack',
      unit: 'short',
      width: 12,
      queries: [
        {
          expr: 'sum by (reason) (moa_pending_workloads{quota=~"$quota"})',
          legend: '{{reason}}',
          emptyUntil: 'a workload waits',
        },
      ],
    },
    {
      title: 'Oldest that waits, by tier',
      description: 'Age of the oldest workload of each tier that waits.',
      kind: 'trend',
      unit: 's',
      width: 12,
      queries: [
        { expr: 'max by (tier) (moa_longest_wait_seconds)', legend: '{{tier}}', emptyUntil: 'a workload waits' },
      ],
    },
    {
      title: 'Wait until start, by tier',
      description: 'How long those that started had waited: the median and the slowest twentieth.',
      kind: 'trend',
      unit: 's',
      width: 12,
      queries: [
        { expr: quantile(0.5, 'moa_workload_wait_seconds_bucket', ['tier']), legend: '{{tier}} median' },
        { expr: quantile(0.95, 'moa_workload_wait_seconds_bucket', ['tier']), legend: '{{tier}} p95' },
      ],
    },
    {
      title: 'Longest queues',
      description: 'The ten quotas with most workloads that wait.',
      kind: 'bars',
      unit: 'short',
      width: 6,
      queries: [
        {
          expr: 'topk(10, sum by (quota) (moa_pending_workloads{quota=~"$quota"}))',
          legend: '{{quota}}',
          emptyUntil: 'a workload waits',
        },
      ],
    },
    {
      title: 'Oldest that waits, by reason',
      description: 'Age of the oldest workload that waits for each reason.',
      kind: 'bars',
      unit: 's',
      width: 6,
      queries: [
        { expr: 'max by (reason) (moa_longest_wait_seconds)', legend: '{{reason}}', emptyUntil: 'a workload waits' },
      ],
    },
    {
      title: 'Admitted',
      description: 'Workloads that are given their places each second.',
      kind: 'trend',
      unit: 'ops',
      width: 12,
      queries: [{ expr: perSecond('moa_workloads_admitted_total{quota=~"$quota"}'), legend: 'admitted' }],
    },
    {
      title: 'Reservations',
      description: 'Workloads that wait and for which space is kept.',
      kind: 'trend',
      unit: 'short',
      width: 12,
      queries: [{ expr: 'sum(moa_reservations{quota=~"$quota"})', legend: 'reservations' }],
    },
  ],
};
