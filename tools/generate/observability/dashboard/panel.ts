/** How Grafana writes a value: names of its units. */
export type Unit = 'none' | 'short' | 's' | 'bytes' | 'watt' | 'percentunit' | 'reqps' | 'ops';

/** One query of a panel. */
export interface Query {
  /** PromQL with the variables of the dashboard. */
  readonly expr: string;
  /** What a series is called: `{{label}}` is replaced. */
  readonly legend: string;
  /** When it has no result although all is well; absent: it always has one while Moa works. */
  readonly emptyUntil?: string;
}

/** What a panel shows, without its place. */
export interface Panel {
  readonly title: string;
  /** What one learns from it: shown when the mouse rests on the title. */
  readonly description: string;
  /** `trend` is lines over time, `stack` fills below them, `now` is one number, `bars` compares present values. */
  readonly kind: 'trend' | 'stack' | 'now' | 'bars';
  readonly unit: Unit;
  /** Columns, of 24. */
  readonly width: 4 | 6 | 8 | 12 | 24;
  readonly queries: readonly [Query, ...Query[]];
  /** Values from which on it turns yellow or red; for `now` and `bars`. */
  readonly limits?: { readonly yellow?: number; readonly red?: number };
}

/** Panels about one thing, under a heading. */
export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** The quantile `q` of a histogram, per value of the labels. */
export function quantile(q: number, histogram: string, by: readonly string[] = []): string {
  return `histogram_quantile(${q}, sum by (${['le', ...by].join(', ')}) (rate(${histogram}[$__rate_interval])))`;
}

/** How much a counter grows each second, summed per value of the labels. */
export function perSecond(counter: string, by: readonly string[] = []): string {
  const grouping = by.length === 0 ? '' : ` by (${by.join(', ')}) `;
  return `sum${grouping}(rate(${counter}[$__rate_interval]))`;
}
