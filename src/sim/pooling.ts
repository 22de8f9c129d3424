import { apiVersion, labels, parseResource, type Kind, type ResourceByKind } from '../api/v1alpha1/index.ts';
import { isUnreadable, poolSpecOf, quotaSpecOf, type PolicyInput } from '../core/snapshot/index.ts';
import { Heap } from '../core/ds/index.ts';
import { gpusPerNode } from './jobPods.ts';
import { institutionsOf, type TraceJob } from './traces/index.ts';

/** How a pool is shared. */
export interface Sharing {
  /** What an institution leaves idle is lent to others. False: each has its own part, as if fenced in. */
  readonly lending: boolean;
  /** Lent GPUs are taken back when their institution wants them. False: they come back when the borrower ends. */
  readonly reclaim: boolean;
  /** What an institution borrowed in the past counts when the order of borrowers is decided. */
  readonly history: boolean;
  /** The first that can't start are promised a time, which nothing that starts later delays. */
  readonly backfill: boolean;
  /** Borrowers may take from borrowers that have more. */
  readonly fairness: boolean;
}

const product = 'reference';
/** Of every node of the pool. */
export const nodeLabels = { 'nvidia.com/gpu.product': product };

/** Longer than any trace: borrowers that have not run so long are safe. */
const never = 'P3650D';

/**
 * What each institution is entitled to, in GPUs: the pool divided in proportion to the GPU-hours asked for, in whole
 * nodes and with one node at least where there are as many, by highest averages (D'Hondt). The shares sum to the pool.
 */
export function sharesOf(jobs: readonly TraceJob[], nodes: number): ReadonlyMap<string, number> {
  const names = institutionsOf(jobs);
  const demand = new Map(names.map((name) => [name, 0]));
  for (const { institution, gpus, durationSeconds } of jobs) {
    demand.set(institution, (demand.get(institution) ?? 0) + gpus * durationSeconds);
  }
  const average = ({ name, nodes: has }: Part): number => (demand.get(name) ?? 0) / (has + 1);
  const least = nodes >= names.length ? 1 : 0;
  const parts = names.map((name): Part => ({ name, nodes: least }));
  const order = new Heap<Part>((a, b) => average(b) - average(a) || (a.name < b.name ? -1 : 1));
  for (const part of parts) order.push(part);
  for (let left = nodes - least * names.length; left > 0 && order.top !== undefined; left--) {
    order.top.nodes++;
    order.settleTop();
  }
  return new Map(parts.map((part) => [part.name, part.nodes * gpusPerNode]));
}

interface Part {
  readonly name: string;
  nodes: number;
}

/** The manifests of a pool that is shared so: each institution pays for the namespace of its name. */
export function policyOf(shares: ReadonlyMap<string, number>, sharing: Sharing): PolicyInput {
  const { lending, reclaim, history, backfill, fairness } = sharing;
  const pool = manifest('GpuPool', 'pool', {
    acceleratorClasses: [{ name: product, weight: 1, nodeSelector: { matchLabels: nodeLabels } }],
    scheduling: {
      backfill,
      ...(lending && reclaim ? {} : { reclaim: { minRuntime: never } }),
      fairShare: { historyWeight: history ? 1 : 0, preemption: fairness ? 'WhenImbalanced' : 'Never' },
    },
  });
  const quotas = Array.from(shares, ([name, guaranteed]) =>
    manifest('ResearchQuota', name, {
      poolName: pool.metadata.name,
      namespaceSelector: { matchLabels: { [labels.institution.key]: name } },
      capacity: { guaranteed, ...(lending ? {} : { borrowingLimit: 0 }) },
    }),
  );
  return {
    pools: [poolSpecOf(pool)].flatMap((spec) => (isUnreadable(spec) ? [] : [spec])),
    quotas: quotas.map((quota) => quotaSpecOf(quota, 'UTC')).flatMap((spec) => (isUnreadable(spec) ? [] : [spec])),
    investments: [],
    unreadablePools: [],
    namespaces: Array.from(shares.keys(), (name) => ({ name, labels: { [labels.institution.key]: name } })),
  };
}

/** A resource with every default of its schema. Throws where the simulator itself wrote it wrong. */
function manifest<K extends Kind>(kind: K, name: string, spec: object): ResourceByKind[K] {
  const metadata = { name, generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' };
  const parsed = parseResource(kind, { apiVersion, kind, metadata, spec });
  if (!parsed.ok) throw new Error(parsed.problems.map(({ path, message }) => `${path}: ${message}`).join('; '));
  return parsed.resource;
}
