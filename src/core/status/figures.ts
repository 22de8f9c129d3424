import type { QuotaTree } from '../quota/index.ts';
import type { Policy, PoolState, QuotaState, Snapshot, WorkloadCounts } from '../snapshot/index.ts';
import { matches } from '../snapshot/index.ts';
import { milli, mulDivFloor, type MilliGpus } from '../units/index.ts';

/** Devices of one class of a pool. */
export interface ClassFigures {
  /** Nodes that carry a device of the class. */
  nodes: number;
  /** Held by pods, whoever placed them. */
  allocatedGpus: number;
  /** Free on nodes that are Ready and not cordoned. */
  freeGpus: number;
  /** Most devices free on one such node. */
  largestFreeNode: number;
}

/** What stands at one site of a pool. */
export interface SiteFigures {
  gpus: number;
  /** Draw of the allocated devices. */
  watts: number;
  /** Draw of the device there that draws least, above 0; undefined = none draws any. */
  leastWatts: number | undefined;
}

/** What one quota holds itself, without the quotas below it. */
export interface QuotaFigures {
  /** Devices by class, in the order of the pool's classes. */
  readonly devices: readonly number[];
  readonly used: MilliGpus;
  /** Use that no class guarantee covers and no budget admitted as a borrower's: what counts against the guarantee of any class. */
  readonly flexibleUse: MilliGpus;
  /** Held beyond guarantee, or admitted as a borrower's by the budget. */
  readonly borrowed: MilliGpus;
  readonly unusedGuarantee: MilliGpus;
  /** Held beyond guarantee by the quota and all below it, for the comparison with its siblings. */
  readonly subtreeBorrowed: MilliGpus;
}

/** The numbers of one pool that change with the pods. */
export interface PoolFigures {
  /** Nodes that carry a device of a class of the pool. */
  readonly nodes: { total: number; ready: number };
  readonly classes: readonly ClassFigures[];
  readonly sites: readonly SiteFigures[];
  /** In the order of the pool's quotas. */
  readonly quotas: readonly QuotaFigures[];
  /** U: guarantee in the pool that its quotas do not use. */
  readonly unusedGuarantee: MilliGpus;
  /** B: borrowed in the pool beyond the capacity that no one is guaranteed. */
  readonly borrowedFromGuarantees: MilliGpus;
}

/** A picture of everything that statuses show. A snapshot changes as pods come and go; this does not. */
export interface Figures {
  readonly policy: Policy;
  readonly pools: ReadonlyMap<PoolState, PoolFigures>;
  readonly workloads: ReadonlyMap<string, WorkloadCounts>;
}

/**
 * Takes the picture, for all statuses at once.
 *
 * Cost: O(nodes x resources of the pool's classes + quotas x classes + pods).
 */
export function figuresOf(snapshot: Snapshot): Figures {
  const { policy } = snapshot;
  const drafts = new Map(policy.pools.map((pool) => [pool, emptyFigures(pool)]));
  countDevices(snapshot, drafts);
  const pools = new Map<PoolState, PoolFigures>();
  for (const [pool, draft] of drafts) pools.set(pool, { ...draft, ...sharedGuarantees(pool) });
  const workloads = new Map([...policy.quotas.keys()].map((name) => [name, snapshot.workloadCounts(name)]));
  return { policy, pools, workloads };
}

/** The figures of a quota and of its pool; undefined while the quota is not in force. */
export function quotaFiguresOf(figures: Figures, quota: QuotaState | undefined) {
  if (quota?.pool === undefined) return undefined;
  const ofPool = figures.pools.get(quota.pool);
  const own = ofPool?.quotas[quota.index];
  return own === undefined || ofPool === undefined ? undefined : { pool: ofPool, own };
}

/**
 * The part of a quota's unused guarantee that others are using: U and B of the pool decide how much of all that is
 * unused is lent, each quota bearing the same share (DESIGN.md section 4.2). Rounded down.
 */
export function lentOf(pool: PoolFigures, unused: MilliGpus): MilliGpus {
  const { unusedGuarantee, borrowedFromGuarantees } = pool;
  if (unusedGuarantee === 0 || borrowedFromGuarantees >= unusedGuarantee) return unused;
  return milli(mulDivFloor(unused, borrowedFromGuarantees, unusedGuarantee));
}

type DeviceFigures = Pick<PoolFigures, 'nodes' | 'classes' | 'sites'>;

function emptyFigures(pool: PoolState): DeviceFigures {
  return {
    nodes: { total: 0, ready: 0 },
    classes: pool.classes.map(() => ({ nodes: 0, allocatedGpus: 0, freeGpus: 0, largestFreeNode: 0 })),
    sites: pool.spec.sites.map(() => ({ gpus: 0, watts: 0, leastWatts: undefined })),
  };
}

/** What is the same for all nodes of a profile. */
interface ProfilePlan {
  readonly draft: DeviceFigures;
  readonly ready: boolean;
  readonly schedulable: boolean;
  readonly carried: readonly { readonly slot: number; readonly figures: ClassFigures; readonly powerWatts: number }[];
  /** Every site whose selector the nodes meet: sites may contain one another. */
  readonly sites: readonly SiteFigures[];
}

