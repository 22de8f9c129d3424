import { isApiError, type Transport } from '../../src/kube/index.ts';

/** A simulated node. */
export interface SimulatedNode {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Capacity and allocatable alike, as Kubernetes quantities. `cpu`, `memory` and `pods` have defaults. */
  readonly capacity?: Readonly<Record<string, string>>;
  readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
}

const workers = 16;

/**
 * Creates node objects in parallel; those that exist already stay as they are. KWOK makes them Ready.
 *
 * @throws ApiError when the API server refuses a node.
 */
export async function createNodes(transport: Transport, nodes: readonly SimulatedNode[]): Promise<void> {
  const queue = nodes.values();
  await Promise.all(
    Array.from({ length: workers }, async () => {
      for (const node of queue) {
        try {
          await transport.request({ method: 'POST', path: '/api/v1/nodes', body: nodeObject(node) });
        } catch (error) {
          if (!isApiError(error, 'AlreadyExists')) throw error;
        }
      }
    }),
  );
}

interface NodeView {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly taints?: readonly { readonly key: string }[] };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Whether a scheduler would use all of the nodes: Ready, and without the taint that a new node carries. */
export async function areUsable(transport: Transport, nodes: readonly SimulatedNode[]): Promise<boolean> {
  const { items } = await transport.request<{ items: readonly NodeView[] }>({
    method: 'GET',
    path: '/api/v1/nodes',
    query: { resourceVersion: '0' },
  });
  const usable = new Set(items.filter(isUsable).map(({ metadata }) => metadata.name));
  return nodes.every(({ name }) => usable.has(name));
}

function isUsable({ spec, status }: NodeView): boolean {
  const ready = status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True');
  const tainted = spec.taints?.some(({ key }) => key === 'node.kubernetes.io/not-ready');
  return ready === true && tainted !== true;
}

/** The node object that a simulated node is created from. */
export function nodeObject(node: SimulatedNode): object {
  const capacity = { cpu: '192', memory: '2Ti', pods: '110', 'ephemeral-storage': '4Ti', ...node.capacity };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: node.name,
      labels: {
        'kubernetes.io/hostname': node.name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        ...node.labels,
      },
      annotations: { ...node.annotations },
    },
    spec: node.taints === undefined ? {} : { taints: node.taints },
    status: { capacity, allocatable: capacity, addresses: [{ type: 'Hostname', address: node.name }] },
  };
}

/** Sites of the sample fleet, in the order in which they fill up. */
const zones = ['daejeon', 'gwangju', 'busan', 'seoul'];

/**
 * A sample fleet of eight-GPU nodes: three quarters H200, the rest B200, in blocks of 32 nodes and NVLink domains of 4,
 * spread over four sites. The same number always gives the same fleet.
 */
export function sampleNodes(count: number): SimulatedNode[] {
  return Array.from({ length: count }, (_, index) => {
    const b200 = Math.floor(index / 4) % 4 === 3;
    const block = Math.floor(index / 32);
    const zone = zones[block % zones.length]!;
    return {
      name: `${b200 ? 'b200' : 'h200'}-${String(index).padStart(5, '0')}`,
      labels: {
        'nvidia.com/gpu.product': b200 ? 'NVIDIA-B200' : 'NVIDIA-H200',
        'nvidia.com/gpu.count': '8',
        'nvidia.com/gpu.clique': `${zone}-${block}-${Math.floor((index % 32) / 4)}`,
        'topology.kubernetes.io/zone': zone,
        'moa.dev/block': `${zone}-${block}`,
      },
      capacity: { 'nvidia.com/gpu': '8' },
    };
  });
}
