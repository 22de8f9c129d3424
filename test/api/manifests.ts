import type { Kind } from '../../src/api/v1alpha1/index.ts';

/** A manifest in the making: tests put wrong things into it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: Kind;
  readonly metadata: { readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

const specs: Readonly<Record<Kind, Readonly<Record<string, unknown>>>> = {
  GpuPool: {
    acceleratorClasses: [
      { name: 'h200', weight: '1', nodeSelector: { matchLabels: { 'nvidia.com/gpu.product': 'NVIDIA-H200' } } },
      { name: 'b200', weight: '2', nodeSelector: { matchLabels: { 'nvidia.com/gpu.product': 'NVIDIA-B200' } } },
    ],
    contributions: [{ quotaName: 'kist', nodeSelector: { matchLabels: { 'moa.dev/contributor': 'kist' } } }],
    topologyLevels: ['topology.kubernetes.io/zone', 'moa.dev/block'],
    sites: [{ name: 'daejeon', nodeSelector: { matchLabels: { 'topology.kubernetes.io/zone': 'daejeon' } } }],
    milestones: [{ date: '2026-12-31', gpus: 30000 }],
  },
  ResearchQuota: {
    poolName: 'national',
    namespaceSelector: { matchLabels: { 'moa.dev/institution': 'kaist' } },
    capacity: { guaranteed: '64', classes: [{ name: 'b200', guaranteed: 8, max: 128 }] },
    budget: {
      normalizedGpuHours: '2242560',
      period: { start: '2026-03-01', end: '2027-02-28' },
      adjustments: [{ name: 's1', date: '2026-07-01', kind: 'Supplement', normalizedGpuHours: '50000' }],
    },
    limits: { maxWorkloadGpus: 256, maxWalltime: '72h' },
  },
  MatchingInvestment: {
    poolName: 'national',
    investorName: 'company-a',
    contribution: {
      items: [{ class: 'h200', gpus: 64 }],
      nodeSelector: { matchLabels: { 'moa.dev/investment': 'company-a-2026', 'moa.dev/funding': 'investor' } },
    },
    match: { ratio: '1.0', cap: '64' },
    term: { start: '2026-04-01', end: '2031-03-31' },
  },
};

/** A manifest that the API server accepts, with a bit of everything. */
export function goodManifest(kind: Kind, name = 'sample'): Manifest {
  return { apiVersion: 'moa.dev/v1alpha1', kind, metadata: { name }, spec: specs[kind] };
}

/**
 * A copy of the manifest with one field replaced, or removed when the value is undefined. The path is written as the API
 * server writes it: `spec.acceleratorClasses[0].weight`. An index one past the end appends.
 */
export function withField(manifest: Manifest, path: string, value: unknown): Manifest {
  const copy = structuredClone(manifest);
  const steps = path.split(/[.[\]]+/).filter((step) => step !== '');
  const last = steps.pop() ?? '';
  let parent = copy as unknown as Record<string, unknown>;
  for (const step of steps) {
    parent[step] ??= {};
    parent = parent[step] as Record<string, unknown>;
  }
  if (value !== undefined) parent[last] = value;
  else if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else Reflect.deleteProperty(parent, last);
  return copy;
}
