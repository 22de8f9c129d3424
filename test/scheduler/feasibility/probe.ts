import type { KubeObject, Random } from '../../support/index.ts';
import { driver, pinOf, rackKey, zoneKey, type Cell, type CellNode } from './cell.ts';

/** What a question is about: the filter that is most likely to decide it. */
export const topics = [
  'node affinity',
  'taints',
  'cordon',
  'resources',
  'host ports',
  'pod affinity',
  'pod anti-affinity',
  'anti-affinity of others',
  'topology spread',
  'bound volumes',
  'volume zones',
  'volumes to choose',
  'volumes to make',
  'unusable claims',
  'single-user claims',
  'attach limits',
  'shared disks',
] as const;

export type Topic = (typeof topics)[number];

/** A question: may this pod run on this node? The pod can run on no other. */
export interface Probe {
  readonly topic: Topic;
  readonly cell: Cell;
  readonly node: CellNode;
  readonly pod: KubeObject;
  /** Needed before the pod: volumes, claims, and pods that are on nodes already. */
  readonly before: readonly KubeObject[];
  /** Claims that the pod must own. */
  readonly owned: readonly KubeObject[];
}

interface Draft {
  readonly cell: Cell;
  readonly node: CellNode;
  readonly random: Random;
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly spec: Record<string, unknown>;
  readonly resources: Record<string, string>;
  readonly before: KubeObject[];
  readonly owned: KubeObject[];
}

const apps = ['a', 'b', 'c'];
let made = 0;

/** Makes a question about one of the cell's nodes, and what it takes to ask it. */
export function makeProbe(topic: Topic, cell: Cell, random: Random): Probe {
  const node = random.pick(cell.nodes);
  const name = `p${++made}`;
  const labels = { app: random.pick(apps), tier: random.pick(['web', 'db']) };
  const spec: Record<string, unknown> = { tolerations: [{ operator: 'Exists' }] };
  const draft: Draft = { cell, node, random, name, labels, spec, resources: {}, before: [], owned: [] };
  builders[topic](draft);
  pin(draft);
  return { topic, cell, node, pod: podObject(draft), before: draft.before, owned: draft.owned };
}

function pin({ node, random, spec, resources }: Draft): void {
  if (random.chance(0.6) || spec['affinity'] !== undefined) {
    resources[pinOf(node.name)] = '1';
    return;
  }
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: [node.name] }];
  spec['affinity'] = {
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] } },
  };
}

function podObject({ cell, name, labels, spec, resources }: Draft): KubeObject {
  const { container = {}, ...rest } = spec as { container?: object };
  const containers = [{ name: 'main', image: 'example.test/main', resources: { limits: resources }, ...container }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: cell.namespace, labels },
    spec: { schedulerName: 'default-scheduler', terminationGracePeriodSeconds: 0, containers, ...rest },
  } as KubeObject;
}

/** A pod that is on a node from birth. */
function neighbour(draft: Draft, node: CellNode, spec: object = {}, labels: object = {}): KubeObject {
  const metadata = {
    name: `p${++made}`,
    namespace: draft.cell.namespace,
    labels: { app: draft.random.pick(apps), tier: draft.random.pick(['web', 'db']), ...labels },
  };
  const containers = [{ name: 'main', image: 'example.test/main', resources: {} }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata,
    spec: { nodeName: node.name, schedulerName: 'nobody', containers, ...spec },
  } as KubeObject;
}

function neighbours(draft: Draft, most: number): void {
  for (let i = draft.random.below(most + 1); i > 0; i--) {
    const pod = neighbour(draft, draft.random.pick(draft.cell.nodes));
    draft.before.push(draft.random.chance(0.15) ? leaving(pod) : pod);
  }
}

/** The annotation of a pod that is to be deleted as soon as it is created, and never goes: no kubelet ends it. */
export const leavingAnnotation = 'example.test/leaving';

