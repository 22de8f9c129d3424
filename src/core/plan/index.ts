export * from './plan.ts';
export type { Eviction } from './way.ts';
