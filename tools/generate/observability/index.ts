import type { Generated } from '../generated.ts';
import { alertRules } from './alertRules.ts';
import { alertsPage } from './alertsPage.ts';
import { dashboard } from './dashboard/dashboard.ts';

/** What people watch the operator with: alert rules and a dashboard for the chart, and the page of the alerts. */
export const observabilityOutputs: readonly Generated[] = [
  { path: 'charts/moa/files/alerts.yaml', render: alertRules },
  { path: 'charts/moa/files/dashboard.json', render: dashboard },
  { path: 'docs/reference/alerts.md', render: alertsPage },
];
