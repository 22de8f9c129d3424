import type { NodeFacts, PodFacts, PodShape } from '../core/snapshot/index.ts';
import type { TraceJob } from './traces/index.ts';

export const gpusPerNode = 8;
const gpuResource = 'nvidia.com/gpu';

/** One attempt to run a job: the first, or one after an eviction. Times in epoch milliseconds. */
export interface Attempt {
  readonly job: TraceJob;
  /** 0 for the first. */
  readonly number: number;
  readonly createdAt: number;
  /** As its user declares it, milliseconds. */
  readonly walltime: number;
}

/**
 * The pods of one attempt, owned by the job as if a controller had made them. A job of up to eight GPUs is one pod; a
 * larger one is a gang of whole nodes and, where it is no multiple, a rest.
 */
export function podsOf({ job, number, createdAt, walltime }: Attempt): readonly PodFacts[] {
  const size = Math.max(1, Math.ceil(job.gpus / gpusPerNode));
  return Array.from({ length: size }, (_, i): PodFacts => ({
    uid: `${job.id}/${i}/${number}`,
    namespace: job.institution,
    name: `${job.id}-${i}`,
    labels: noLabels,
    ours: true,
    createdAt,
    nodeName: undefined,
    phase: 'Pending',
    boundAt: undefined,
    deletionAt: undefined,
    evictedAt: undefined,
    borrower: false,
    gated: false,
    priority: 0,
    shape: shapeOf(Math.min(gpusPerNode, job.gpus - i * gpusPerNode)),
    claims: [],
    gang: size === 1 ? undefined : { kind: 'label', name: job.id, size },
    topology: undefined,
    classes: undefined,
    owner: job.id,
    user: undefined,
    walltime,
    problem: undefined,
    explained: undefined,
  }));
}

/** `count` equal nodes of eight GPUs of one class. */
export function plainNodes(count: number, labels: Readonly<Record<string, string>>): readonly NodeFacts[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `node-${String(i).padStart(6, '0')}`,
    labels,
    taints: [],
    cordoned: false,
    ready: true,
    allocatable: { [gpuResource]: gpusPerNode, pods: 110 },
  }));
}

const noLabels = {};
const shapes = new Map<number, PodShape>();

/** Less than one device is a part of one; of more only whole ones can be asked for. */
function shapeOf(gpus: number): PodShape {
  let shape = shapes.get(gpus);
  if (shape === undefined) {
    const plain = { nodeSelector: [], nodeTerms: undefined, tolerations: [], constraints: undefined };
    const key = `gpus-${gpus}`;
    shape =
      gpus < 1
        ? {
            key,
            ...plain,
            requests: { pods: 1 },
            share: { resourceName: gpuResource, milli: Math.max(1, Math.round(gpus * 1000)) },
            unsupported: undefined,
          }
        : { key, ...plain, requests: { [gpuResource]: Math.ceil(gpus), pods: 1 }, unsupported: undefined };
    shapes.set(gpus, shape);
  }
  return shape;
}