function countDevices(snapshot: Snapshot, drafts: ReadonlyMap<PoolState, DeviceFigures>): void {
  const { nodes } = snapshot;
  const plans = nodes.profiles.map((profile) => profilePlan(snapshot, drafts, profile.id));
  for (let node = 0; node < nodes.count; node++) {
    const plan = plans[nodes.profileOf(node).id];
    if (plan === undefined) continue;
    let devices = 0;
    for (const { slot, figures, powerWatts } of plan.carried) {
      const gpus = nodes.allocatable(node, slot);
      const free = nodes.free(node, slot);
      devices += gpus;
      if (gpus > 0) figures.nodes++;
      figures.allocatedGpus += gpus - free;
      for (const site of plan.sites) {
        site.gpus += gpus;
        site.watts += (gpus - free) * powerWatts;
        if (gpus > 0 && powerWatts > 0) site.leastWatts = Math.min(site.leastWatts ?? Infinity, powerWatts);
      }
      if (!plan.schedulable || free <= 0) continue;
      figures.freeGpus += free;
      figures.largestFreeNode = Math.max(figures.largestFreeNode, free);
    }
    if (devices === 0) continue;
    plan.draft.nodes.total++;
    if (plan.ready) plan.draft.nodes.ready++;
  }
}

function profilePlan(
  snapshot: Snapshot,
  drafts: ReadonlyMap<PoolState, DeviceFigures>,
  profileId: number,
): ProfilePlan | undefined {
  const pool = snapshot.poolOfProfile(profileId);
  const draft = pool === undefined ? undefined : drafts.get(pool);
  const profile = snapshot.nodes.profiles[profileId];
  if (pool === undefined || draft === undefined || profile === undefined) return undefined;
  const carried = pool.classes.flatMap(({ index, spec }) => {
    const figures = draft.classes[index];
    if (figures === undefined || snapshot.policy.claims.classOf(profileId, spec.resourceName) !== index) return [];
    return [{ slot: snapshot.slotOf(spec.resourceName), figures, powerWatts: spec.powerWatts ?? 0 }];
  });
  const sites = draft.sites.filter((_, i) => matches(pool.spec.sites[i]?.nodeSelector ?? [], profile.labels));
  return { draft, ready: profile.ready, schedulable: profile.ready && !profile.cordoned, carried, sites };
}

function sharedGuarantees(pool: PoolState): Pick<PoolFigures, 'quotas' | 'unusedGuarantee' | 'borrowedFromGuarantees'> {
  const { tree } = pool;
  const held = ownDevices(tree, pool.classes.length, (q, c) => tree.devices(q, c));
  const counted = ownDevices(tree, pool.classes.length, (q, c) => tree.countedDevices(q, c));
  const quotas = pool.quotas.map((quota, i) =>
    quotaFigures(quota, pool, { held: held[i] ?? [], counted: counted[i] ?? [] }),
  );
  const unguaranteed = Math.max(0, pool.readyCapacity - pool.guaranteed);
  const borrowed = quotas.reduce((sum, quota) => sum + quota.borrowed, 0);
  return {
    quotas,
    unusedGuarantee: milli(quotas.reduce((sum, quota) => sum + quota.unusedGuarantee, 0)),
    borrowedFromGuarantees: milli(Math.max(0, borrowed - unguaranteed)),
  };
}

/** The tree counts devices of whole subtrees; what the children hold is taken out again. */
function ownDevices(tree: QuotaTree, classes: number, of: (q: number, c: number) => number): readonly number[][] {
  const all = Array.from({ length: tree.size }, (_, q) => Array.from({ length: classes }, (__, c) => of(q, c)));
  const own = all.map((devices) => [...devices]);
  all.forEach((devices, q) => {
    const parent = own[tree.parentOf(q)];
    if (parent !== undefined) devices.forEach((count, c) => (parent[c] = (parent[c] ?? 0) - count));
  });
  return own;
}

/** Devices that a quota holds itself, by class, and of those what counts against its guarantee. */
interface OwnDevices {
  readonly held: readonly number[];
  readonly counted: readonly number[];
}

/** DESIGN.md section 4.2: a class guarantee covers use of that class only. */
function quotaFigures(quota: QuotaState, pool: PoolState, { held, counted }: OwnDevices): QuotaFigures {
  let used = 0;
  let apart = 0;
  let flexibleUse = 0;
  let unusedOfClasses = 0;
  pool.classes.forEach(({ spec }, c) => {
    const [all, counting] = [held[c] ?? 0, counted[c] ?? 0];
    const guaranteed = quota.spec.classes.find((own) => own.name === spec.name)?.guaranteed ?? 0;
    used += all * spec.weight;
    apart += (all - counting) * spec.weight;
    flexibleUse += Math.max(0, counting - guaranteed) * spec.weight;
    unusedOfClasses += Math.max(0, guaranteed - counting) * spec.weight;
  });
  const flexible = quota.spec.guaranteed + quota.entitled;
  return {
    devices: held,
    used: milli(used),
    flexibleUse: milli(flexibleUse),
    borrowed: milli(Math.max(0, flexibleUse - flexible) + apart),
    unusedGuarantee: milli(Math.max(0, flexible - flexibleUse) + unusedOfClasses),
    subtreeBorrowed: pool.tree.borrowed(quota.index),
  };
}
