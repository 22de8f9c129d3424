import type { KubeObject, Random } from '../../support/index.ts';

/**
 * A few nodes and a namespace that share labels with no other cell, so that many questions can be asked of the
 * scheduler at once without one answer changing another.
 */
export interface Cell {
  readonly id: number;
  readonly namespace: string;
  readonly nodes: readonly CellNode[];
}

/** A node of a cell, as it was created. */
export interface CellNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly { readonly key: string; readonly value: string; readonly effect: string }[];
  readonly cordoned: boolean;
  readonly capacity: Readonly<Record<string, string>>;
  /** Volumes of the test's driver that can be attached; undefined = no limit. */
  readonly attachable: number | undefined;
}

/** The driver whose volumes count against the nodes' limits. */
export const driver = 'csi.example.test';
/** A resource that only this node has: a pod that asks for it can run nowhere else. */
export const pinOf = (node: string): string => `example.test/pin-${node}`;
/** Topology keys of a cell's own. */
export const zoneKey = (cell: Cell): string => `example.test/zone-${cell.id}`;
export const rackKey = (cell: Cell): string => `example.test/rack-${cell.id}`;

const nodesPerCell = 4;

export function makeCell(id: number, random: Random): Cell {
  const nodes = Array.from({ length: nodesPerCell }, (_, i): CellNode => {
    const name = `n${id}-${i}`;
    const labels: Record<string, string> = {
      'kubernetes.io/hostname': name,
      cell: String(id),
      gen: String(random.below(4)),
      disk: random.pick(['ssd', 'hdd']),
    };
    if (random.chance(0.85)) labels[`example.test/zone-${id}`] = random.pick(['a', 'b']);
    if (random.chance(0.85)) labels[`example.test/rack-${id}`] = random.pick(['r1', 'r2', 'r3']);
    if (random.chance(0.75)) labels['topology.kubernetes.io/zone'] = random.pick(['za', 'zb']);
    if (random.chance(0.2)) labels['fpga'] = 'yes';
    const effects = ['NoSchedule', 'NoExecute', 'PreferNoSchedule'];
    const taints = random.chance(0.5)
      ? [{ key: random.pick(['dedicated', 'spot']), value: random.pick(['x', 'y']), effect: random.pick(effects) }]
      : [];
    return {
      name,
      labels,
      taints,
      cordoned: random.chance(0.3),
      capacity: {
        cpu: '64',
        memory: '256Gi',
        pods: '60',
        'ephemeral-storage': '100Gi',
        'nvidia.com/gpu': '8',
        [pinOf(name)]: '1000',
      },
      attachable: random.chance(0.7) ? 1 + random.below(3) : undefined,
    };
  });
  return { id, namespace: `cell-${id}`, nodes };
}

/** What the cell needs before its first pod: the namespace, storage classes, limits of nodes. Nodes come apart. */
export function cellObjects(cell: Cell): KubeObject[] {
  const storageClass = (suffix: string, spec: object): KubeObject =>
    ({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: `${suffix}-${cell.id}` },
      provisioner: driver,
      volumeBindingMode: 'WaitForFirstConsumer',
      ...spec,
    }) as KubeObject;
  const topologies = [{ matchLabelExpressions: [{ key: zoneKey(cell), values: ['a'] }] }];
  return [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: cell.namespace, labels: { cell: String(cell.id), team: cell.id % 2 === 0 ? 'even' : 'odd' } },
    },
    storageClass('static', { provisioner: 'kubernetes.io/no-provisioner' }),
    storageClass('made', {}),
    storageClass('placed', { allowedTopologies: topologies }),
    storageClass('now', { volumeBindingMode: 'Immediate' }),
    ...cell.nodes.flatMap(({ name, attachable }): KubeObject[] => {
      if (attachable === undefined) return [];
      const drivers = [{ name: driver, nodeID: name, allocatable: { count: attachable }, topologyKeys: [] }];
      return [
        { apiVersion: 'storage.k8s.io/v1', kind: 'CSINode', metadata: { name }, spec: { drivers } } as KubeObject,
      ];
    }),
  ];
}

/** A node that needs no kubelet to be used. */
export function cellNodeObject({ name, labels, capacity }: CellNode): KubeObject {
  const conditions = [{ type: 'Ready', status: 'True', reason: 'Test', message: '' }];
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels },
    status: { capacity, allocatable: capacity, conditions },
  } as KubeObject;
}
