import type { AlertGroup } from './alert.ts';

/** Whether the process itself is well. Joined with metrics of Moa, as every Node.js program has the others. */
export const processHealth: AlertGroup = {
  name: 'moa.process',
  alerts: [
    {
      name: 'MoaHeapNearLimit',
      // The least of ten minutes is what stays after garbage collection.
      expr: 'min_over_time(nodejs_heap_size_used_bytes[10m]) / on (job, instance) moa_heap_limit_bytes > 0.9',
      for: '5m',
      severity: 'critical',
      summary: 'Moa is about to run out of memory',
      description:
        '{{ $labels.instance }} needs {{ $value | humanizePercentage }} of its JavaScript heap even after garbage collection; at its limit the process ends.',
    },
    {
      name: 'MoaEventLoopBlocked',
      // The lease has to be renewed within ten seconds.
      expr: 'nodejs_eventloop_lag_max_seconds > 2 and on (job, instance) moa_leader',
      for: '10m',
      severity: 'warning',
      summary: 'Moa stands still for seconds',
      description:
        '{{ $labels.instance }} did nothing else for {{ $value | humanizeDuration }} at a stretch; from ten seconds on it loses its lease.',
    },
  ],
};
