import { ConditionReason } from '../../api/v1alpha1/constants/index.ts';
import { nextChangeAt } from '../budget/index.ts';
import { QuotaTree } from '../quota/index.ts';
import { formatMicro, milli, oneMicro, zeroGpus, type Micro, type MilliGpus } from '../units/index.ts';
import { claimNodes, type NodeClaims } from './claims.ts';
import { entitlementsOf, type ContributionState, type InvestmentState } from './entitlements.ts';
import type { NamespaceFacts } from './facts.ts';
import { resolveNamespaces } from './namespaces.ts';
import type { NodeProfile } from './nodeProfile.ts';
import type { Problem } from './problem.ts';
import type { AcceleratorClass, InvestmentSpec, PoolSpec, QuotaSpec } from './specs.ts';

/** A class of a pool with what stands behind it today. Amounts are devices. */
export interface ClassState {
  /** Position in the pool's list, also the class index in its {@link QuotaTree}. */
  readonly index: number;
  readonly spec: AcceleratorClass;
  /** Ids of the node profiles that carry devices of this class. */
  readonly profiles: readonly number[];
  readonly nodes: number;
  readonly gpus: number;
  readonly readyGpus: number;
  /** Most devices on one node, ready or not. */
  readonly largestNode: number;
}

export interface PoolState {
  readonly spec: PoolSpec;
  readonly classes: readonly ClassState[];
  /** Ids of the profiles whose nodes form the pool. */
  readonly profiles: readonly number[];
  readonly nodes: { readonly total: number; readonly ready: number };
  /** Normalized capacity of all nodes and of the Ready ones. */
  readonly capacity: MilliGpus;
  readonly readyCapacity: MilliGpus;
  readonly contributions: readonly ContributionState[];
  /** Sum of the effective guarantees, and the part of it that contributions and investments buy. */
  readonly guaranteed: MilliGpus;
  readonly entitled: MilliGpus;
  /** By what the public floor scales every entitlement. */
  readonly floorFactor: Micro;
  /** Quotas that work, parents first: the order of {@link tree}. */
  readonly quotas: readonly QuotaState[];
  readonly tree: QuotaTree;
  /** Overlaps and the like: told, but the pool works. */
  readonly remarks: readonly Problem[];
}

export interface QuotaState {
  readonly spec: QuotaSpec;
  /** Set while the quota admits nothing. */
  readonly problem: Problem | undefined;
  readonly remarks: readonly Problem[];
  /** Undefined while {@link problem} is set. */
  readonly pool: PoolState | undefined;
  /** Index in the pool's tree; -1 while {@link problem} is set. */
  readonly index: number;
  /** Bought by contributions and investments, after scaling. */
  readonly entitled: MilliGpus;
  readonly effectiveGuarantee: MilliGpus;
  /** From this quota up to the one directly under the pool. */
  readonly chain: readonly QuotaState[];
}

/** Everything that the manifests and the state of the nodes decide, before a single pod is looked at. */
export interface Policy {
  readonly pools: readonly PoolState[];
  readonly quotas: ReadonlyMap<string, QuotaState>;
  readonly investments: ReadonlyMap<string, InvestmentState>;
  readonly quotaOfNamespace: ReadonlyMap<string, QuotaState>;
  readonly claims: NodeClaims;
  /** When time alone changes the policy next (a term or a budget period starts or ends); undefined = never. */
  readonly nextChangeAt: number | undefined;
}

/** The manifests, parsed. What could not be read at all takes part in nothing. */
export interface PolicyInput {
  readonly pools: readonly PoolSpec[];
  readonly quotas: readonly QuotaSpec[];
  readonly investments: readonly InvestmentSpec[];
  /** Names of pools that exist and cannot be read: whoever refers to one is told so. */
  readonly unreadablePools: readonly string[];
  readonly namespaces: Iterable<NamespaceFacts>;
}

