export type { VictimCause } from './claim.ts';
export type { Taker } from './taker.ts';
export * from './victimFinder.ts';
