export * from './feasibility.ts';
export * from './placer.ts';
