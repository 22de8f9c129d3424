import * as prom from 'prom-client';

import { createInstruments } from './instruments.ts';
import type { Instruments } from './instruments.ts';
import { registerProcessMetrics } from './processMetrics.ts';
import { stateRecorder } from './state.ts';
import type { StateSample } from './state.ts';

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
  return {
    ...set.instruments,
    recordState: stateRecorder(set),
    beforeRender: (update) => {
      updates.push(update);
    },
    render: async () => {
      for (const update of updates) update();
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}
