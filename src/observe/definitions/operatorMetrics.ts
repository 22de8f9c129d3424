import type { MetricDefinition } from './metricDefinition.ts';
import { computing, requesting, resource, verb } from './shared.ts';

/** The process itself, and how it gets along with the API server. */
export const operatorMetrics = {
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
  leaderElections: {
    kind: 'counter',
    name: 'moa_leader_elections_total',
    help: 'What became of the lease in this process.',
    labels: {
      result: {
        meaning: '`released` is given back at a stop, `lost` could not be renewed, `failed` is one attempt',
        values: ['acquired', 'released', 'lost', 'failed'],
      },
    },
  },
  heapLimit: {
    kind: 'gauge',
    name: 'moa_heap_limit_bytes',
    help: 'JavaScript heap that the process may use before it is ended.',
    note: 'Set by `--max-old-space-size`; compare with `nodejs_heap_size_used_bytes`.',
    labels: {},
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
  unreadyResources: {
    kind: 'gauge',
    name: 'moa_unready_resources',
    help: 'Resources whose condition Ready is False, so that they are not in force.',
    note: '`kubectl get gp,rq,mi` shows which.',
    labels: { kind: { meaning: 'kind of the resource', values: ['GpuPool', 'ResearchQuota', 'MatchingInvestment'] } },
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
