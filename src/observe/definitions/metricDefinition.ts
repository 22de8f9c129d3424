/** One label of a metric: what its values are, and the values themselves where they are fixed. */
export interface LabelDefinition {
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
