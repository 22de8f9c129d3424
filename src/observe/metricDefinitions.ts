import { investmentMetrics } from './definitions/investmentMetrics.ts';
import { ledgerMetrics } from './definitions/ledgerMetrics.ts';
import { operatorMetrics } from './definitions/operatorMetrics.ts';
import { poolMetrics } from './definitions/poolMetrics.ts';
import { quotaMetrics } from './definitions/quotaMetrics.ts';
import { schedulingMetrics } from './definitions/schedulingMetrics.ts';

export type { MetricDefinition } from './definitions/metricDefinition.ts';

/**
 * Every metric that Moa has. The key is the member of `Metrics` that code calls. Quantities named `normalized_gpus` are
 * devices times class weight (DESIGN.md section 1); those named `gpus` are devices.
 */
export const metricDefinitions = {
  ...schedulingMetrics,
  ...quotaMetrics,
  ...poolMetrics,
  ...investmentMetrics,
  ...ledgerMetrics,
  ...operatorMetrics,
};

export type MetricDefinitions = typeof metricDefinitions;
