import { setImmediate as nextTurn } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';

import * as prom from 'prom-client';

import { createInstruments } from './instruments.ts';
import type { Instruments } from './instruments.ts';
import { registerProcessMetrics } from './processMetrics.ts';
import { stateRecorder } from './state.ts';
import type { StateSample } from './stateSample.ts';

/** All metrics of the process: one typed member for each definition, and the page they make. */
export interface Metrics extends Instruments {
  /** Sets the gauges that mirror resources. See {@link StateSample}. */
  recordState(sample: StateSample): void;
  /**
   * Has `update` called before every page, for gauges that are cheaper to read off when asked than to keep. What it
   * throws fails the page.
   */
  beforeRender(update: () => void): void;
  /** The page in the Prometheus text format. */
  render(): Promise<MetricsPage>;
}

export interface MetricsPage {
  readonly contentType: string;
  readonly body: string;
}

/** Metrics in a registry of their own, so that tests and replays in one process do not see each other's. */
export function createMetrics({ version }: { readonly version: string }): Metrics {
  const registry = new prom.Registry();
  const set = createInstruments(registry);
  registerProcessMetrics(registry);
  const updates: (() => void)[] = [];
  set.instruments.buildInfo.set({ version, node_version: process.version }, 1);
  set.instruments.heapLimit.set(getHeapStatistics().heap_size_limit);
  return {
    ...set.instruments,
    recordState: stateRecorder(set),
    beforeRender: (update) => {
      updates.push(update);
    },
    render: async () => {
      for (const update of updates) update();
      const texts: string[] = [];
      for (const metric of registry.getMetricsAsArray()) {
        texts.push(set.textOf(metric.name) ?? (await registry.getSingleMetricAsString(metric.name)));
        // A page of thousands of quotas takes a while: between two metrics whoever else has work gets a turn.
        await nextTurn();
      }
      return { contentType: registry.contentType, body: `${texts.join('\n\n')}\n` };
    },
  };
}
