import type { Kind } from '../../api/v1alpha1/index.ts';
import { entitlementUse, figuresOf, lentOf, type Figures } from '../../core/status/index.ts';
import type { InvestmentState, PoolState, QuotaState, Snapshot } from '../../core/snapshot/index.ts';
import type { Store } from '../../kube/index.ts';
import type { StateSample } from '../../observe/index.ts';
import type { ManifestStores, ResourceProjection, StatusOf } from '../manifests/index.ts';
import type { SchedulingRecord } from '../record/index.ts';
import { pendingByReason } from '../scheduler/index.ts';
import { longestAccessWaits, longestWaits, type LongestAccessWaits } from './longestWaits.ts';

/** What of the state is no part of a snapshot. */
export interface SampleContext {
  readonly record: Pick<SchedulingRecord, 'waiting' | 'reservations' | 'access'>;
  /** The resources as they are written, for what their statuses say. */
  readonly manifests: ManifestStores;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** What the gauges of /metrics show of this state. Cost as `figuresOf`: for a scrape, not for a cycle. */
export function stateSample(snapshot: Snapshot, { record, manifests, now }: SampleContext): StateSample {
  const figures = figuresOf(snapshot);
  const { policy } = snapshot;
  const accessWaits = longestAccessWaits(record.access.waits(), now);
  return {
    pools: policy.pools.map((pool) => poolSample(pool, { figures, accessWaits, pools: manifests.pools })),
    quotas: [...policy.quotas.values()].map((quota) => quotaSample(quota, figures, manifests.quotas)),
    investments: [...policy.investments.values()].map((investment) =>
      investmentSample(investment, { figures, accessWaits, investments: manifests.investments }),
    ),
    workloads: workloadSamples(figures, record),
    waits: longestWaits(record.waiting, policy, now),
    unready: [
      { kind: 'GpuPool', count: unreadyIn(manifests.pools) },
      { kind: 'ResearchQuota', count: unreadyIn(manifests.quotas) },
      { kind: 'MatchingInvestment', count: unreadyIn(manifests.investments) },
    ],
  };
}

function poolSample(
  pool: PoolState,
  {
    figures,
    accessWaits,
    pools,
  }: { figures: Figures; accessWaits: LongestAccessWaits; pools: ManifestStores['pools'] },
) {
  const own = figures.pools.get(pool);
  const { name, minRuntime, notice, sites } = pool.spec;
  const written = pools.get(name)?.status?.conditions ?? [];
  return {
    name,
    nodes: own?.nodes.total ?? 0,
    readyNodes: own?.nodes.ready ?? 0,
    capacity: {
      all: pool.capacity,
      ready: pool.readyCapacity,
      guaranteed: pool.guaranteed,
      entitled: pool.entitled,
    },
    classes: pool.classes.map((c, i) => ({
      name: c.spec.name,
      gpus: c.gpus,
      readyGpus: c.readyGpus,
      allocatedGpus: own?.classes[i]?.allocatedGpus ?? 0,
      freeGpus: own?.classes[i]?.freeGpus ?? 0,
      largestFreeNode: own?.classes[i]?.largestFreeNode ?? 0,
    })),
    sites: sites.map((site, i) => ({
      name: site.name,
      watts: own?.sites[i]?.watts ?? 0,
      limitWatts: site.powerLimitWatts,
    })),
    conditions: Object.fromEntries(written.map(({ type, status }) => [type, status === 'True'])),
    reclaimBoundSeconds: (minRuntime + notice) / 1000,
    unservedGuaranteeSeconds: accessWaits.ofPool.get(name) ?? 0,
  };
}

function quotaSample(quota: QuotaState, figures: Figures, quotas: ManifestStores['quotas']) {
  const ofPool = quota.pool === undefined ? undefined : figures.pools.get(quota.pool);
  const own = ofPool?.quotas[quota.index];
  const { name, poolName, parentName, tier } = quota.spec;
  return {
    name,
    poolName,
    parentName: parentName ?? '',
    tier,
    effectiveGuarantee: quota.effectiveGuarantee,
    used: own?.used ?? 0,
    borrowed: own?.borrowed ?? 0,
    lent: ofPool === undefined || own === undefined ? 0 : lentOf(ofPool, own.unusedGuarantee),
    budget: budgetSample(quotas.get(name)?.status?.budget),
  };
}

/** Hours as the status has them: decimal texts. */
function budgetSample(budget: NonNullable<StatusOf<'ResearchQuota'>['budget']> | undefined) {
  if (budget === undefined) return undefined;
  const { granted, carriedOver, used, reserved } = budget;
  return {
    granted: Number(granted),
    carriedOver: Number(carriedOver),
    used: Number(used),
    reserved: Number(reserved),
  };
}

function investmentSample(
  investment: InvestmentState,
  context: { figures: Figures; accessWaits: LongestAccessWaits; investments: ManifestStores['investments'] },
) {
  const { name, poolName, investorName, guaranteedAccessWithin: promise } = investment.spec;
  const use = entitlementUse(context.figures, investment);
  const status = context.investments.get(name)?.status;
  return {
    name,
    poolName,
    quotaName: investorName,
    phase: status?.phase ?? '',
    effectiveEntitlement: investment.problem === undefined ? investment.effectiveEntitlement : 0,
    used: use?.used ?? 0,
    lent: use?.lent ?? 0,
    promiseSeconds: promise === undefined ? undefined : promise / 1000,
    longestWaitSeconds: context.accessWaits.ofQuota.get(investorName) ?? 0,
    accessP95Seconds: status?.reclaim?.p95Seconds ?? 0,
    breaches: status?.reclaim?.breaches ?? 0,
  };
}

function workloadSamples(figures: Figures, { waiting, reservations }: SampleContext['record']) {
  const { quotaOfNamespace, quotas } = figures.policy;
  const quotaOf = (namespace: string) => quotaOfNamespace.get(namespace)?.spec.name ?? '';
  const pending = pendingByReason(waiting, (workload) => quotaOf(workload.namespace));
  const reserved = Map.groupBy(reservations, ({ workload }) => quotaOf(workload.namespace));
  const names = new Set([...quotas.keys(), ...pending.keys(), ...reserved.keys()]);
  return [...names].map((quotaName) => ({
    quotaName,
    running: figures.workloads.get(quotaName)?.running ?? 0,
    pending: pending.get(quotaName) ?? {},
    reserved: reserved.get(quotaName)?.length ?? 0,
  }));
}

/** How many say of themselves that they are not in force. */
function unreadyIn<K extends Kind>(store: Store<ResourceProjection<K>>): number {
  let count = 0;
  for (const { status } of store.values() as Iterable<ResourceProjection>) {
    if (status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'False') === true) count++;
  }
  return count;
}
