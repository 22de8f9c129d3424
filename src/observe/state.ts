import type { GaugeName, InstrumentSet, Series } from './instruments.ts';
import type {
  InvestmentSample,
  PoolSample,
  QuotaSample,
  StateSample,
  UnreadySample,
  WaitSample,
  WorkloadSample,
} from './stateSample.ts';

/** A function that puts samples on the page. */
export function stateRecorder(set: InstrumentSet): (sample: StateSample) => void {
  const pools = new Recorder(set, set.forgetPool);
  const quotas = new Recorder(set, set.forgetQuota);
  const others = new Recorder(set, () => undefined);
  return (sample) => {
    if (sample.pools !== undefined) recordPools(pools, sample.pools);
    if (sample.quotas !== undefined) recordQuotas(quotas, sample.quotas);
    if (sample.investments !== undefined) recordInvestments(others, sample.investments);
    if (sample.workloads !== undefined) recordWorkloads(others, sample.workloads);
    if (sample.waits !== undefined) recordWaits(others, sample.waits);
    if (sample.unready !== undefined) recordUnready(others, sample.unready);
  };
}

/** Puts the series of gauges on the page, and drops the counts of resources that are gone. */
class Recorder {
  readonly #set: InstrumentSet;
  readonly #forget: (name: string) => void;
  #known = new Set<string>();

  constructor(set: InstrumentSet, forget: (name: string) => void) {
    this.#set = set;
    this.#forget = forget;
  }

  /** Makes these the only series of a gauge. A value that is undefined has no series. */
  show<K extends GaugeName, T>(
    gauge: K,
    items: readonly T[],
    seriesOf: (item: T) => readonly [Series<K>[0], number | undefined],
  ): void {
    const series = items.map(seriesOf).filter((one): one is Series<K> => one[1] !== undefined);
    this.#set.replace(gauge, series);
  }

