/** Whom an alert reaches: `critical` wakes somebody at once, `warning` is looked at in working hours. */
export type Severity = 'critical' | 'warning';

/** One alerting rule. Its name is also that of its page in docs/runbooks. */
export interface Alert {
  readonly name: `Moa${string}`;
  /** PromQL that has a result while something is wrong. Aggregated, so that a change of leader makes no second alert. */
  readonly expr: string;
  /** For how long it must have one. Absent: at once. */
  readonly for?: string;
  readonly severity: Severity;
  /** The headline: what is wrong, in a few words. */
  readonly summary: string;
  /** Who is affected and how much, with the figures. */
  readonly description: string;
}

/** Alerts about one thing, evaluated together. */
export interface AlertGroup {
  readonly name: string;
  readonly alerts: readonly Alert[];
}
