export * from './figures.ts';
export * from './investmentStatus.ts';
export * from './poolStatus.ts';
export * from './quotaStatus.ts';
export { unreadableStatus } from './verdict.ts';
export type { ConditionValue, Verdict } from './verdict.ts';
