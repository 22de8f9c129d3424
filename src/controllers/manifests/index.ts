export { manifestsOf, readInvestment, readPool, readQuota, zoneIn } from './manifestsOf.ts';
export {
  changesManifest,
  projectResource,
  type ManifestStores,
  type ResourceProjection,
  type StatusOf,
} from './resourceProjection.ts';
