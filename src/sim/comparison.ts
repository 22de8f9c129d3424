import { apiVersion, labels, parseResource, type Kind, type ResourceByKind } from '../api/v1alpha1/index.ts';
import { isUnreadable, poolSpecOf, quotaSpecOf, type PolicyInput } from '../core/snapshot/index.ts';
import { plainNodes, replay, type JobOutcome } from './replay.ts';
import { institutionsOf, type TraceJob } from './traces/index.ts';

const productLabel = 'nvidia.com/gpu.product';
const product = 'reference';
const gpusPerNode = 8;

export interface ComparisonInput {
  readonly jobs: readonly TraceJob[];
  readonly nodes: number;
}

/** Waits and use of one replay. Times in seconds. */
export interface Summary {
  readonly jobs: number;
  readonly started: number;
  readonly waited: number;
  readonly waitMean: number;
  readonly waitP50: number;
  readonly waitP95: number;
  readonly gpuHours: number;
  /** From the first arrival to the last end. */
  readonly makespanHours: number;
}

/**
 * The same jobs on the same nodes twice: every institution fenced into its own guarantee, and pooled, with everything
 * idle lent. Guarantees follow each institution's share of the GPU-hours asked for, whole nodes together.
 */
export function comparePooling(input: ComparisonInput): { readonly fenced: Summary; readonly pooled: Summary } {
  const nodes = plainNodes(input.nodes, productLabel, product);
  const run = (borrowing: boolean): Summary =>
    summaryOf(replay({ policy: policyOf(input, borrowing), nodes, jobs: input.jobs }));
  return { fenced: run(false), pooled: run(true) };
}

export function summaryOf(outcomes: readonly JobOutcome[]): Summary {
  const started = outcomes.filter((outcome) => outcome.startSeconds !== undefined);
  const waits = started.map(({ job, startSeconds = 0 }) => startSeconds - job.submitSeconds).sort((a, b) => a - b);
  const quantile = (q: number): number => waits[Math.min(waits.length - 1, Math.floor(q * waits.length))] ?? 0;
  const ends = started.map(({ job, startSeconds = 0 }) => startSeconds + job.durationSeconds);
  const first = outcomes.reduce((least, { job }) => Math.min(least, job.submitSeconds), Infinity);
  return {
    jobs: outcomes.length,
    started: started.length,
    waited: waits.filter((wait) => wait > 0).length,
    waitMean: waits.reduce((sum, wait) => sum + wait, 0) / Math.max(1, waits.length),
    waitP50: quantile(0.5),
    waitP95: quantile(0.95),
    gpuHours: started.reduce((sum, { job }) => sum + job.gpus * job.durationSeconds, 0) / 3600,
    makespanHours: started.length === 0 ? 0 : (ends.reduce((most, end) => Math.max(most, end), 0) - first) / 3600,
  };
}

function policyOf({ jobs, nodes }: ComparisonInput, borrowing: boolean): PolicyInput {
  const names = institutionsOf(jobs);
  const demand = (name: string): number =>
    jobs.filter((job) => job.institution === name).reduce((sum, job) => sum + job.gpus * job.durationSeconds, 0);
  const total = names.reduce((sum, name) => sum + demand(name), 0);
  const gpus = nodes * gpusPerNode;
  const pool = manifest('GpuPool', 'pool', {
    acceleratorClasses: [{ name: product, weight: 1, nodeSelector: { matchLabels: { [productLabel]: product } } }],
  });
  const quotas = names.map((name) =>
    manifest('ResearchQuota', name, {
      poolName: pool.metadata.name,
      namespaceSelector: { matchLabels: { [labels.institution.key]: name } },
      capacity: {
        guaranteed: Math.floor((gpus * demand(name)) / Math.max(1, total)),
        ...(borrowing ? {} : { borrowingLimit: 0 }),
      },
    }),
  );
  return {
    pools: [poolSpecOf(pool)].flatMap((spec) => (isUnreadable(spec) ? [] : [spec])),
    quotas: quotas.map(quotaSpecOf).flatMap((spec) => (isUnreadable(spec) ? [] : [spec])),
    investments: [],
    unreadablePools: [],
    namespaces: names.map((name) => ({ name, labels: { [labels.institution.key]: name } })),
  };
}

/** A resource with every default of its schema. Throws where the simulator itself wrote it wrong. */
function manifest<K extends Kind>(kind: K, name: string, spec: object): ResourceByKind[K] {
  const metadata = { name, generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' };
  const parsed = parseResource(kind, { apiVersion, kind, metadata, spec });
  if (!parsed.ok) throw new Error(parsed.problems.map(({ path, message }) => `${path}: ${message}`).join('; '));
  return parsed.resource;
}