/**
 * Works out what the three resources mean for these nodes at this time (DESIGN.md section 2). Bad references become
 * problems of the resource that holds them and stop nothing else.
 *
 * Cost: O(profiles x selectors + quotas x classes + namespaces), independent of the number of nodes and pods.
 */
export function derivePolicy(input: PolicyInput, profiles: readonly NodeProfile[], now: number): Policy {
  const pools = input.pools.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const claims = claimNodes(pools, input.investments, profiles);
  const quotaProblems = problemsOfQuotas(input);
  const namespaces = resolveNamespaces(input.quotas, input.namespaces);
  const quotas = new Map<string, QuotaState>();
  const investments = new Map<string, InvestmentState>();

  const states = pools.map((spec) => {
    const { state, ofInvestments } = poolState(spec, { input, profiles, claims, now, quotaProblems, namespaces });
    for (const quota of state.quotas) quotas.set(quota.spec.name, quota);
    for (const investment of ofInvestments) investments.set(investment.spec.name, investment);
    return state;
  });
  for (const spec of input.quotas) {
    const problem = quotaProblems.get(spec.name);
    if (problem !== undefined) quotas.set(spec.name, brokenQuota(spec, problem, namespaces.remarks.get(spec.name)));
  }
  for (const spec of input.investments) {
    if (!investments.has(spec.name)) {
      investments.set(spec.name, { spec, problem: poolNotFound(spec.poolName, input), remarks: [] });
    }
  }
  const quotaOfNamespace = new Map<string, QuotaState>();
  for (const [namespace, name] of namespaces.quotaOf) {
    const quota = quotas.get(name);
    if (quota !== undefined) quotaOfNamespace.set(namespace, quota);
  }
  const changes = [
    ...input.investments.flatMap((i) => [i.termStart, i.termEnd]),
    ...input.quotas.flatMap(({ budget }) => (budget === undefined ? [] : (nextChangeAt(budget, now) ?? []))),
  ].filter((time) => time > now);
  return {
    pools: states,
    quotas,
    investments,
    quotaOfNamespace,
    claims,
    nextChangeAt: changes.length === 0 ? undefined : changes.reduce((least, time) => Math.min(least, time)),
  };
}

interface Context {
  readonly input: PolicyInput;
  readonly profiles: readonly NodeProfile[];
  readonly claims: NodeClaims;
  readonly now: number;
  readonly quotaProblems: ReadonlyMap<string, Problem>;
  readonly namespaces: ReturnType<typeof resolveNamespaces>;
}

/** A PoolState while it is built: quotas refer to their pool and the pool to its quotas. */
type PoolDraft = { -readonly [Key in keyof PoolState]: PoolState[Key] };

