export * from './accounting/index.ts';
export { Caches } from './caches.ts';
export { startStatusControllers } from './startStatusControllers.ts';
export {
  changesManifest,
  manifestsOf,
  projectResource,
  type ManifestStores,
  type ResourceProjection,
  type World,
} from './world.ts';
export { SchedulingRecord } from './schedulingRecord.ts';
export { stateSample } from './stateSample.ts';
