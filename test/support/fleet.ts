import { parseResource, type Kind, type ResourceByKind } from '../../src/api/v1alpha1/index.ts';
import {
  Fleet,
  investmentSpecOf,
  isUnreadable,
  poolSpecOf,
  quotaSpecOf,
  type NamespaceFacts,
  type NodeFacts,
  type PodFacts,
  type PodShape,
  type Unreadable,
} from '../../src/core/snapshot/index.ts';

/** A fleet as a test writes it down: manifests as people write them, nodes and pods as the core sees them. */
export interface FleetParts {
  readonly pools?: readonly ResourceByKind['GpuPool'][];
  readonly quotas?: readonly ResourceByKind['ResearchQuota'][];
  readonly investments?: readonly ResourceByKind['MatchingInvestment'][];
  readonly namespaces?: readonly NamespaceFacts[];
  readonly nodes?: readonly NodeFacts[];
  readonly pods?: readonly PodFacts[];
}

/** A resource of Moa as the API server would give it. @throws Error with what is wrong in the manifest */
export function resource<K extends Kind>(
  kind: K,
  name: string,
  { spec, status }: { readonly spec: object; readonly status?: object },
): ResourceByKind[K] {
  const metadata = { name, generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' };
  const parsed = parseResource(kind, { apiVersion: 'moa.dev/v1alpha1', kind, metadata, spec, status });
  if (!parsed.ok) throw new Error(parsed.problems.map(({ path, message }) => `${path}: ${message}`).join('; '));
  return parsed.resource;
}

/** A fleet with all of it. */
export function fleetOf(parts: FleetParts): Fleet {
  const fleet = new Fleet();
  const pools = (parts.pools ?? []).map(poolSpecOf);
  const zone = (poolName: string) =>
    parts.pools?.find((pool) => pool.metadata.name === poolName)?.spec.accounting.timeZone;
  const quotas = (parts.quotas ?? []).map((quota) => quotaSpecOf(quota, 'UTC'));
  const investments = (parts.investments ?? []).map((one) => investmentSpecOf(one, zone(one.spec.poolName) ?? 'UTC'));
  const readable = <T extends Parameters<typeof isUnreadable>[0]>(specs: readonly T[]) =>
    specs.filter((spec): spec is Exclude<T, Unreadable> => !isUnreadable(spec));
  fleet.setPolicy({
    pools: readable(pools),
    quotas: readable(quotas),
    investments: readable(investments),
    unreadablePools: pools.filter(isUnreadable).map(({ name }) => name),
    namespaces: parts.namespaces ?? [],
  });
  for (const node of parts.nodes ?? []) fleet.upsertNode(node);
  for (const pod of parts.pods ?? []) fleet.upsertPod(pod);
  return fleet;
}

/** A Ready node of eight H200, unless the options say otherwise. */
export function nodeFacts(name: string, options: Partial<NodeFacts> = {}): NodeFacts {
  return {
    name,
    labels: { product: 'H200' },
    taints: [],
    cordoned: false,
    ready: true,
    allocatable: { 'nvidia.com/gpu': 8, pods: 110 },
    ...options,
  };
}

let pods = 0;

/** A pod that holds devices on a node, or waits where none is named. */
export function podFacts(namespace: string, gpus: number, nodeName?: string): PodFacts {
  const name = `pod-${++pods}`;
  return {
    uid: name,
    namespace,
    name,
    labels: {},
    ours: true,
    createdAt: 0,
    nodeName,
    phase: nodeName === undefined ? 'Pending' : 'Running',
    boundAt: undefined,
    deletionAt: undefined,
    evictedAt: undefined,
    gated: false,
    priority: 0,
    shape: shapeOf(gpus),
    claims: [],
    gang: undefined,
    topology: undefined,
    classes: undefined,
    owner: undefined,
    user: undefined,
    walltime: undefined,
    borrower: false,
    problem: undefined,
    explained: undefined,
  };
}

const shapes = new Map<number, PodShape>();

function shapeOf(gpus: number): PodShape {
  let shape = shapes.get(gpus);
  if (shape === undefined) {
    const requests = { 'nvidia.com/gpu': gpus, pods: 1 };
    shape = {
      key: String(gpus),
      requests,
      nodeSelector: [],
      nodeTerms: undefined,
      tolerations: [],
      constraints: undefined,
      unsupported: undefined,
    };
    shapes.set(gpus, shape);
  }
  return shape;
}