  /** Tells which resources exist. */
  keep(names: readonly string[]): void {
    const present = new Set(names);
    for (const name of this.#known) if (!present.has(name)) this.#forget(name);
    this.#known = present;
  }
}

function recordPools(to: Recorder, pools: readonly PoolSample[]): void {
  to.show('poolNodes', pools, ({ name: pool, nodes }) => [{ pool }, nodes]);
  to.show('poolReadyNodes', pools, ({ name: pool, readyNodes }) => [{ pool }, readyNodes]);
  to.show('reclaimBound', pools, ({ name: pool, reclaimBoundSeconds }) => [{ pool }, reclaimBoundSeconds]);
  to.show('unservedGuarantee', pools, ({ name: pool, unservedGuaranteeSeconds }) => [
    { pool },
    unservedGuaranteeSeconds,
  ]);
  const kinds = ['all', 'ready', 'guaranteed', 'entitled'] as const;
  const capacities = pools.flatMap(({ name: pool, capacity }) => kinds.map((kind) => ({ pool, kind, capacity })));
  to.show('poolCapacity', capacities, ({ pool, kind, capacity }) => [{ pool, kind }, whole(capacity[kind])]);
  const types = ['Ready', 'Overcommitted', 'PowerLimited'] as const;
  const conditions = pools.flatMap((pool) => types.map((condition) => ({ pool, condition })));
  to.show('poolCondition', conditions, ({ pool, condition }) => {
    const isTrue = pool.conditions[condition];
    return [{ pool: pool.name, condition }, isTrue === undefined ? undefined : Number(isTrue)];
  });
  const classes = pools.flatMap((pool) =>
    pool.classes.map((counts) => ({ labels: { pool: pool.name, class: counts.name }, counts })),
  );
  to.show('poolGpus', classes, ({ labels, counts }) => [labels, counts.gpus]);
  to.show('poolReadyGpus', classes, ({ labels, counts }) => [labels, counts.readyGpus]);
  to.show('poolAllocatedGpus', classes, ({ labels, counts }) => [labels, counts.allocatedGpus]);
  to.show('poolFreeGpus', classes, ({ labels, counts }) => [labels, counts.freeGpus]);
  to.show('poolLargestFreeNode', classes, ({ labels, counts }) => [labels, counts.largestFreeNode]);
  const sites = pools.flatMap((pool) => pool.sites.map((site) => ({ ...site, pool: pool.name })));
  to.show('sitePower', sites, ({ pool, name: site, watts }) => [{ pool, site }, watts]);
  to.show('sitePowerLimit', sites, ({ pool, name: site, limitWatts }) => [{ pool, site }, limitWatts]);
  to.keep(pools.map(({ name }) => name));
}

function recordQuotas(to: Recorder, quotas: readonly QuotaSample[]): void {
  to.show('quotaInfo', quotas, ({ name: quota, poolName: pool, parentName: parent, tier }) => [
    { quota, pool, parent, tier },
    1,
  ]);
  to.show('quotaGuaranteed', quotas, ({ name: quota, effectiveGuarantee }) => [{ quota }, whole(effectiveGuarantee)]);
  to.show('quotaUsed', quotas, ({ name: quota, used }) => [{ quota }, whole(used)]);
  to.show('quotaBorrowed', quotas, ({ name: quota, borrowed }) => [{ quota }, whole(borrowed)]);
  to.show('quotaLent', quotas, ({ name: quota, lent }) => [{ quota }, whole(lent)]);
  const budgets = quotas.flatMap(({ name: quota, budget }) =>
    budget === undefined
      ? []
      : ([
          [{ quota, kind: 'granted' }, budget.granted],
          [{ quota, kind: 'carried_over' }, budget.carriedOver],
          [{ quota, kind: 'used' }, budget.used],
          [{ quota, kind: 'reserved' }, budget.reserved],
        ] as const),
  );
  to.show('quotaBudget', budgets, (series) => series);
  to.keep(quotas.map(({ name }) => name));
}

function recordInvestments(to: Recorder, investments: readonly InvestmentSample[]): void {
  to.show('investmentInfo', investments, ({ name: investment, poolName: pool, quotaName: quota, phase }) => [
    { investment, pool, quota, phase },
    1,
  ]);
  to.show('investmentEntitlement', investments, ({ name: investment, effectiveEntitlement }) => [
    { investment },
    whole(effectiveEntitlement),
  ]);
  to.show('investmentUsed', investments, ({ name: investment, used }) => [{ investment }, whole(used)]);
  to.show('investmentLent', investments, ({ name: investment, lent }) => [{ investment }, whole(lent)]);
  to.show('investmentPromise', investments, ({ name: investment, promiseSeconds }) => [{ investment }, promiseSeconds]);
  to.show('investmentLongestWait', investments, ({ name: investment, longestWaitSeconds }) => [
    { investment },
    longestWaitSeconds,
  ]);
  to.show('investmentAccess', investments, ({ name: investment, accessP95Seconds }) => [
    { investment },
    accessP95Seconds,
  ]);
  to.show('investmentBreaches', investments, ({ name: investment, breaches }) => [{ investment }, breaches]);
}

function recordWorkloads(to: Recorder, workloads: readonly WorkloadSample[]): void {
  to.show('runningWorkloads', workloads, ({ quotaName: quota, running }) => [{ quota }, running]);
  to.show('reservations', workloads, ({ quotaName: quota, reserved }) => [{ quota }, reserved]);
  const pending = workloads.flatMap(({ quotaName: quota, pending: reasons }) =>
    Object.entries(reasons).map(([reason, count]) => [{ quota, reason }, count] as const),
  );
  to.show('pendingWorkloads', pending, (series) => series);
}

function recordWaits(to: Recorder, waits: readonly WaitSample[]): void {
  to.show('longestWait', waits, ({ tier, reason, seconds }) => [{ tier, reason }, seconds]);
}

function recordUnready(to: Recorder, unready: readonly UnreadySample[]): void {
  to.show('unreadyResources', unready, ({ kind, count }) => [{ kind }, count]);
}

/** Milli-GPUs, integers inside Moa, as the GPUs that a dashboard shows. */
function whole(thousandths: number): number {
  return thousandths / 1000;
}
