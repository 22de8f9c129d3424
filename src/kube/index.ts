export { type Clock, systemClock } from './clock.ts';
export { FakeClock } from './fake-clock.ts';
export { ApiError, isApiError } from './errors.ts';
export { KubeConfigError, loadKubeConfig } from './kubeconfig.ts';
export {
  type ApiRequest,
  applyPatch,
  createTransport,
  jsonPatch,
  mergePatch,
  type RequestObservation,
  strategicMergePatch,
  type Transport,
} from './transport.ts';
export { type Change, keyOf, Store, type Stored } from './store.ts';
export { type RawObject, type ReflectorObservation, type ReflectorOptions, runReflector } from './reflector.ts';
export { type AddOptions, initialListPriority, WorkQueue, type WorkQueueOptions } from './workqueue.ts';
export {
  type ControllerOptions,
  enqueueChanges,
  type ReconcileObservation,
  type ReconcileResult,
  runController,
  TerminalError,
} from './controller.ts';
export {
  applyObject,
  type ApplyRequest,
  applyStatus,
  type BindingRequest,
  bindPod,
  patchPodCondition,
  type PodCondition,
  type PodConditionPatch,
} from './apply.ts';
export { type Condition, setCondition } from './conditions.ts';
export {
  type EventObservation,
  type EventRecord,
  EventRecorder,
  type EventRecorderOptions,
  type ObjectReference,
} from './events.ts';
export { type LeaderElectionObservation, type LeaderElectionOptions, runLeaderElection } from './lease.ts';