function leaving(pod: KubeObject): KubeObject {
  return { ...pod, metadata: { ...pod.metadata, annotations: { [leavingAnnotation]: 'yes' } } };
}

const builders: Readonly<Record<Topic, (draft: Draft) => void>> = {
  'node affinity': ({ random, spec }) => {
    if (random.chance(0.5)) spec['nodeSelector'] = { disk: random.pick(['ssd', 'hdd']) };
    const expression = () =>
      random.pick([
        { key: 'gen', operator: 'Gt', values: [String(random.below(4))] },
        { key: 'gen', operator: 'Lt', values: [String(random.below(5))] },
        { key: 'disk', operator: 'Lt', values: ['7'] },
        { key: 'gen', operator: 'In', values: ['0', '1'] },
        { key: 'gen', operator: 'NotIn', values: ['2', '3'] },
        { key: 'fpga', operator: 'Exists' },
        { key: 'fpga', operator: 'DoesNotExist' },
        { key: 'fpga', operator: 'NotIn', values: ['yes'] },
      ]);
    const term = () => ({ matchExpressions: Array.from({ length: 1 + random.below(2) }, expression) });
    const nodeSelectorTerms = Array.from({ length: 1 + random.below(2) }, term);
    if (random.chance(0.8))
      spec['affinity'] = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } };
  },

  taints: ({ random, spec }) => {
    const cordon = { key: 'node.kubernetes.io/unschedulable', operator: 'Exists' };
    const tolerations: object[] = [cordon];
    for (let i = random.below(3); i > 0; i--) {
      const exists = random.chance(0.4);
      tolerations.push({
        key: random.pick(['dedicated', 'spot']),
        operator: exists ? 'Exists' : 'Equal',
        ...(exists ? {} : { value: random.pick(['x', 'y']) }),
        ...(random.chance(0.5) ? {} : { effect: random.pick(['NoSchedule', 'NoExecute']) }),
      });
    }
    spec['tolerations'] = tolerations;
  },

  cordon: ({ random, spec }) => {
    const key = 'node.kubernetes.io/unschedulable';
    const others = ['dedicated', 'spot'].map((taint) => ({ key: taint, operator: 'Exists' }));
    spec['tolerations'] = random.chance(0.3)
      ? [
          ...others,
          random.pick([
            { key, operator: 'Exists' },
            { key, effect: 'NoSchedule' },
          ]),
        ]
      : others;
  },

  resources: (draft) => {
    const { random, spec, resources } = draft;
    resources['cpu'] = String(1 + random.below(50));
    resources['memory'] = `${1 + random.below(200)}Gi`;
    if (random.chance(0.5)) resources['nvidia.com/gpu'] = String(1 + random.below(9));
    if (random.chance(0.3)) resources['ephemeral-storage'] = `${1 + random.below(130)}Gi`;
    const cpu = (amount: number) => ({ resources: { requests: { cpu: String(amount) } } });
    if (random.chance(0.4))
      spec['initContainers'] = [
        { name: 'first', image: 'example.test/x', ...cpu(random.below(60)) },
        { name: 'side', image: 'example.test/x', restartPolicy: 'Always', ...cpu(random.below(30)) },
        { name: 'last', image: 'example.test/x', ...cpu(random.below(60)) },
      ];
    if (random.chance(0.5)) {
      const requests = { cpu: String(random.below(40)), memory: `${random.below(150)}Gi` };
      const containers = [{ name: 'main', image: 'example.test/main', resources: { requests } }];
      draft.before.push(neighbour(draft, draft.node, { containers }));
    }
  },

  'host ports': (draft) => {
    const { random, spec } = draft;
    const ports = () => [
      {
        containerPort: 80,
        hostPort: 8000 + random.below(2),
        protocol: random.pick(['TCP', 'UDP']),
        ...(random.chance(0.5) ? {} : { hostIP: random.pick(['10.0.0.1', '10.0.0.2', '0.0.0.0']) }),
      },
    ];
    for (let i = 1 + random.below(2); i > 0; i--) {
      const container = { name: 'main', image: 'example.test/main', ports: ports() };
      const other = { name: 'other', image: 'example.test/main' };
      const asInit = { ...container, ...(random.chance(0.6) ? { restartPolicy: 'Always' } : {}) };
      const containers = random.chance(0.7)
        ? { containers: [container] }
        : { initContainers: [asInit], containers: [other] };
      draft.before.push(neighbour(draft, draft.node, containers));
    }
    spec['container'] = { ports: ports() };
  },

  'pod affinity': (draft) => {
    neighbours(draft, 3);
    const terms = Array.from({ length: 1 + draft.random.below(2) }, () => podTerm(draft));
    draft.spec['affinity'] = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } };
  },

  'pod anti-affinity': (draft) => {
    neighbours(draft, 4);
    const terms = Array.from({ length: 1 + draft.random.below(2) }, () => podTerm(draft));
    draft.spec['affinity'] = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } };
  },

  'anti-affinity of others': (draft) => {
    for (let i = 1 + draft.random.below(2); i > 0; i--) {
      const terms = [podTerm(draft)];
      const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } };
      draft.before.push(neighbour(draft, draft.random.pick(draft.cell.nodes), { affinity }));
    }
  },

  'topology spread': (draft) => {
    const { random, cell, spec } = draft;
    neighbours(draft, 6);
    const constraints = Array.from({ length: 1 + random.below(2) }, () => {
      const hard = random.chance(0.9);
      return {
        topologyKey: random.pick([zoneKey(cell), rackKey(cell), 'kubernetes.io/hostname']),
        maxSkew: 1 + random.below(2),
        whenUnsatisfiable: hard ? 'DoNotSchedule' : 'ScheduleAnyway',
        ...selectorWithKeys(random, ['matchLabelKeys']),
        ...(hard && random.chance(0.3) ? { minDomains: 1 + random.below(4) } : {}),
        ...(random.chance(0.5) ? { nodeAffinityPolicy: random.pick(['Honor', 'Ignore']) } : {}),
        ...(random.chance(0.5) ? { nodeTaintsPolicy: random.pick(['Honor', 'Ignore']) } : {}),
      };
    });
    const firstOfKey = (key: string) => constraints.findIndex(({ topologyKey }) => topologyKey === key);
    spec['topologySpreadConstraints'] = constraints.filter(({ topologyKey }, i) => firstOfKey(topologyKey) === i);
    if (random.chance(0.4)) spec['nodeSelector'] = { cell: String(cell.id) };
    if (random.chance(0.4)) spec['tolerations'] = [{ key: 'dedicated', operator: 'Exists' }];
  },

  'bound volumes': (draft) => {
    const { random, cell } = draft;
    const key = random.pick(['disk', zoneKey(cell)]);
    const values = key === 'disk' ? [random.pick(['ssd', 'hdd'])] : [random.pick(['a', 'b'])];
    const nodeSelectorTerms = [{ matchExpressions: [{ key, operator: random.pick(['In', 'NotIn']), values }] }];
    boundClaim(draft, { nodeAffinity: { required: { nodeSelectorTerms } } }, {});
  },

  'volume zones': (draft) => {
    const key = draft.random.pick(['topology.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/zone']);
    boundClaim(draft, {}, { [key]: draft.random.pick(['za', 'zb', 'za__zb', 'zc', 'zb__zc']) });
  },

  'volumes to choose': (draft) => {
    const { random, cell } = draft;
    for (let i = 1 + random.below(3); i > 0; i--) {
      const labels = { speed: random.pick(['fast', 'slow']) };
      const key = random.pick(['disk', 'gen']);
      const values = key === 'disk' ? ['ssd'] : ['0', '1', '2'];
      draft.before.push(
        volume({
          labels,
          available: random.chance(0.85),
          spec: {
            storageClassName: `static-${cell.id}`,
            capacity: { storage: `${5 + random.below(10)}Gi` },
            accessModes: random.pick([['ReadWriteOnce'], ['ReadWriteMany', 'ReadWriteOnce']]),
            ...(random.chance(0.1) ? { volumeMode: 'Block' } : {}),
            nodeAffinity: {
              required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'In', values }] }] },
            },
          },
        }),
      );
    }
    for (let i = 1 + random.below(2); i > 0; i--)
      useClaim(draft, {
        storageClassName: `static-${cell.id}`,
        resources: { requests: { storage: `${4 + random.below(8)}Gi` } },
        accessModes: random.chance(0.15) ? ['ReadWriteMany'] : ['ReadWriteOnce'],
        ...(random.chance(0.25) ? { selector: { matchLabels: { speed: 'fast' } } } : {}),
      });
  },

  'volumes to make': (draft) => {
    const { random, cell } = draft;
    const annotations = random.chance(0.3)
      ? { 'volume.kubernetes.io/selected-node': random.pick(cell.nodes).name }
      : undefined;
    useClaim(draft, { storageClassName: `${random.pick(['made', 'placed', 'placed'])}-${cell.id}` }, annotations);
  },

  'unusable claims': (draft) => {
    const { random, cell } = draft;
    const how = random.pick(['missing', 'unbound', 'no class', 'prebound', 'owned', 'not owned', 'fine']);
    if (how === 'fine') boundClaim(draft, {}, {});
    else if (how === 'missing') addVolume(draft, { persistentVolumeClaim: { claimName: 'nothing' } });
    else if (how === 'unbound') useClaim(draft, { storageClassName: `now-${cell.id}` });
    else if (how === 'no class') useClaim(draft, { storageClassName: '' });
    else if (how === 'prebound') useClaim(draft, { storageClassName: `made-${cell.id}`, volumeName: 'nothing' });
    else {
      const spec = { storageClassName: `made-${cell.id}`, accessModes: ['ReadWriteOnce'], resources: storage('1Gi') };
      addVolume(draft, { name: 'scratch', ephemeral: { volumeClaimTemplate: { spec } } });
      const claim = claimObject(draft, `${draft.name}-scratch`, spec);
      if (how === 'owned') draft.owned.push(claim);
      else draft.before.push(claim);
    }
  },

  'single-user claims': (draft) => {
    const { random } = draft;
    const modes = random.pick([['ReadWriteOncePod'], ['ReadWriteOncePod'], ['ReadWriteOnce']]);
    const name = boundClaim(draft, { accessModes: modes }, {});
    if (random.chance(0.6)) {
      const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: name } }];
      draft.before.push(neighbour(draft, random.pick(draft.cell.nodes), { volumes }));
    }
  },

  'attach limits': (draft) => {
    const { random, cell, node } = draft;
    const csi = () => ({ csi: { driver, volumeHandle: `h${cell.id}-${random.below(3)}` }, hostPath: undefined });
    for (let i = random.below(3); i > 0; i--) {
      const before = draft.before.length;
      const name = boundClaim({ ...draft, spec: {} }, csi(), {});
      if (draft.before.length === before) throw new Error('no claim was made');
      const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: name } }];
      draft.before.push(neighbour(draft, node, { volumes }));
    }
    for (let i = 1 + random.below(2); i > 0; i--) {
      if (random.chance(0.7)) boundClaim(draft, csi(), {});
      else useClaim(draft, { storageClassName: `made-${cell.id}` });
    }
  },

  'shared disks': (draft) => {
    const { random } = draft;
    const disk = () => {
      const readOnly = random.chance(0.6);
      const number = random.below(2);
      return random.chance(0.5)
        ? {
            iscsi: {
              targetPortal: '10.0.0.9:3260',
              iqn: `iqn.2026-01.test:d${number}`,
              lun: random.below(3),
              readOnly,
            },
          }
        : { rbd: { monitors: [`m${random.below(2)}:6789`, 'm2:6789'], image: `i${number}`, readOnly } };
    };
    for (let i = 1 + random.below(2); i > 0; i--)
      draft.before.push(neighbour(draft, draft.node, { volumes: [{ name: 'v', ...disk() }] }));
    addVolume(draft, disk());
  },
};

