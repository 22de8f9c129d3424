import { perSecond, quantile, type Row } from '../panel.ts';

/** How Moa gets along with the API server. */
export const kubernetes: Row = {
  title: 'API server',
  panels: [
    {
      title: 'Requests, by verb',
      description: 'Requests to the API server each second.',
      kind: 'stack',
      unit: 'reqps',
      width: 8,
      queries: [{ expr: perSecond('moa_api_requests_total', ['verb']), legend: '{{verb}}' }],
    },
    {
      title: 'Requests that failed, by code',
      description:
        'Answers from 400 on, and requests without an answer. 404 and 409 are objects that changed meanwhile.',
      kind: 'trend',
      unit: 'reqps',
      width: 8,
      queries: [
        {
          expr: perSecond('moa_api_requests_total{code!~"2.."}', ['code']),
          legend: '{{code}}',
          emptyUntil: 'a request fails',
        },
      ],
    },
    {
      title: 'Time of a request, by verb',
      description: 'The slowest hundredth; of watches, until the first byte.',
      kind: 'trend',
      unit: 's',
      width: 8,
      queries: [{ expr: quantile(0.99, 'moa_api_request_duration_seconds_bucket', ['verb']), legend: '{{verb}} p99' }],
    },
    {
      title: 'Objects in memory',
      description: 'Objects of each resource that the busiest replica holds.',
      kind: 'trend',
      unit: 'short',
      width: 8,
      queries: [{ expr: 'max by (resource) (moa_store_objects)', legend: '{{resource}}' }],
    },
    {
      title: 'Watch events',
      description: 'Events that arrive each second, of each resource. Bookmarks come about once a minute.',
      kind: 'trend',
      unit: 'ops',
      width: 8,
      queries: [{ expr: perSecond('moa_watch_events_total', ['resource']), legend: '{{resource}}' }],
    },
    {
      title: 'Lists and watches begun again',
      description: 'Watches that failed, complete lists, and objects that could not be read. All are rare.',
      kind: 'trend',
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: 'sum by (resource, reason) (increase(moa_watch_restarts_total[$__rate_interval]))',
          legend: '{{resource}} failed: {{reason}}',
          emptyUntil: 'a watch fails',
        },
        {
          expr: 'sum by (resource) (increase(moa_store_lists_total[$__rate_interval]))',
          legend: '{{resource}} listed',
        },
        {
          expr: 'sum by (resource) (increase(moa_store_rejected_objects_total[$__rate_interval]))',
          legend: '{{resource}} unreadable',
          emptyUntil: 'an object cannot be read',
        },
      ],
    },
    {
      title: 'Reconciliations',
      description: 'Reconciliations of the status controllers each second, by how they ended.',
      kind: 'trend',
      unit: 'ops',
      width: 8,
      queries: [
        {
          expr: perSecond('moa_reconcile_total', ['controller', 'result']),
          legend: '{{controller}} {{result}}',
        },
      ],
    },
    {
      title: 'Time of a reconciliation',
      description: 'The slowest hundredth, by controller.',
      kind: 'trend',
      unit: 's',
      width: 8,
      queries: [
        {
          expr: quantile(0.99, 'moa_reconcile_duration_seconds_bucket', ['controller']),
          legend: '{{controller}} p99',
        },
      ],
    },
    {
      title: 'Work queues',
      description: 'Keys that wait in the queue of each controller.',
      kind: 'trend',
      unit: 'short',
      width: 8,
      queries: [{ expr: 'sum by (name) (moa_workqueue_depth)', legend: '{{name}}' }],
    },
  ],
};
