import {
  labels,
  annotations,
  apiVersion,
  collectionPath,
  schedulerName,
} from '../../src/api/v1alpha1/constants/index.ts';
import { isApiError, type Transport } from '../../src/kube/index.ts';
import { nodeObject } from '../../tools/cluster/index.ts';

/** What is put before a scheduler. */
export interface Load {
  readonly nodes: number;
  readonly pods: number;
  /** Pods of a gang; 1 = no gangs. */
  readonly gangSize: number;
  /** `spec.schedulerName` of the pods. */
  readonly schedulerName: string;
}

export const gpusPerNode = 8;

const namespaces = 10;
const writers = 32;
const model = { 'nvidia.com/gpu.product': 'NVIDIA-H200' };

/**
 * Makes the nodes, Ready from the start: nobody plays their kubelets, so that binding is all that is measured. Then the
 * namespaces and the pods, which wait.
 */
export async function createLoad(transport: Transport, load: Load): Promise<void> {
  const nodes = Array.from({ length: load.nodes }, (_, i) => nodeName(i));
  await inParallel(nodes, async (name) => {
    const node = nodeObject({ name, labels: model, capacity: { 'nvidia.com/gpu': String(gpusPerNode) } }) as NodeBody;
    const conditions = [{ type: 'Ready', status: 'True', reason: 'Benchmark' }];
    await transport.request({
      method: 'POST',
      path: '/api/v1/nodes',
      body: { ...node, status: { ...node.status, conditions } },
    });
    // A new node carries the taint not-ready until someone vouches for it.
    await transport.request({
      method: 'PATCH',
      path: `/api/v1/nodes/${name}`,
      contentType: 'application/merge-patch+json',
      body: { spec: { taints: null } },
    });
  });
  await inParallel(
    Array.from({ length: namespaces }, (_, i) => namespaceName(i)),
    async (name) => {
      const metadata = { name, labels: { [labels.institution.key]: name } };
      await transport.request({ method: 'POST', path: '/api/v1/namespaces', body: { metadata } });
    },
  );
  await inParallel(
    Array.from({ length: load.pods }, (_, i) => podObject(i, load)),
    (pod) =>
      transport.request({ method: 'POST', path: `/api/v1/namespaces/${pod.metadata.namespace}/pods`, body: pod }),
  );
}

/** One pool of all nodes, and a quota for each namespace; together they guarantee every GPU. */
export async function createPolicy(transport: Transport, nodes: number): Promise<void> {
  const pool = {
    apiVersion,
    kind: 'GpuPool',
    metadata: { name: 'bench' },
    spec: { acceleratorClasses: [{ name: 'h200', nodeSelector: { matchLabels: model }, weight: 1 }] },
  };
  await transport.request({ method: 'POST', path: collectionPath('GpuPool'), body: pool });
  for (let i = 0; i < namespaces; i += 1) {
    const name = namespaceName(i);
    const quota = {
      apiVersion,
      kind: 'ResearchQuota',
      metadata: { name },
      spec: {
        poolName: 'bench',
        institution: { displayName: name, kind: 'Institute' },
        namespaceSelector: { matchLabels: { [labels.institution.key]: name } },
        capacity: { guaranteed: Math.floor((nodes * gpusPerNode) / namespaces) },
      },
    };
    await transport.request({ method: 'POST', path: collectionPath('ResearchQuota'), body: quota });
  }
}

/** The scheduler whose pods the load of Moa and of the bare client is. */
export const moaScheduler = schedulerName;

interface NodeBody {
  readonly status: object;
}

/** Gangs go round the namespaces, their pods stay together. */
function podObject(index: number, { gangSize, schedulerName: scheduler }: Load) {
  const gang = Math.floor(index / gangSize);
  const isGang = gangSize > 1;
  const gpus = { 'nvidia.com/gpu': '1' };
  return {
    metadata: {
      name: `pod-${String(index).padStart(5, '0')}`,
      namespace: namespaceName(gang % namespaces),
      ...(isGang
        ? {
            labels: { [labels.gang.key]: `gang-${gang}` },
            annotations: { [annotations.gangSize.key]: String(gangSize) },
          }
        : {}),
    },
    spec: {
      schedulerName: scheduler,
      restartPolicy: 'Never',
      containers: [
        { name: 'main', image: 'bench', resources: { requests: { cpu: '1', memory: '1Gi', ...gpus }, limits: gpus } },
      ],
    },
  };
}

function nodeName(index: number): string {
  return `node-${String(index).padStart(5, '0')}`;
}

function namespaceName(index: number): string {
  return `bench-${index}`;
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) {
      await work(item).catch((error: unknown) => {
        if (!isApiError(error, 'AlreadyExists')) throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: writers }, worker));
}
