import { entitlementUse, figuresOf, lentOf } from '../core/status/index.ts';
import type { Snapshot } from '../core/snapshot/index.ts';
import type { StateSample } from '../observe/index.ts';
import { pendingByReason } from './scheduler/index.ts';
import type { SchedulingRecord } from './schedulingRecord.ts';

/** What the gauges of /metrics show of this state. Cost as `figuresOf`: for a scrape, not for a cycle. */
export function stateSample(
  snapshot: Snapshot,
  { waiting, reservations }: Pick<SchedulingRecord, 'waiting' | 'reservations'>,
): StateSample {
  const figures = figuresOf(snapshot);
  const quotaOf = (namespace: string) => snapshot.policy.quotaOfNamespace.get(namespace)?.spec.name ?? '';
  const pending = pendingByReason(waiting, (workload) => quotaOf(workload.namespace));
  const pools = snapshot.policy.pools.map((pool) => {
    const own = figures.pools.get(pool);
    return {
      name: pool.spec.name,
      nodes: own?.nodes.total ?? 0,
      readyNodes: own?.nodes.ready ?? 0,
      classes: pool.classes.map((c, i) => ({
        name: c.spec.name,
        gpus: c.gpus,
        readyGpus: c.readyGpus,
        allocatedGpus: own?.classes[i]?.allocatedGpus ?? 0,
        freeGpus: own?.classes[i]?.freeGpus ?? 0,
      })),
    };
  });
  const quotas = [...snapshot.policy.quotas.values()].map((quota) => {
    const ofPool = quota.pool === undefined ? undefined : figures.pools.get(quota.pool);
    const own = ofPool?.quotas[quota.index];
    return {
      name: quota.spec.name,
      effectiveGuarantee: quota.effectiveGuarantee,
      used: own?.used ?? 0,
      borrowed: own?.borrowed ?? 0,
      lent: ofPool === undefined || own === undefined ? 0 : lentOf(ofPool, own.unusedGuarantee),
    };
  });
  const investments = [...snapshot.policy.investments.values()].map((investment) => ({
    name: investment.spec.name,
    effectiveEntitlement: investment.problem === undefined ? investment.effectiveEntitlement : 0,
    used: entitlementUse(figures, investment)?.used ?? 0,
  }));
  const reserved = Map.groupBy(reservations, ({ workload }) => quotaOf(workload.namespace));
  const names = new Set([...quotas.map((quota) => quota.name), ...pending.keys(), ...reserved.keys()]);
  const workloads = [...names].map((quotaName) => ({
    quotaName,
    running: figures.workloads.get(quotaName)?.running ?? 0,
    pending: pending.get(quotaName) ?? {},
    reserved: reserved.get(quotaName)?.length ?? 0,
  }));
  return { pools, quotas, investments, workloads };
}
