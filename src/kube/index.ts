export { type Clock, systemClock } from './clock.ts';
export { FakeClock } from './fake-clock.ts';
export { isApiError } from './errors.ts';
export { loadKubeConfig } from './kubeconfig.ts';
export {
  type ApiRequest,
  applyPatch,
  createTransport,
  mergePatch,
  type RequestObservation,
  type Transport,
} from './transport.ts';
export { isAsLate } from './resource-version.ts';
export { type Change, keyOf, Store, type Stored } from './store.ts';
export { type RawObject, type ReflectorObservation, runReflector } from './reflector.ts';
export { backOffMs } from './backoff.ts';
export { FairQueue } from './fair-queue.ts';
export { Limiter } from './limiter.ts';
export { Wake } from './wake.ts';
export { WorkQueue } from './workqueue.ts';
export { enqueueChanges, type ReconcileObservation, type ReconcileResult, runController } from './controller.ts';
export { applyObject, applyStatus, bindPod, deletePod, patchPodCondition } from './apply.ts';
export { type Condition, setCondition } from './conditions.ts';
export { type EventObservation, type EventRecord, EventRecorder } from './events.ts';
export { type LeaderElectionObservation, runLeaderElection } from './lease.ts';