function poolState(spec: PoolSpec, context: Context) {
  const { claims, profiles } = context;
  const own = profiles.filter((profile) => claims.poolOf[profile.id] === spec.name);
  const classes = spec.classes.map((accelerator, index) => classState(accelerator, index, own, claims));
  const capacity = milli(classes.reduce((sum, c) => sum + c.gpus * c.spec.weight, 0));
  const readyCapacity = milli(classes.reduce((sum, c) => sum + c.readyGpus * c.spec.weight, 0));
  const specs = parentsFirst(
    context.input.quotas.filter((q) => q.poolName === spec.name),
    context.quotaProblems,
  );
  const bought = entitlementsOf({
    pool: spec,
    profiles: own,
    claims,
    readyCapacity,
    investments: context.input.investments.filter((investment) => investment.poolName === spec.name),
    quotas: new Map(context.input.quotas.map((quota) => [quota.name, quota])),
    now: context.now,
  });

  const draft: PoolDraft = {
    spec,
    classes,
    profiles: own.map((profile) => profile.id),
    nodes: {
      total: own.reduce((sum, profile) => sum + profile.nodeCount, 0),
      ready: own.reduce((sum, profile) => sum + (profile.ready ? profile.nodeCount : 0), 0),
    },
    capacity,
    readyCapacity,
    contributions: bought.contributions,
    guaranteed: zeroGpus,
    entitled: zeroGpus,
    floorFactor: bought.factor,
    quotas: [],
    tree: new QuotaTree([], [], zeroGpus),
    remarks: [...(claims.remarksOfPool.get(spec.name) ?? []), ...bought.remarks],
  };
  const quotas: QuotaState[] = [];
  const byName = new Map<string, QuotaState>();
  for (const quota of specs) {
    const parent = quota.parentName === undefined ? undefined : byName.get(quota.parentName);
    const entitled = bought.ofQuota.get(quota.name) ?? zeroGpus;
    const chain: QuotaState[] = [];
    const state: QuotaState = {
      spec: quota,
      problem: undefined,
      remarks: [...(context.namespaces.remarks.get(quota.name) ?? []), ...unknownClasses(quota, spec)],
      pool: draft,
      index: quotas.length,
      entitled,
      effectiveGuarantee: milli(quota.guaranteed + classGuarantee(quota, spec) + entitled),
      chain,
    };
    chain.push(state, ...(parent?.chain ?? []));
    quotas.push(state);
    byName.set(quota.name, state);
  }
  draft.quotas = quotas;
  draft.guaranteed = milli(quotas.reduce((sum, quota) => sum + quota.effectiveGuarantee, 0));
  draft.entitled = milli(quotas.reduce((sum, quota) => sum + quota.entitled, 0));
  draft.tree = new QuotaTree(
    quotas.map((quota) => ({
      parent: quota.chain[1]?.index,
      flexibleGuarantee: milli(quota.spec.guaranteed + quota.entitled),
      classGuarantees: spec.classes.map((c) => quota.spec.classes.find((own) => own.name === c.name)?.guaranteed ?? 0),
      borrowingLimit: quota.spec.borrowingLimit,
      lendingLimit: quota.spec.lendingLimit,
    })),
    spec.classes.map((c) => c.weight),
    readyCapacity,
  );
  return { state: draft as PoolState, ofInvestments: bought.investments };
}

function classState(
  spec: AcceleratorClass,
  index: number,
  profiles: readonly NodeProfile[],
  claims: NodeClaims,
): ClassState {
  const carrying = profiles.filter((profile) => claims.classOf(profile.id, spec.resourceName) === index);
  const devices = (profile: NodeProfile) => profile.allocatable.get(spec.resourceName) ?? 0;
  return {
    index,
    spec,
    profiles: carrying.map((profile) => profile.id),
    nodes: carrying.reduce((sum, profile) => sum + (devices(profile) > 0 ? profile.nodeCount : 0), 0),
    gpus: carrying.reduce((sum, profile) => sum + devices(profile), 0),
    readyGpus: carrying.reduce((sum, profile) => sum + (profile.ready ? devices(profile) : 0), 0),
    largestNode: Math.max(0, ...carrying.map((profile) => profile.largest.get(spec.resourceName) ?? 0)),
  };
}

function classGuarantee(quota: QuotaSpec, pool: PoolSpec): number {
  return quota.classes.reduce((sum, own) => {
    const weight = pool.classes.find((c) => c.name === own.name)?.weight ?? 0;
    return sum + own.guaranteed * weight;
  }, 0);
}

function unknownClasses(quota: QuotaSpec, pool: PoolSpec): Problem[] {
  const known = new Set(pool.classes.map((c) => c.name));
  const unknown = quota.classes.filter((own) => !known.has(own.name)).map((own) => own.name);
  if (unknown.length === 0) return [];
  const message =
    `spec.capacity.classes names ${unknown.join(', ')}, which pool ${pool.name} does not have ` +
    `(it has ${[...known].join(', ')}); the entry has no effect`;
  return [{ reason: ConditionReason.ClassNotFound, message }];
}

