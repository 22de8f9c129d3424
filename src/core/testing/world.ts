import {
  Fleet,
  type AcceleratorClass,
  type GangClaim,
  type InvestmentSpec,
  type NamespaceFacts,
  type NodeFacts,
  type PodFacts,
  type PodShape,
  type PolicyInput,
  type PoolSpec,
  type QuotaSpec,
} from '../snapshot/index.ts';
import { micros, milli, type MilliGpus } from '../units/index.ts';

/** Whole normalized GPUs as milli-GPUs. */
export const gpus = (count: number): MilliGpus => milli(count * 1000);

const gpuResource = 'nvidia.com/gpu';
const productLabel = 'nvidia.com/gpu.product';
const hour = 3_600_000;

/** A class whose nodes carry the product label of its own name. */
export function acceleratorClass(name: string, weight = 1, more: Partial<AcceleratorClass> = {}): AcceleratorClass {
  return {
    name,
    resourceName: gpuResource,
    nodeSelector: [{ key: productLabel, operator: 'In', values: [name] }],
    weight: gpus(weight),
    powerWatts: undefined,
    ...more,
  };
}

export function pool(more: Partial<PoolSpec> = {}): PoolSpec {
  return {
    name: 'national',
    generation: 1,
    classes: [acceleratorClass('h200')],
    contributions: [],
    topologyLevels: [],
    sites: [],
    isolate: false,
    publicFloor: micros(0),
    placement: 'Pack',
    minRuntime: hour / 4,
    notice: 120_000,
    backfill: true,
    fairShare: { halfLife: 168 * hour, historyWeight: micros(1_000_000), preemption: 'Never' },
    timeZone: 'UTC',
    borrowedChargeFactor: micros(1_000_000),
    milestones: [],
    ...more,
  };
}

/** A quota that pays for the namespace of its own name. `guaranteed` in whole normalized GPUs. */
export function quota(name: string, guaranteed: number, more: Partial<QuotaSpec> = {}): QuotaSpec {
  return {
    name,
    generation: 1,
    createdAt: 0,
    poolName: 'national',
    parentName: undefined,
    namespaceSelector: [{ key: 'moa.dev/institution', operator: 'In', values: [name] }],
    tier: 'Research',
    weight: 1,
    guaranteed: gpus(guaranteed),
    borrowingLimit: undefined,
    lendingLimit: undefined,
    perUserMax: undefined,
    classes: [],
    maxWorkloadGpus: undefined,
    maxWalltime: undefined,
    defaultWalltime: undefined,
    budget: undefined,
    suspend: false,
    ...more,
  };
}

export function node(name: string, devices = 8, more: Partial<NodeFacts> & { product?: string } = {}): NodeFacts {
  const { product = 'h200', ...rest } = more;
  return {
    name,
    labels: { [productLabel]: product, 'kubernetes.io/hostname': name },
    taints: [],
    cordoned: false,
    ready: true,
    allocatable: { [gpuResource]: devices, cpu: 64_000, memory: 2 ** 38, pods: 110 },
    ...rest,
  };
}

let created = 0;

/** A pending pod of Moa's that asks for `devices`; later ones are younger. */
export function pod(
  namespace: string,
  devices: number,
  more: Partial<Omit<PodFacts, 'shape'>> & { shape?: Partial<PodShape>; gangOf?: [string, number] } = {},
): PodFacts {
  const { shape, gangOf, ...rest } = more;
  created++;
  const name = more.name ?? `pod-${created}`;
  const gang: GangClaim | undefined =
    gangOf === undefined ? undefined : { kind: 'label', name: gangOf[0], size: gangOf[1] };
  return {
    uid: `uid-${name}`,
    namespace,
    name,
    labels: {},
    ours: true,
    createdAt: created,
    nodeName: undefined,
    phase: 'Pending',
    boundAt: undefined,
    deletionAt: undefined,
    evictedAt: undefined,
    gated: false,
    priority: 0,
    shape: podShape(devices, shape),
    claims: [],
    gang,
    topology: undefined,
    classes: undefined,
    owner: undefined,
    user: undefined,
    walltime: undefined,
    borrower: false,
    problem: undefined,
    explained: undefined,
    ...rest,
  };
}

const shapes = new Map<string, PodShape>();

/** Shapes are shared, as the reader of pods shares them. */
export function podShape(devices: number, more: Partial<PodShape> = {}): PodShape {
  const shape = {
    requests: devices > 0 ? { [gpuResource]: devices, pods: 1 } : { cpu: 1000, pods: 1 },
    nodeSelector: [],
    nodeTerms: undefined,
    tolerations: [],
    constraints: undefined,
    unsupported: undefined,
    ...more,
  };
  const key = JSON.stringify(shape);
  let known = shapes.get(key);
  if (known === undefined) {
    known = { key, ...shape };
    shapes.set(key, known);
  }
  return known;
}

export interface World {
  readonly pools?: readonly PoolSpec[];
  readonly quotas?: readonly QuotaSpec[];
  readonly investments?: readonly InvestmentSpec[];
  readonly nodes?: readonly NodeFacts[];
  readonly pods?: readonly PodFacts[];
  readonly namespaces?: readonly NamespaceFacts[];
}

/** A fleet of that world. Every quota has a namespace of its name unless namespaces are given. */
export function fleetOf(world: World): Fleet {
  const fleet = new Fleet();
  fleet.setPolicy(policyInputOf(world));
  for (const facts of world.nodes ?? []) fleet.upsertNode(facts);
  for (const facts of world.pods ?? []) fleet.upsertPod(facts);
  return fleet;
}

export function policyInputOf(world: World): PolicyInput {
  const quotas = world.quotas ?? [];
  return {
    pools: world.pools ?? [pool()],
    quotas,
    investments: world.investments ?? [],
    unreadablePools: [],
    namespaces: world.namespaces ?? quotas.map(({ name }) => ({ name, labels: { 'moa.dev/institution': name } })),
  };
}