function podTerm({ random, cell }: Draft) {
  const scope = random.pick([
    {},
    {},
    { namespaces: ['elsewhere'] },
    { namespaceSelector: { matchLabels: { cell: String(cell.id) } } },
    { namespaces: [cell.namespace], namespaceSelector: { matchLabels: { cell: 'none' } } },
  ]);
  return {
    topologyKey: random.pick([zoneKey(cell), rackKey(cell), 'kubernetes.io/hostname']),
    ...selectorWithKeys(random, ['matchLabelKeys', 'mismatchLabelKeys']),
    ...scope,
  };
}

/** A selector and, now and then, label keys of the pod that are merged into it. No key may be in both. */
function selectorWithKeys(random: Random, fields: readonly string[]): { readonly labelSelector: object } {
  if (!random.chance(0.2)) return { labelSelector: podSelector(random) };
  return { labelSelector: { matchLabels: { app: random.pick(apps) } }, [random.pick(fields)]: ['tier'] };
}

function podSelector(random: Random) {
  return random.pick([
    { matchLabels: { app: random.pick(apps) } },
    { matchLabels: { app: random.pick(apps), tier: 'web' } },
    { matchExpressions: [{ key: 'app', operator: 'In', values: ['a', 'b'] }] },
    { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['a'] }] },
    { matchExpressions: [{ key: 'tier', operator: 'Exists' }] },
  ]);
}

