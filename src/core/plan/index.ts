export * from './plan.ts';
export type { Eviction } from './way.ts';
export type { Waiting } from './waiting.ts';
