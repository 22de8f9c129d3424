export { clientOf, impersonationOf, type Actor } from './actor.ts';
export { release, renderChart } from './chart.ts';
export { TestClient } from './client.ts';
export { withCluster, type TestCluster } from './cluster.ts';
export { eventually } from './eventually.ts';
export { operatorIdentity } from './identity.ts';
export {
  jobManifest,
  nodeManifest,
  podManifest,
  uniqueName,
  type KubeObject,
  type Node,
  type Pod,
} from './manifests.ts';
export { startOperator, withOperator, type Operator } from './operator.ts';
export { Random } from './random.ts';
