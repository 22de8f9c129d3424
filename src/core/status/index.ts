export * from './budgetStatus.ts';
export * from './figures.ts';
export * from './investmentStatus.ts';
export * from './poolStatus.ts';
export * from './quotaStatus.ts';
export { countedReclaims, noAccessRecord, reclaimsOfStatus, type AccessRecord, type Reclaim } from './reclaims.ts';
export { unreadableStatus } from './verdict.ts';
export type { ConditionValue, Verdict } from './verdict.ts';
