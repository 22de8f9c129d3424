import type { AlertGroup } from './alert.ts';

/** `Conflict` and `NotFound` are pods that changed or went away meanwhile. */
const bindFailures = 'sum(rate(moa_bind_failures_total{code!~"Conflict|NotFound"}[5m]))';

/** Whether the leader decides, and whether what it decides comes about. */
export const scheduling: AlertGroup = {
  name: 'moa.scheduling',
  alerts: [
    {
      name: 'MoaSchedulingStalled',
      // The leader finishes at least one cycle a second, with or without work, unless bindings are stuck.
      expr: 'moa_leader == 1 unless on (job, instance) (sum by (job, instance) (rate(moa_scheduling_cycles_total{result=~"whole|partial"}[5m])) > 0)',
      for: '2m',
      severity: 'critical',
      summary: 'Moa leads but does not schedule',
      description: '{{ $labels.instance }} holds the lease and has finished no scheduling cycle for five minutes.',
    },
    {
      name: 'MoaSchedulingFails',
      expr: 'sum(increase(moa_scheduling_cycles_total{result="failed"}[10m])) > 0',
      for: '5m',
      severity: 'warning',
      summary: 'Scheduling cycles of Moa fail',
      description:
        '{{ $value | humanize }} cycles were thrown away within ten minutes: a fault of Moa, the log has it.',
    },
    {
      name: 'MoaSchedulingSlow',
      expr: 'histogram_quantile(0.99, sum by (le) (rate(moa_scheduling_cycle_duration_seconds_bucket{phase="plan"}[5m]))) > 5',
      for: '15m',
      severity: 'warning',
      summary: 'Scheduling cycles of Moa take long',
      description:
        'One plan in a hundred takes {{ $value | humanizeDuration }} or more, and whoever could start waits for it.',
    },
    {
      name: 'MoaBindFailures',
      // A single pod that can never be bound is tried every ten seconds: it is no reason to wake anybody.
      expr: `${bindFailures} > 0.5 and ${bindFailures} > 0.1 * (sum(rate(moa_pods_bound_total[5m])) or vector(0))`,
      for: '10m',
      severity: 'critical',
      summary: 'Moa cannot bind pods',
      description: '{{ $value | humanize }} bindings a second fail; the pods are planned again and keep waiting.',
    },
    {
      name: 'MoaEvictionFailures',
      expr: 'sum by (code) (rate(moa_eviction_failures_total[5m])) > 0.1',
      for: '10m',
      severity: 'critical',
      summary: 'Moa cannot evict pods: {{ $labels.code }}',
      description:
        'What is lent does not come back: {{ $value | humanize }} writes a second fail with {{ $labels.code }}.',
    },
    {
      name: 'MoaStatusNotWritten',
      expr: 'sum by (controller) (rate(moa_reconcile_total{result="failed"}[5m])) > 0.5 * sum by (controller) (rate(moa_reconcile_total[5m]))',
      for: '15m',
      severity: 'warning',
      summary: '{{ $labels.controller }} fails',
      description: 'More than half of its reconciliations fail: the statuses that people read are old.',
    },
  ],
};
