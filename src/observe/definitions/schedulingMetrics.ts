import type { MetricDefinition } from './metricDefinition.ts';
import { computing, pool, requesting, waiting } from './shared.ts';

/** What the scheduling loop decides, and how long it takes. */
export const schedulingMetrics = {
  cycles: {
    kind: 'counter',
    name: 'moa_scheduling_cycles_total',
    help: 'Scheduling cycles by how they ended.',
    note: 'The replica that leads begins at least one a second, whether there is work or not.',
    labels: {
      result: {
        meaning:
          '`whole` has looked at all that waits, `partial` stopped at its share of pods, `skipped` had to wait for bindings under way, `failed` is a fault of Moa',
        values: ['whole', 'partial', 'skipped', 'failed'],
      },
    },
  },
  cycleDuration: {
    kind: 'histogram',
    name: 'moa_scheduling_cycle_duration_seconds',
    help: 'Time that a scheduling cycle spends in each phase.',
    labels: {
      phase: { meaning: 'part of the cycle', values: ['snapshot', 'plan', 'apply'] },
    },
    buckets: computing,
  },
  admissions: {
    kind: 'counter',
    name: 'moa_workloads_admitted_total',
    help: 'Workloads that were given their places, all their pods counted as one.',
    note: 'One whose binding failed is planned, and counted, again.',
    labels: { quota: { meaning: 'name of the ResearchQuota, empty for workloads that need none' } },
  },
  podsBound: {
    kind: 'counter',
    name: 'moa_pods_bound_total',
    help: 'Pods bound to a node.',
    labels: { pool: { meaning: 'name of the GpuPool of the node, empty for a node of none' } },
  },
  bindFailures: {
    kind: 'counter',
    name: 'moa_bind_failures_total',
    help: 'Bindings that the API server refused or that did not reach it.',
    note: 'The pod is planned again; `Conflict` and `NotFound` are pods that changed or went away meanwhile.',
    labels: { code: { meaning: 'reason the API server gave, or `Network`, `Timeout`' } },
  },
  bindDuration: {
    kind: 'histogram',
    name: 'moa_bind_duration_seconds',
    help: 'Time of one binding call, from sending to the answer.',
    labels: {},
    buckets: requesting,
  },
  bindBacklog: {
    kind: 'gauge',
    name: 'moa_bind_backlog',
    help: 'Bindings that are decided and not answered yet.',
    labels: {},
  },
  evictions: {
    kind: 'counter',
    name: 'moa_evictions_total',
    help: 'Workloads that were evicted, all their pods counted as one.',
    note: 'By the cause that allowed it; `Overdue` is past its walltime.',
    labels: {
      pool: { meaning: 'name of the GpuPool of the nodes' },
      cause: { meaning: 'why it was a victim', values: ['Reclaim', 'Priority', 'Fairness', 'Overdue'] },
    },
  },
  evictionFailures: {
    kind: 'counter',
    name: 'moa_eviction_failures_total',
    help: 'Writes of an eviction that the API server refused or that did not reach it. They are tried again.',
    labels: { code: { meaning: 'reason the API server gave, or `Network`, `Timeout`' } },
  },
  reclaimAccess: {
    kind: 'histogram',
    name: 'moa_reclaim_access_seconds',
    help: 'Time for which workloads within their guarantee waited for what was lent, until they started.',
    note: 'What `guaranteedAccessWithin` of an investment promises; `status.reclaim` has the figures of each.',
    labels: { pool: { meaning: 'name of the GpuPool' } },
    buckets: waiting,
  },
  unservedGuarantee: {
    kind: 'gauge',
    name: 'moa_unserved_guarantee_seconds',
    help: 'For how long the workload waits by now that waits longest, within its guarantee, for what is lent; 0 when none does.',
    labels: { pool },
  },
  reclaimBound: {
    kind: 'gauge',
    name: 'moa_reclaim_bound_seconds',
    help: 'Longest that taking back what is lent should take: `minRuntime` plus `notice` of the pool.',
    labels: { pool },
  },
  reservations: {
    kind: 'gauge',
    name: 'moa_reservations',
    help: 'Waiting workloads for which space is kept.',
    labels: { quota: { meaning: 'name of the ResearchQuota, empty for workloads that need none' } },
  },
  workloadWait: {
    kind: 'histogram',
    name: 'moa_workload_wait_seconds',
    help: 'Time from the creation of a workload, that of its oldest pod, until all its pods are bound.',
    labels: { tier: { meaning: 'tier of the quota, empty for workloads that need no quota' } },
    buckets: waiting,
  },
  pendingWorkloads: {
    kind: 'gauge',
    name: 'moa_pending_workloads',
    help: 'Workloads that wait, by the reason their pods show.',
    labels: {
      quota: { meaning: 'name of the ResearchQuota, empty when none selects the namespace' },
      reason: { meaning: 'reason for waiting, see [reasons](reasons.md)' },
    },
  },
  longestWait: {
    kind: 'gauge',
    name: 'moa_longest_wait_seconds',
    help: 'Age of the oldest workload that waits.',
    labels: {
      tier: { meaning: 'tier of the quota, empty when none selects the namespace' },
      reason: { meaning: 'reason for waiting, see [reasons](reasons.md)' },
    },
  },
  runningWorkloads: {
    kind: 'gauge',
    name: 'moa_running_workloads',
    help: 'Workloads that are bound and not finished.',
    labels: { quota: { meaning: 'name of the ResearchQuota, empty for workloads that need none' } },
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
