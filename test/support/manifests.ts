import { nodeObject, simulation, type SimulatedNode } from '../../tools/cluster/index.ts';

/** An object as the API server reads and writes it. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** A pod, as far as tests look at it. */
export interface Pod extends KubeObject {
  readonly spec: {
    readonly nodeName?: string;
    readonly schedulerName?: string;
    readonly containers: readonly { readonly resources: { readonly limits?: Readonly<Record<string, string>> } }[];
  };
  readonly status: {
    readonly phase: string;
    readonly message?: string;
    readonly startTime?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

/** How one container of a pod is. */
export interface ContainerStatus {
  readonly state: {
    readonly running?: { readonly startedAt: string };
    readonly terminated?: {
      readonly exitCode: number;
      readonly reason: string;
      readonly startedAt: string;
      readonly finishedAt: string;
    };
  };
}

/** A node, as far as tests look at it. */
export interface Node extends KubeObject {
  readonly spec: { readonly unschedulable?: boolean; readonly taints?: readonly { readonly key: string }[] };
  readonly status: {
    readonly conditions?: readonly Condition[];
    readonly allocatable?: Readonly<Record<string, string>>;
  };
}

/** A status condition. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

/** What a pod of a test may differ in. */
export interface PodOptions {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Default: moa-scheduler. */
  readonly schedulerName?: string;
  /** Binds the pod at birth. */
  readonly nodeName?: string;
  /** Devices of `resourceName`. Default 0. */
  readonly gpus?: number;
  /** Default: nvidia.com/gpu. */
  readonly resourceName?: string;
  /** How long it runs, as a Go duration. Default: until it is deleted. */
  readonly duration?: string;
  /** Default: Succeeded. */
  readonly outcome?: 'Succeeded' | 'Failed';
  /** Further fields of the pod's spec. */
  readonly spec?: object;
}

/** A pod of one container. */
export function podManifest(options: PodOptions): KubeObject & { readonly spec: object } {
  const { name, namespace } = options;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: namespace ?? 'default', ...podMetadata(options) },
    spec: podSpec(options),
  };
}

/** What a Job of a test may differ in; the rest describes its pods. */
export interface JobOptions extends PodOptions {
  /** Default 1. */
  readonly parallelism?: number;
  /** Default: the parallelism. */
  readonly completions?: number;
  /** Further fields of the Job's spec. */
  readonly jobSpec?: object;
}

/** A Job of pods like {@link podManifest}'s. Failed pods are not replaced. */
export function jobManifest(options: JobOptions): KubeObject & { readonly spec: object } {
  const { name, namespace, parallelism = 1, completions = parallelism, jobSpec } = options;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: namespace ?? 'default' },
    spec: {
      parallelism,
      completions,
      backoffLimit: 0,
      ...jobSpec,
      template: { metadata: podMetadata(options), spec: { restartPolicy: 'Never', ...podSpec(options) } },
    },
  };
}

/** A simulated node with eight H200, unless the options say otherwise. */
export function nodeManifest(node: SimulatedNode): KubeObject {
  return nodeObject({
    ...node,
    labels: { 'nvidia.com/gpu.product': 'NVIDIA-H200', ...node.labels },
    capacity: { 'nvidia.com/gpu': '8', ...node.capacity },
  }) as KubeObject;
}

function podMetadata({ labels, annotations, duration, outcome }: PodOptions) {
  return {
    labels: { ...labels },
    annotations: {
      ...(duration === undefined ? {} : { [simulation.duration]: duration }),
      ...(outcome === undefined ? {} : { [simulation.outcome]: outcome }),
      ...annotations,
    },
  };
}

function podSpec({ schedulerName, nodeName, gpus = 0, resourceName = 'nvidia.com/gpu', spec }: PodOptions) {
  return {
    schedulerName: schedulerName ?? 'moa-scheduler',
    ...(nodeName === undefined ? {} : { nodeName }),
    containers: [
      {
        name: 'main',
        image: 'example.test/main',
        resources: gpus === 0 ? {} : { limits: { [resourceName]: String(gpus) } },
      },
    ],
    ...spec,
  };
}

let counter = 0;

/** A name that no other call in this process returns. */
export function uniqueName(prefix: string): string {
  counter += 1;
  return `${prefix}-${counter}`;
}
