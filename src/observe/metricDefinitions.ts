/** One label of a metric: what its values are, and the values themselves where they are fixed. */
interface LabelDefinition {
  readonly meaning: string;
  readonly values?: readonly string[];
}

/** Everything about one metric; the registry, the types of the instruments and the reference page follow from it. */
export interface MetricDefinition {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** In base units, `_total` for counters, as Prometheus wants it. */
  readonly name: `moa_${string}`;
  /** The HELP line: one sentence. */
  readonly help: string;
  /** What the reader of a dashboard must know beyond that. */
  readonly note?: string;
  /** Every label is bounded: by a fixed list, or by the resources that exist. Never by pods, nodes or users. */
  readonly labels: Readonly<Record<string, LabelDefinition>>;
  /** Upper bounds of a histogram, in the unit of the name. */
  readonly buckets?: readonly number[];
}

const second = 1;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Work inside the process: from a no-op to a cycle that people notice. */
const computing = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** One request: from a local server's 1 ms to the time limit of a call. */
const requesting = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60];

/** Waiting for GPUs: at once, a coffee, the 15 minutes and 1 hour of the default promises, a working day, a week. */
const waiting = [
  second,
  5 * second,
  15 * second,
  minute,
  5 * minute,
  15 * minute,
  30 * minute,
  hour,
  3 * hour,
  8 * hour,
  day,
  3 * day,
  7 * day,
];

const pool: LabelDefinition = { meaning: 'name of the GpuPool' };
const quota: LabelDefinition = { meaning: 'name of the ResearchQuota' };
const investment: LabelDefinition = { meaning: 'name of the MatchingInvestment' };
const acceleratorClass: LabelDefinition = { meaning: 'accelerator class of the pool' };
const resource: LabelDefinition = { meaning: 'Kubernetes resource, as in a path: `pods`, `pods/binding`' };
const verb = {
  meaning: 'HTTP method, `WATCH` for what streams',
  values: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'WATCH'],
} as const;

const like = (field: string): string => `As in \`status.capacity.${field}\`.`;

/**
 * Every metric that Moa has. The key is the member of `Metrics` that code calls. Quantities named `normalized_gpus` are
 * devices times class weight (DESIGN.md section 1); those named `gpus` are devices.
 */
