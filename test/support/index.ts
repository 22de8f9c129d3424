export { TestClient, type KindRef, type ListQuery, type ObjectRef } from './client.ts';
export { withCluster, type TestCluster, type TestClusterOptions } from './cluster.ts';
export { eventually } from './eventually.ts';
export {
  jobManifest,
  nodeManifest,
  podManifest,
  uniqueName,
  type Condition,
  type JobOptions,
  type KubeObject,
  type Node,
  type Pod,
  type PodOptions,
} from './manifests.ts';
