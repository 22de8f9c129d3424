import { yamlDocument } from '../yaml.ts';
import { alertGroups, type Alert } from './alerts/index.ts';

/** Where the page of an alert is, from the top of the repository. */
export function runbookOf({ name }: Alert): string {
  return `docs/runbooks/${name}.md`;
}

/** charts/moa/files/alerts.yaml: the rules as Prometheus and a PrometheusRule's spec read them. */
export function alertRules(): string {
  return yamlDocument({
    groups: alertGroups.map(({ name, alerts }) => ({ name, rules: alerts.map(ruleOf) })),
  });
}

function ruleOf(alert: Alert) {
  const { name, expr, severity, summary, description } = alert;
  return {
    alert: name,
    expr,
    ...(alert.for === undefined ? {} : { for: alert.for }),
    labels: { severity },
    annotations: { summary, description, runbook_url: runbookOf(alert) },
  };
}
