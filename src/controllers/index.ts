export { FleetFeed, type FeedOptions } from './feed.ts';
export { startStatusControllers } from './startStatusControllers.ts';
export {
  changesManifest,
  manifestsOf,
  projectResource,
  type ManifestStores,
  type ResourceProjection,
  type World,
} from './world.ts';
export { stateSample } from './stateSample.ts';
