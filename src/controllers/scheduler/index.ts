export { runScheduler } from './scheduler.ts';
export { pendingByReason } from './explainer.ts';
