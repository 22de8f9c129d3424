import * as prom from 'prom-client';

/**
 * What is shown of the process and the Node.js run time, under the names that dashboards for Node.js expect, and what
 * each means. All of it comes from prom-client; a name that is not listed here is not shown. Which of them exist depends
 * on the platform: those read from `/proc` exist on Linux only.
 */
export const processMetrics = {
  process_cpu_user_seconds_total: 'Processor time in user mode.',
  process_cpu_system_seconds_total: 'Processor time in the kernel.',
  process_cpu_seconds_total: 'Processor time, both together.',
  process_start_time_seconds: 'When the process started, in seconds since 1970.',
  process_resident_memory_bytes: 'Memory of the process that is in RAM.',
  process_virtual_memory_bytes: 'Address space of the process. Linux only.',
  process_heap_bytes: 'Data segment of the process. Linux only.',
  process_open_fds: 'Open file descriptors. Linux only.',
  process_max_fds: 'Most file descriptors that may be open. Linux only.',
  nodejs_eventloop_lag_seconds: 'Delay of the event loop at the moment of the scrape.',
  nodejs_eventloop_lag_min_seconds: 'Least delay of the event loop since the last scrape.',
  nodejs_eventloop_lag_max_seconds:
    'Greatest delay of the event loop since the last scrape: the longest that all else stood still.',
  nodejs_eventloop_lag_mean_seconds: 'Mean delay of the event loop since the last scrape.',
  nodejs_eventloop_lag_stddev_seconds: 'Standard deviation of that delay.',
  nodejs_eventloop_lag_p50_seconds: '50th percentile of that delay.',
  nodejs_eventloop_lag_p90_seconds: '90th percentile of that delay.',
  nodejs_eventloop_lag_p99_seconds: '99th percentile of that delay.',
  nodejs_active_resources: 'What keeps the event loop alive, by `type`.',
  nodejs_active_handles: 'Open libuv handles, by `type`.',
  nodejs_active_requests: 'libuv requests under way, by `type`.',
  nodejs_heap_size_total_bytes: 'JavaScript heap that is reserved.',
  nodejs_heap_size_used_bytes: 'JavaScript heap that is used.',
  nodejs_external_memory_bytes: 'Memory outside the heap that JavaScript objects hold: buffers.',
  nodejs_heap_space_size_total_bytes: 'Reserved heap, by `space`.',
  nodejs_heap_space_size_used_bytes: 'Used heap, by `space`.',
  nodejs_heap_space_size_available_bytes: 'Free heap, by `space`.',
  nodejs_version_info: 'Always 1; the labels give the version of Node.js.',
  nodejs_gc_duration_seconds: 'Pauses for garbage collection, by `kind`.',
} as const satisfies Readonly<Record<string, string>>;

/**
 * Adds them to `registry`. What prom-client offers beyond the list goes: three gauges, sums of others here, whose
 * `_total` suffix Prometheus' linter refuses.
 */
export function registerProcessMetrics(registry: prom.Registry): void {
  prom.collectDefaultMetrics({ register: registry });
  for (const { name } of registry.getMetricsAsArray()) {
    if (!Object.hasOwn(processMetrics, name) && !name.startsWith('moa_')) registry.removeSingleMetric(name);
  }
}