export const metricDefinitions = {
  buildInfo: {
    kind: 'gauge',
    name: 'moa_build_info',
    help: 'Always 1; the labels say what is running.',
    labels: { version: { meaning: 'version of Moa' }, node_version: { meaning: 'version of Node.js' } },
  },
  leader: {
    kind: 'gauge',
    name: 'moa_leader',
    help: '1 while this process holds the lease and acts, else 0.',
    note: 'Summed over all replicas it should be 1; while it is 0, nothing is scheduled.',
    labels: {},
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
  runningWorkloads: {
    kind: 'gauge',
    name: 'moa_running_workloads',
    help: 'Workloads that are bound and not finished.',
    labels: { quota: { meaning: 'name of the ResearchQuota, empty for workloads that need none' } },
  },

  quotaGuaranteed: {
    kind: 'gauge',
    name: 'moa_quota_guaranteed_normalized_gpus',
    help: 'Effective guarantee of a quota: its own plus what contributions and investments buy.',
    note: like('effectiveGuarantee'),
    labels: { quota },
  },
  quotaUsed: {
    kind: 'gauge',
    name: 'moa_quota_used_normalized_gpus',
    help: 'What the running pods of a quota hold.',
    note: like('used'),
    labels: { quota },
  },
  quotaBorrowed: {
    kind: 'gauge',
    name: 'moa_quota_borrowed_normalized_gpus',
    help: 'What a quota holds beyond its effective guarantee.',
    note: like('borrowed'),
    labels: { quota },
  },
  quotaLent: {
    kind: 'gauge',
    name: 'moa_quota_lent_normalized_gpus',
    help: 'Guarantee of a quota that others are using.',
    note: like('lent'),
    labels: { quota },
  },

  poolNodes: {
    kind: 'gauge',
    name: 'moa_pool_nodes',
    help: 'Nodes of a pool that exist.',
    labels: { pool },
  },
  poolReadyNodes: {
    kind: 'gauge',
    name: 'moa_pool_ready_nodes',
    help: 'Nodes of a pool that are Ready, cordoned ones included.',
    labels: { pool },
  },
  poolGpus: {
    kind: 'gauge',
    name: 'moa_pool_gpus',
    help: 'Devices on the nodes of a pool that exist.',
    labels: { pool, class: acceleratorClass },
  },
  poolReadyGpus: {
    kind: 'gauge',
    name: 'moa_pool_ready_gpus',
    help: 'Devices on Ready nodes of a pool, cordoned ones included.',
    labels: { pool, class: acceleratorClass },
  },
  poolAllocatedGpus: {
    kind: 'gauge',
    name: 'moa_pool_allocated_gpus',
    help: 'Devices of a pool that pods hold, whoever placed them.',
    labels: { pool, class: acceleratorClass },
  },
  poolFreeGpus: {
    kind: 'gauge',
    name: 'moa_pool_free_gpus',
    help: 'Devices of a pool that could be given to a pod now.',
    note: 'Less than ready minus allocated where nodes are cordoned.',
    labels: { pool, class: acceleratorClass },
  },

  investmentEntitlement: {
    kind: 'gauge',
    name: 'moa_investment_entitlement_normalized_gpus',
    help: 'Effective entitlement of an investment, after readiness and the public floor.',
    note: 'As in `status.effectiveEntitlement`.',
    labels: { investment },
  },
  investmentUsed: {
    kind: 'gauge',
    name: 'moa_investment_used_normalized_gpus',
    help: 'Part of the effective entitlement that the investor is using.',
    note: 'As in `status.used`.',
    labels: { investment },
  },

  reconciles: {
    kind: 'counter',
    name: 'moa_reconcile_total',
    help: 'Reconciliations by how they ended.',
    labels: {
      controller: { meaning: 'name of the controller' },
      result: { meaning: '`failed` is tried again, `terminal` is not', values: ['succeeded', 'failed', 'terminal'] },
    },
  },
  reconcileDuration: {
    kind: 'histogram',
    name: 'moa_reconcile_duration_seconds',
    help: 'Time of one reconciliation.',
    labels: { controller: { meaning: 'name of the controller' } },
    buckets: computing,
  },
  workqueueDepth: {
    kind: 'gauge',
    name: 'moa_workqueue_depth',
    help: 'Keys that wait in a work queue.',
    labels: { name: { meaning: 'name of the queue' } },
  },
  conditionPatches: {
    kind: 'counter',
    name: 'moa_condition_patches_total',
    help: 'Writes of the PodScheduled condition that tells why a pod waits.',
    labels: { result: { meaning: 'how the write ended', values: ['success', 'failure'] } },
  },
  events: {
    kind: 'counter',
    name: 'moa_events_total',
    help: 'Kubernetes Events by what became of them.',
    labels: {
      result: {
        meaning: '`counted` joins one that exists; `dropped` for too many at once; `failed` was not written in the end',
        values: ['created', 'counted', 'dropped', 'failed'],
      },
    },
  },

  apiRequests: {
    kind: 'counter',
    name: 'moa_api_requests_total',
    help: 'Requests to the API server by outcome.',
    labels: { verb, resource, code: { meaning: 'HTTP status, or `Network`, `Timeout` and the like where none came' } },
  },
  apiRequestDuration: {
    kind: 'histogram',
    name: 'moa_api_request_duration_seconds',
    help: 'Time of one request to the API server, from sending to the last byte; watches until their first.',
    labels: { verb, resource },
    buckets: requesting,
  },
  watchRestarts: {
    kind: 'counter',
    name: 'moa_watch_restarts_total',
    help: 'Lists and watches that failed and were begun again.',
    note: 'A watch that the server ends in good order, as it does every few minutes, is not counted.',
    labels: {
      resource,
      reason: { meaning: 'code of the error: `Expired`, `Timeout`, `Network`; `Other` for one without' },
    },
  },
  watchEvents: {
    kind: 'counter',
    name: 'moa_watch_events_total',
    help: 'Events received on watches.',
    labels: {
      resource,
      type: {
        meaning: 'whether the object is there or gone; bookmarks come about once a minute',
        values: ['present', 'gone', 'bookmark'],
      },
    },
  },
  storeLists: {
    kind: 'counter',
    name: 'moa_store_lists_total',
    help: 'Complete lists taken into memory.',
    note: 'One for each resource at the start; more mean that a watch could not be taken up where it had ended.',
    labels: {
      resource,
      by: { meaning: 'a stream, or pages where the server cannot stream', values: ['stream', 'pages'] },
    },
  },
  storeRejects: {
    kind: 'counter',
    name: 'moa_store_rejected_objects_total',
    help: 'Objects that could not be read and were left as known before; the log has each.',
    labels: { resource },
  },
  storeObjects: {
    kind: 'gauge',
    name: 'moa_store_objects',
    help: 'Objects held in memory.',
    labels: { resource },
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricDefinitions = typeof metricDefinitions;