function brokenQuota(spec: QuotaSpec, problem: Problem, remarks: readonly Problem[] | undefined): QuotaState {
  const chain: QuotaState[] = [];
  const state: QuotaState = {
    spec,
    problem,
    remarks: remarks ?? [],
    pool: undefined,
    index: -1,
    entitled: zeroGpus,
    effectiveGuarantee: zeroGpus,
    chain,
  };
  chain.push(state);
  return state;
}

/** Missing pools and parents, cycles, parents elsewhere; and whatever hangs below such a quota. */
function problemsOfQuotas(input: PolicyInput): ReadonlyMap<string, Problem> {
  const { quotas } = input;
  const byName = new Map(quotas.map((quota) => [quota.name, quota]));
  const problems = new Map<string, Problem>();
  for (const quota of quotas) {
    const problem = ownProblem(quota, byName, input);
    if (problem !== undefined) problems.set(quota.name, problem);
  }
  for (const quota of quotas) {
    if (problems.has(quota.name)) continue;
    const path: string[] = [];
    for (let above = quota.parentName; above !== undefined; above = byName.get(above)?.parentName) {
      path.push(above);
      if (!problems.has(above)) continue;
      const message = `the quota above, ${above}, is not ready: see its Ready condition`;
      problems.set(quota.name, { reason: ConditionReason.ParentNotReady, message });
      break;
    }
  }
  return problems;
}

function poolNotFound(name: string, { unreadablePools }: PolicyInput): Problem {
  const message = unreadablePools.includes(name)
    ? `GpuPool ${name} cannot be read: see its Ready condition`
    : `GpuPool ${name} does not exist; create it or correct spec.poolName`;
  return { reason: ConditionReason.PoolNotFound, message };
}

function ownProblem(quota: QuotaSpec, byName: ReadonlyMap<string, QuotaSpec>, input: PolicyInput): Problem | undefined {
  if (!input.pools.some((pool) => pool.name === quota.poolName)) return poolNotFound(quota.poolName, input);
  if (quota.parentName === undefined) return undefined;
  const parent = byName.get(quota.parentName);
  if (parent === undefined) {
    const message = `ResearchQuota ${quota.parentName} does not exist; create it or correct spec.parentName`;
    return { reason: ConditionReason.ParentNotFound, message };
  }
  const visited = [quota.name];
  for (let above: QuotaSpec | undefined = parent; above !== undefined; above = byName.get(above.parentName ?? '')) {
    if (above.name === quota.name) {
      const message = `spec.parentName leads back to the quota itself: ${[...visited, quota.name].join(' -> ')}`;
      return { reason: ConditionReason.ParentCycle, message };
    }
    if (visited.includes(above.name)) break;
    visited.push(above.name);
  }
  if (parent.poolName !== quota.poolName) {
    const message = `the parent ${parent.name} belongs to pool ${parent.poolName}, this quota to ${quota.poolName}`;
    return { reason: ConditionReason.ParentInOtherPool, message };
  }
  return undefined;
}

/** The working quotas of a pool, by name, each after its parent. */
function parentsFirst(quotas: readonly QuotaSpec[], problems: ReadonlyMap<string, Problem>): readonly QuotaSpec[] {
  const children = new Map<string, QuotaSpec[]>();
  for (const quota of quotas.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (problems.has(quota.name)) continue;
    const parent = quota.parentName ?? '';
    children.set(parent, [...(children.get(parent) ?? []), quota]);
  }
  const ordered: QuotaSpec[] = [];
  const visit = (parent: string): void => {
    for (const quota of children.get(parent) ?? []) {
      ordered.push(quota);
      visit(quota.name);
    }
  };
  visit('');
  return ordered;
}

/** A sentence for a factor below one, for conditions; undefined when nothing is scaled. */
export function describeScaling(factor: Micro): string | undefined {
  return factor === oneMicro ? undefined : `every entitlement is scaled by ${formatMicro(factor)}`;
}
