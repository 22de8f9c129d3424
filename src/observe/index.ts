export { cycleObserver } from './cycles.ts';
export type { CycleObservation } from './cycles.ts';
export { createHealth } from './health.ts';
export type { Health, Heartbeat } from './health.ts';
export type { ListenAddress } from './httpServer.ts';
export {
  eventObserver,
  leaderElectionObserver,
  queueObserver,
  reconcileObserver,
  reflectorObserver,
  requestObserver,
} from './kube.ts';
export { createLogger, logFormats, logLevels } from './logging.ts';
export type { Logger } from './logging.ts';
export { createMetrics } from './metrics.ts';
export type { Metrics } from './metrics.ts';
export { renderMetricsReference } from './metricsReference.ts';
export { serveObservation } from './server.ts';
export { noState } from './stateSample.ts';
export type { StateSample } from './stateSample.ts';
export { startTracing } from './startTracing.ts';
export { tellAll } from './tellAll.ts';
