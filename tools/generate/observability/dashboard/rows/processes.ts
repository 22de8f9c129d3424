import type { Row } from '../panel.ts';

/** Every Node.js program has these metrics: only those of Moa are wanted. */
const ofMoa = (metric: string): string => `${metric} and on (job, instance) moa_leader`;

/** How the processes fare. */
export const processes: Row = {
  title: 'Process',
  panels: [
    {
      title: 'Running',
      description: 'Replicas, by version of Moa and of Node.js.',
      kind: 'bars',
      unit: 'none',
      width: 4,
      queries: [
        { expr: 'count by (version, node_version) (moa_build_info)', legend: '{{version}} on {{node_version}}' },
      ],
    },
    {
      title: 'Elections',
      description: 'What became of the lease, over the last hour. `lost` and `failed` should be rare.',
      kind: 'bars',
      unit: 'none',
      width: 4,
      queries: [
        {
          expr: 'sum by (result) (increase(moa_leader_elections_total[1h]))',
          legend: '{{result}}',
          emptyUntil: 'replicas elect a leader',
        },
      ],
    },
    {
      title: 'Processor',
      description: 'Cores that each replica uses.',
      kind: 'trend',
      unit: 'short',
      width: 8,
      queries: [{ expr: ofMoa('rate(process_cpu_seconds_total[$__rate_interval])'), legend: '{{instance}}' }],
    },
    {
      title: 'Event loop',
      description: 'Longest time for which everything else stood still since the last scrape.',
      kind: 'trend',
      unit: 's',
      width: 8,
      queries: [{ expr: ofMoa('nodejs_eventloop_lag_max_seconds'), legend: '{{instance}}' }],
    },
    {
      title: 'Heap',
      description: 'JavaScript heap in use beside its limit, at which the process ends.',
      kind: 'trend',
      unit: 'bytes',
      width: 8,
      queries: [
        { expr: ofMoa('nodejs_heap_size_used_bytes'), legend: '{{instance}} used' },
        { expr: 'moa_heap_limit_bytes', legend: '{{instance}} limit' },
      ],
    },
    {
      title: 'Memory',
      description: 'Memory of each replica that is in RAM.',
      kind: 'trend',
      unit: 'bytes',
      width: 8,
      queries: [{ expr: ofMoa('process_resident_memory_bytes'), legend: '{{instance}}' }],
    },
    {
      title: 'Garbage collection',
      description: 'Share of the time that pauses for garbage collection take.',
      kind: 'stack',
      unit: 'percentunit',
      width: 8,
      queries: [
        {
          expr: 'sum by (kind) (rate(nodejs_gc_duration_seconds_sum[$__rate_interval]) and on (job, instance) moa_leader)',
          legend: '{{kind}}',
        },
      ],
    },
  ],
};
