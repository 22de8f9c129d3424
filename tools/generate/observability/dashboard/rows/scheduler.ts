import { perSecond, quantile, type Row } from '../panel.ts';

/** How the scheduling loop fares. */
export const scheduler: Row = {
  title: 'Scheduling loop',
  panels: [
    {
      title: 'Cycle time, by phase',
      description: 'The slowest hundredth of the cycles: how long taking the picture, planning and handing out take.',
      kind: 'trend',
      unit: 's',
      width: 8,
      queries: [
        {
          expr: quantile(0.99, 'moa_scheduling_cycle_duration_seconds_bucket', ['phase']),
          legend: '{{phase}} p99',
        },
      ],
    },
    {
      title: 'Cycles, by result',
      description: 'Cycles each second. None is a stall; `skipped` waits for bindings under way; `failed` is a fault.',
      kind: 'stack',
      unit: 'ops',
      width: 8,
      queries: [{ expr: perSecond('moa_scheduling_cycles_total', ['result']), legend: '{{result}}' }],
    },
    {
      title: 'Bindings',
      description: 'Pods bound each second, and bindings that failed, by code.',
      kind: 'trend',
      unit: 'ops',
      width: 8,
      queries: [
        { expr: perSecond('moa_pods_bound_total'), legend: 'bound' },
        {
          expr: perSecond('moa_bind_failures_total', ['code']),
          legend: 'failed: {{code}}',
          emptyUntil: 'a binding fails',
        },
      ],
    },
    {
      title: 'Time of a binding',
      description: 'From sending a binding to the answer.',
      kind: 'trend',
      unit: 's',
      width: 8,
      queries: [
        { expr: quantile(0.5, 'moa_bind_duration_seconds_bucket'), legend: 'median' },
        { expr: quantile(0.99, 'moa_bind_duration_seconds_bucket'), legend: 'p99' },
      ],
    },
    {
      title: 'Bindings under way',
      description: 'Decided and not answered yet. At a thousand, planning waits for them.',
      kind: 'trend',
      unit: 'short',
      width: 8,
      queries: [{ expr: 'sum(moa_bind_backlog)', legend: 'under way' }],
    },
    {
      title: 'Told to pods',
      description: 'Writes each second of the condition that tells why a pod waits, and of events.',
      kind: 'trend',
      unit: 'ops',
      width: 8,
      queries: [
        {
          expr: perSecond('moa_condition_patches_total', ['result']),
          legend: 'condition: {{result}}',
          emptyUntil: 'a workload waits',
        },
        { expr: perSecond('moa_events_total', ['result']), legend: 'event: {{result}}' },
      ],
    },
  ],
};
