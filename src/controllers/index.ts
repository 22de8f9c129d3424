export * from './accounting/index.ts';
export { FleetFeed } from './feed.ts';
export { type FeedOptions } from './reflect.ts';
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
