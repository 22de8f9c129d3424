import type { LabelDefinition } from './metricDefinition.ts';

const second = 1;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Bounds for work inside the process: from a no-op to a cycle that people notice. */
export const computing = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Bounds for one request: from a local server's 1 ms to the time limit of a call. */
export const requesting = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60];

/** Bounds for waiting for GPUs: at once, a coffee, the 15 minutes and 1 hour of the default promises, a working day, a week. */
export const waiting = [
  second,
  5 * second,
  15 * second,
  minute,
  5 * minute,
  15 * minute,
  30 * minute,
  hour,
  3 * hour,
  8 * hour,
  day,
  3 * day,
  7 * day,
];

export const pool: LabelDefinition = { meaning: 'name of the GpuPool' };
export const quota: LabelDefinition = { meaning: 'name of the ResearchQuota' };
export const investment: LabelDefinition = { meaning: 'name of the MatchingInvestment' };
export const site: LabelDefinition = { meaning: 'name of the site in the pool' };
export const acceleratorClass: LabelDefinition = { meaning: 'accelerator class of the pool' };
export const resource: LabelDefinition = { meaning: 'Kubernetes resource, as in a path: `pods`, `pods/binding`' };
export const verb = {
  meaning: 'HTTP method, `WATCH` for what streams',
  values: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'WATCH'],
} as const;

export const like = (field: string): string => `As in \`status.capacity.${field}\`.`;
