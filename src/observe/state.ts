import type { InstrumentSet } from './instruments.ts';

/** What the gauges show of one pool, in devices. */
export interface PoolSample {
  readonly name: string;
  readonly nodes: number;
  readonly readyNodes: number;
  readonly classes: readonly {
    readonly name: string;
    readonly gpus: number;
    readonly readyGpus: number;
    readonly allocatedGpus: number;
    readonly freeGpus: number;
  }[];
}

/** What the gauges show of one quota, in milli-GPUs. */
export interface QuotaSample {
  readonly name: string;
  readonly effectiveGuarantee: number;
  readonly used: number;
  readonly borrowed: number;
  readonly lent: number;
}

/** What the gauges show of one investment, in milli-GPUs. */
export interface InvestmentSample {
  readonly name: string;
  readonly effectiveEntitlement: number;
  readonly used: number;
}

/** The workloads of one quota; the name is empty for those without. */
export interface WorkloadSample {
  readonly quotaName: string;
  readonly running: number;
  /** How many wait, by reason. */
  readonly pending: Readonly<Record<string, number>>;
  /** For how many of them space is kept. */
  readonly reserved: number;
}

/**
 * A picture of the state that gauges mirror. Each part that is present replaces what was shown of its kind, so a deleted
 * resource needs no call of its own; a part that is absent stays. A process that stops leading passes four empty lists.
 */
export interface StateSample {
  readonly pools?: readonly PoolSample[];
  readonly quotas?: readonly QuotaSample[];
  readonly investments?: readonly InvestmentSample[];
  readonly workloads?: readonly WorkloadSample[];
}

/** A function that puts samples on the page. */
export function stateRecorder({ replace, forgetPool }: InstrumentSet): (sample: StateSample) => void {
  let known = new Set<string>();

  const recordPools = (pools: readonly PoolSample[]) => {
    const classes = pools.flatMap((pool) =>
      pool.classes.map((counts) => ({ labels: { pool: pool.name, class: counts.name }, counts })),
    );
    replace(
      'poolNodes',
      pools.map((pool) => [{ pool: pool.name }, pool.nodes]),
    );
    replace(
      'poolReadyNodes',
      pools.map((pool) => [{ pool: pool.name }, pool.readyNodes]),
    );
    replace(
      'poolGpus',
      classes.map(({ labels, counts }) => [labels, counts.gpus]),
    );
    replace(
      'poolReadyGpus',
      classes.map(({ labels, counts }) => [labels, counts.readyGpus]),
    );
    replace(
      'poolAllocatedGpus',
      classes.map(({ labels, counts }) => [labels, counts.allocatedGpus]),
    );
    replace(
      'poolFreeGpus',
      classes.map(({ labels, counts }) => [labels, counts.freeGpus]),
    );
    const names = new Set(pools.map((pool) => pool.name));
    for (const name of known) if (!names.has(name)) forgetPool(name);
    known = names;
  };

  const recordQuotas = (quotas: readonly QuotaSample[]) => {
    replace(
      'quotaGuaranteed',
      quotas.map((quota) => [{ quota: quota.name }, gpus(quota.effectiveGuarantee)]),
    );
    replace(
      'quotaUsed',
      quotas.map((quota) => [{ quota: quota.name }, gpus(quota.used)]),
    );
    replace(
      'quotaBorrowed',
      quotas.map((quota) => [{ quota: quota.name }, gpus(quota.borrowed)]),
    );
    replace(
      'quotaLent',
      quotas.map((quota) => [{ quota: quota.name }, gpus(quota.lent)]),
    );
  };

  const recordInvestments = (investments: readonly InvestmentSample[]) => {
    replace(
      'investmentEntitlement',
      investments.map(({ name, effectiveEntitlement }) => [{ investment: name }, gpus(effectiveEntitlement)]),
    );
    replace(
      'investmentUsed',
      investments.map(({ name, used }) => [{ investment: name }, gpus(used)]),
    );
  };

  const recordWorkloads = (workloads: readonly WorkloadSample[]) => {
    replace(
      'runningWorkloads',
      workloads.map(({ quotaName, running }) => [{ quota: quotaName }, running]),
    );
    replace(
      'reservations',
      workloads.map(({ quotaName, reserved }) => [{ quota: quotaName }, reserved]),
    );
    replace(
      'pendingWorkloads',
      workloads.flatMap(({ quotaName, pending }) =>
        Object.entries(pending).map(([reason, count]) => [{ quota: quotaName, reason }, count] as const),
      ),
    );
  };

  return ({ pools, quotas, investments, workloads }) => {
    if (pools !== undefined) recordPools(pools);
    if (quotas !== undefined) recordQuotas(quotas);
    if (investments !== undefined) recordInvestments(investments);
    if (workloads !== undefined) recordWorkloads(workloads);
  };
}

/** Milli-GPUs, an integer inside Moa, as the GPUs that a dashboard shows. */
function gpus(milliGpus: number): number {
  return milliGpus / 1000;
}
