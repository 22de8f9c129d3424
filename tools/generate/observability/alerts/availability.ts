import type { AlertGroup } from './alert.ts';

/** No answer, a full server, or an answer that means that it cannot serve now. */
const serverFailed = 'moa_api_requests_total{code=~"5..|429|Network|Timeout|Credentials|InvalidResponse"}';

/** Whether somebody acts, and whether it sees and reaches the cluster. */
export const availability: AlertGroup = {
  name: 'moa.availability',
  alerts: [
    {
      name: 'MoaNoLeader',
      // Also when Prometheus finds no replica at all.
      expr: '(sum(moa_leader) or vector(0)) == 0',
      for: '2m',
      severity: 'critical',
      summary: 'No replica of Moa leads',
      description: 'Nothing is scheduled and no status is kept. What runs goes on.',
    },
    {
      name: 'MoaTwoLeaders',
      expr: 'sum(moa_leader) > 1',
      // A replica that was killed is counted until its next scrape fails.
      for: '2m',
      severity: 'critical',
      summary: 'More than one replica of Moa leads',
      description: '{{ $value }} replicas act at once, each unaware of what the others have just given away.',
    },
    {
      name: 'MoaWatchStale',
      // The API server sends a bookmark about once a minute, whether anything changes or not.
      expr: 'moa_store_objects unless on (job, instance, resource) (rate(moa_watch_events_total[10m]) > 0)',
      for: '5m',
      severity: 'critical',
      summary: 'Moa hears nothing of {{ $labels.resource }}',
      description:
        'The watch of {{ $labels.resource }} in {{ $labels.instance }} has been silent for more than ten minutes: decisions are made on an old picture.',
    },
    {
      name: 'MoaApiErrors',
      expr: `sum(rate(${serverFailed}[5m])) / sum(rate(moa_api_requests_total[5m])) > 0.1`,
      for: '10m',
      severity: 'critical',
      summary: 'The API server does not serve Moa',
      description: '{{ $value | humanizePercentage }} of the requests to the API server fail or go unanswered.',
    },
    {
      name: 'MoaApiForbidden',
      expr: 'sum by (verb, resource) (rate(moa_api_requests_total{code=~"401|403"}[10m])) > 0',
      for: '10m',
      severity: 'warning',
      summary: 'Moa may not {{ $labels.verb }} {{ $labels.resource }}',
      description:
        'The API server has been refusing {{ $labels.verb }} of {{ $labels.resource }} for ten minutes: a permission is missing, or an admission policy stands in the way.',
    },
    {
      name: 'MoaObjectsUnreadable',
      expr: 'sum by (resource) (increase(moa_store_rejected_objects_total[30m])) > 0',
      severity: 'warning',
      summary: 'Moa cannot read some {{ $labels.resource }}',
      description: 'They stay as they were known before; the log names each.',
    },
  ],
};
