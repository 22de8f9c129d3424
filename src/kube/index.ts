export { type Clock, systemClock } from './clock.ts';
export { FakeClock } from './fake-clock.ts';
export { ApiError, type ApiErrorDetails, isApiError } from './errors.ts';
export { KubeConfigError, loadKubeConfig } from './kubeconfig.ts';
export {
  type ApiRequest,
  applyPatch,
  createTransport,
  jsonPatch,
  mergePatch,
  type RequestObservation,
  strategicMergePatch,
  type StreamRequest,
  type Transport,
} from './transport.ts';
export { type Change, keyOf, Store, type Stored } from './store.ts';
