import * as prom from 'prom-client';

import { gaugeText } from './gaugeText.ts';
import { metricDefinitions } from './metricDefinitions.ts';
import type { MetricDefinition, MetricDefinitions } from './metricDefinitions.ts';

type LabelValue<L> = L extends { readonly values: readonly (infer V extends string)[] } ? V : string;

/** All labels of a metric, each required, with the values its definition allows. */
type LabelsOf<D extends MetricDefinition> = { readonly [L in keyof D['labels']]: LabelValue<D['labels'][L]> };

/** Arguments of a call: labels come first, where the metric has any. */
type Call<L, Rest extends readonly unknown[]> = keyof L extends never ? Rest : [labels: L, ...rest: Rest];

export interface Counter<L> {
  /** Adds `by`, 1 when absent; never negative. */
  inc(...call: Call<L, [by?: number]>): void;
}

export interface Histogram<L> {
  /** Counts one value, in the unit of the metric's name. */
  observe(...call: Call<L, [value: number]>): void;
}

export interface Gauge<L> {
  set(...call: Call<L, [value: number]>): void;
}

interface Kinds<L> {
  readonly counter: Counter<L>;
  readonly histogram: Histogram<L>;
  readonly gauge: Gauge<L>;
}

/** One typed member for each definition. */
export type Instruments = {
  readonly [K in keyof MetricDefinitions]: Kinds<LabelsOf<MetricDefinitions[K]>>[MetricDefinitions[K]['kind']];
};

export type GaugeName = {
  [K in keyof MetricDefinitions]: MetricDefinitions[K]['kind'] extends 'gauge' ? K : never;
}[keyof MetricDefinitions];

/** One value of a gauge with its labels. */
export type Series<K extends GaugeName> = readonly [labels: LabelsOf<MetricDefinitions[K]>, value: number];

export interface InstrumentSet {
  readonly instruments: Instruments;
  /** Makes these the only series of a gauge: what is not named any more vanishes from the page. */
  readonly replace: <K extends GaugeName>(metric: K, series: readonly Series<K>[]) => void;
  /** The text of a gauge whose series were replaced, which its instrument does not know; undefined for all others. */
  readonly textOf: (name: string) => string | undefined;
  /** Drops the counts of a pool that no longer exists. */
  readonly forgetPool: (pool: string) => void;
  /** Drops the counts of a quota that no longer exists. */
  readonly forgetQuota: (quota: string) => void;
}

/** Builds every metric of the table in `registry`. */
export function createInstruments(registry: prom.Registry): InstrumentSet {
  const replaced = new Map<string, () => string>();
  const built = Object.entries<MetricDefinition>(metricDefinitions).map(([key, definition]) => {
    const { name, help } = definition;
    const config = { name, help, labelNames: Object.keys(definition.labels), registers: [registry] };
    switch (definition.kind) {
      case 'counter': {
        const counter = new prom.Counter(config);
        // A count that appears as 1 looks to Prometheus as if it had always been 1: those that can be foreseen begin at 0.
        for (const labels of combinationsOf(definition)) counter.inc(labels, 0);
        return [key, counter] as const;
      }
      case 'histogram':
        return [key, new prom.Histogram({ ...config, buckets: [...(definition.buckets ?? [])] })] as const;
      case 'gauge':
        return [key, new prom.Gauge(config)] as const;
    }
  });
  // prom-client's own instruments take the very calls that Instruments allows; its types merely allow more.
  const instruments = Object.fromEntries(built) as unknown as Instruments;
  return {
    instruments,
    replace: (metric, series) => {
      const { name, help } = metricDefinitions[metric];
      replaced.set(name, () => gaugeText(name, help, series));
    },
    textOf: (name) => replaced.get(name)?.(),
    forgetPool: (pool) => {
      (instruments.podsBound as unknown as prom.Counter).remove({ pool });
      (instruments.reclaimAccess as unknown as prom.Histogram).remove({ pool });
      for (const cause of metricDefinitions.evictions.labels.cause.values) {
        (instruments.evictions as unknown as prom.Counter).remove({ pool, cause });
      }
    },
    forgetQuota: (quota) => {
      (instruments.admissions as unknown as prom.Counter).remove({ quota });
    },
  };
}

/** All sets of labels that a metric can have; none unless each label has fixed values. */
function combinationsOf({ labels }: MetricDefinition): Record<string, string>[] {
  return Object.entries(labels).reduce<Record<string, string>[]>(
    (sets, [label, { values = [] }]) => sets.flatMap((set) => values.map((value) => ({ ...set, [label]: value }))),
    [{}],
  );
}
