import { code, table } from '../markdown.ts';
import { markdownPage } from '../yaml.ts';
import { runbookOf } from './alertRules.ts';
import { alertGroups, type Alert } from './alerts/index.ts';

/** docs/reference/alerts.md: every alert, what it means, and where to read what to do. */
export function alertsPage(): string {
  return markdownPage([
    '# Alerts',
    '',
    'The chart makes a PrometheusRule of them when `metrics.rules.enabled` is set; without the Prometheus operator, load `charts/moa/files/alerts.yaml` as a rule file.',
    'A `critical` one is worth waking somebody for; a `warning` can wait for working hours. Each has a page that says what it means and what to do.',
    ...alertGroups.flatMap(({ name, alerts }) => [
      '',
      `## ${name}`,
      '',
      table(['alert', 'severity', 'for', 'meaning'], alerts.map(rowOf)),
      ...alerts.flatMap(({ name: alert, expr }) => ['', `### ${alert}`, '', '```promql', expr, '```']),
    ]),
  ]);
}

function rowOf(alert: Alert): readonly string[] {
  const link = `[${alert.name}](../../${runbookOf(alert)})`.replace('../../docs/', '../');
  const meaning = `${withoutTemplates(alert.summary)}. ${withoutTemplates(alert.description)}`;
  return [link, alert.severity, alert.for ?? 'at once', meaning];
}

/** What an alert fills in, as a placeholder: `{{ $labels.pool }}` becomes POOL, a value an ellipsis. */
function withoutTemplates(text: string): string {
  return text
    .replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => code(label.toUpperCase()))
    .replaceAll(/\{\{ \$value[^}]*\}\}/g, '…');
}
