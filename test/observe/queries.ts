import { alerts } from '../../tools/generate/observability/alerts/index.ts';
import { rows } from '../../tools/generate/observability/dashboard/rows/index.ts';

/** PromQL that people rely on. */
export interface NamedQuery {
  /** Where it stands: an alert, or a panel. */
  readonly place: string;
  readonly expr: string;
  /** Of a panel: what a series is called. */
  readonly legend?: string;
  /** When it has no result although all is well; absent: never. */
  readonly emptyUntil?: string;
}

/** The expression of every alert: while all is well it has no result. */
export const alertQueries: readonly NamedQuery[] = alerts.map(({ name, expr }) => ({
  place: name,
  expr,
  emptyUntil: 'something is wrong',
}));

/** Every query of the dashboard, with all chosen in its variables. */
export const dashboardQueries: readonly NamedQuery[] = rows.flatMap(({ title, panels }) =>
  panels.flatMap((panel) =>
    panel.queries.map((query) => ({
      ...query,
      place: `${title} / ${panel.title} / ${query.legend}`,
      expr: query.expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$(pool|quota)\b/g, '.*'),
    })),
  ),
);