const storage = (size: string) => ({ requests: { storage: size } });

function addVolume({ spec }: Draft, source: object): void {
  const volumes = (spec['volumes'] ??= []) as object[];
  volumes.push({ name: `v${volumes.length}`, ...source });
}

function claimObject({ cell }: Draft, name: string, spec: object, annotations: object = {}): KubeObject {
  const whole = { accessModes: ['ReadWriteOnce'], resources: storage('1Gi'), ...spec };
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: cell.namespace, annotations },
    spec: whole,
  } as KubeObject;
}

/** A claim without a volume that the pod uses. */
function useClaim(draft: Draft, spec: object, annotations?: object): void {
  const name = `c${++made}`;
  draft.before.push(claimObject(draft, name, spec, annotations));
  addVolume(draft, { persistentVolumeClaim: { claimName: name } });
}

function volume({ labels, spec, available }: { labels: object; spec: object; available: boolean }): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `v${++made}`, labels },
    spec: { hostPath: { path: '/tmp/x' }, ...spec },
    status: { phase: available ? 'Available' : 'Pending' },
  } as KubeObject;
}

/** A claim that is bound to a volume and that the pod uses. @returns the claim's name */
function boundClaim(draft: Draft, volumeSpec: object, labels: object): string {
  const name = `c${++made}`;
  const accessModes = (volumeSpec as { accessModes?: string[] }).accessModes ?? ['ReadWriteOnce'];
  const bound = volume({
    labels,
    available: false,
    spec: {
      storageClassName: `made-${draft.cell.id}`,
      capacity: { storage: '1Gi' },
      accessModes,
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: draft.cell.namespace, name },
      ...volumeSpec,
    },
  });
  const spec = { storageClassName: `made-${draft.cell.id}`, volumeName: bound.metadata.name, accessModes };
  const annotations = { 'pv.kubernetes.io/bind-completed': 'yes' };
  draft.before.push(bound, claimObject(draft, name, spec, annotations));
  addVolume(draft, { persistentVolumeClaim: { claimName: name } });
  return name;
}
