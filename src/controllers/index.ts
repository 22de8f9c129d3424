export { Accounting } from './accounting/index.ts';
export { Caches } from './feed/index.ts';
export { stateSample } from './gauges/index.ts';
export {
  changesManifest,
  manifestsOf,
  projectResource,
  type ManifestStores,
  type ResourceProjection,
} from './manifests/index.ts';
export { AccessTimes, SchedulingRecord } from './record/index.ts';
export { runScheduler } from './scheduler/index.ts';
export { startStatusControllers, type World } from './status/index.ts';
