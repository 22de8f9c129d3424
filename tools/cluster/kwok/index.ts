import { nodeStages } from './node-stages.ts';
import { podStages } from './pod-stages.ts';
import { stageManifest } from './stage.ts';

export { simulation } from './annotations.ts';
export { nodeMonitorGraceSeconds } from './node-stages.ts';

/**
 * The configuration file of KWOK, which plays the kubelet of every node: several YAML documents, each of them JSON.
 *
 * KWOK's own leases are off (no nodeLeaseDurationSeconds): with them it leaves a node's pods alone until it has seen the
 * lease that it holds, and after a restart until the lease of its former life has run out. Stages keep the leases instead.
 */
export function kwokConfiguration(): string {
  const options = {
    apiVersion: 'config.kwok.x-k8s.io/v1alpha1',
    kind: 'KwokConfiguration',
    metadata: { name: 'moa' },
    options: {
      manageAllNodes: true,
      cidr: '10.64.0.0/10',
      nodePlayStageParallelism: 8,
      podPlayStageParallelism: 16,
      // It ignores the pods of a node that it does not know yet, and lists them again once it does: from etcd, by four
      // workers. In a file that does not say so it has none, and such a pod would wait for ever.
      podsOnNodeSyncParallelism: 4,
      enablePodsOnNodeSyncListPager: true,
    },
  };
  const stages = Object.entries({ ...podStages, ...nodeStages }).map(([name, stage]) => stageManifest(name, stage));
  return [options, ...stages].map((document) => JSON.stringify(document, undefined, 1)).join('\n---\n') + '\n';
}
