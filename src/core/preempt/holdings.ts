import type { ClassRequest, QuotaTree } from '../quota/index.ts';
import type { PodFacts, PoolState, QuotaState, RunningWorkload, Snapshot } from '../snapshot/index.ts';
import { milli, type MilliGpus } from '../units/index.ts';

/** Like pods of one workload on one node. */
export interface Spot {
  readonly pod: PodFacts;
  readonly node: number;
  readonly count: number;
}

/** A running workload with what it holds of its pool. */
export interface Holding {
  readonly workload: RunningWorkload;
  readonly quota: QuotaState;
  readonly spots: readonly Spot[];
  /** Devices that its quota is charged for. */
  readonly charges: readonly ClassRequest[];
  readonly amount: MilliGpus;
}

/** Charges the tree with a workload that is there or comes back (1), or takes it out (-1). */
export function chargeHolding(tree: QuotaTree, { quota, charges, workload }: Holding, sign: 1 | -1): void {
  for (const { classIndex, devices } of charges) {
    tree.charge(quota.index, classIndex, sign * devices);
    if (workload.borrower) tree.setApart(quota.index, classIndex, sign * devices);
  }
}

/**
 * What may be thought of as a victim at all: Moa's own workloads that hold devices of the pool and go on. One that is
 * being deleted already is on its way out: to wait for it costs no one anything. Lower priority comes first, then latest
 * start: the order inside one quota. O(pods of the pool's namespaces + workloads log workloads).
 */
export function holdingsOf(snapshot: Snapshot, pool: PoolState): readonly Holding[] {
  const holdings: Holding[] = [];
  for (const namespace of snapshot.running.namespaces()) {
    const quota = snapshot.policy.quotaOfNamespace.get(namespace);
    if (quota?.pool !== pool) continue;
    for (const workload of snapshot.running.workloadsOf(namespace)) {
      if (!workload.ours || workload.deletionAt !== undefined) continue;
      const charges = chargesOf(snapshot, pool, workload);
      if (charges.length === 0) continue;
      const amount = milli(
        charges.reduce((sum, c) => sum + c.devices * (pool.classes[c.classIndex]?.spec.weight ?? 0), 0),
      );
      holdings.push({ workload, quota, spots: spotsOf(workload), charges, amount });
    }
  }
  return holdings.sort((a, b) => compareStart(a.workload, b.workload));
}

/** Lower priority first, then latest start; names decide what is left, so that the order is one. */
function compareStart(a: RunningWorkload, b: RunningWorkload): number {
  return (
    a.priority - b.priority ||
    b.startedAt - a.startedAt ||
    compareText(nameOf(a), nameOf(b)) ||
    compareText(a.key, b.key)
  );
}

function nameOf({ pods: [first] }: RunningWorkload): string {
  return first?.pod.gang?.name ?? first?.pod.name ?? '';
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function spotsOf({ pods }: RunningWorkload): readonly Spot[] {
  const [first] = pods;
  if (first !== undefined && pods.length === 1) return [{ pod: first.pod, node: first.node, count: 1 }];
  const spots: { pod: PodFacts; node: number; count: number }[] = [];
  for (const { pod, node } of pods.toSorted((a, b) => a.node - b.node)) {
    const last = spots.at(-1);
    if (last?.node === node && holdAlike(last.pod, pod)) last.count++;
    else spots.push({ pod, node, count: 1 });
  }
  return spots;
}

/** Whether to let one pod go or the other is the same to the snapshot. */
function holdAlike(a: PodFacts, b: PodFacts): boolean {
  if (a.claims.length > 0 || b.claims.length > 0) return false;
  return a.shape === b.shape && a.user === b.user && a.labels === b.labels && a.deletionAt === b.deletionAt;
}

function chargesOf(snapshot: Snapshot, pool: PoolState, { pods }: RunningWorkload): readonly ClassRequest[] {
  const charges: { classIndex: number; devices: number }[] = [];
  for (const { pod, node } of pods) {
    const id = snapshot.nodes.profileIdOf(node);
    if (snapshot.poolOfProfile(id) !== pool) continue;
    for (const { resourceName, devices } of snapshot.acceleratorsOf(pod.shape)) {
      const classIndex = snapshot.policy.claims.classOf(id, resourceName);
      if (classIndex === undefined) continue;
      const known = charges.find((charge) => charge.classIndex === classIndex);
      if (known === undefined) charges.push({ classIndex, devices });
      else known.devices += devices;
    }
  }
  return charges;
}
