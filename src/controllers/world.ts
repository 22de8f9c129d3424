import { parseResource, definitions, type Kind, type Parsed, type ResourceByKind } from '../api/v1alpha1/index.ts';
import {
  investmentSpecOf,
  isUnreadable,
  poolSpecOf,
  quotaSpecOf,
  type InvestmentSpec,
  type Policy,
  type PolicyInput,
  type PoolSpec,
  type QuotaSpec,
  type QuotaState,
  type Snapshot,
  type Unreadable,
} from '../core/snapshot/index.ts';
import type { BudgetNow, LedgerState } from '../core/status/index.ts';
import type { Change, RawObject, Store, Stored } from '../kube/index.ts';
import type { SchedulingRecord } from './schedulingRecord.ts';

/** Status of a kind. */
export type StatusOf<K extends Kind> = NonNullable<ResourceByKind[K]['status']>;

/** What the stores keep of a resource of Moa. */
export interface ResourceProjection<K extends Kind = Kind> extends Stored {
  readonly generation: number;
  /** The resource, or what is wrong in it: it may have been stored before the schema refused it. */
  readonly parsed: Parsed<ResourceByKind[K]>;
  /** Status as last seen, also of a resource whose spec can't be read; undefined where it does not fit its schema. */
  readonly status: StatusOf<K> | undefined;
}

/** The three resources. */
export interface ManifestStores {
  readonly pools: Store<ResourceProjection<'GpuPool'>>;
  readonly quotas: Store<ResourceProjection<'ResearchQuota'>>;
  readonly investments: Store<ResourceProjection<'MatchingInvestment'>>;
}

/** What the controllers of the three resources see. */
export interface World extends ManifestStores {
  /** The state now. Not asked for before every cache is warm: a status must not be worked out from half a list. */
  snapshot(): Snapshot;
  /** What the scheduling loop of this process has found out since it leads. */
  readonly record: SchedulingRecord;
  /** How the budgets stand that a quota draws on; undefined before the ledger is known. */
  readonly budgetOf: (quota: QuotaState) => BudgetNow | undefined;
  /** How far the ledger is behind; undefined = nobody keeps one. */
  readonly ledgerState: () => LedgerState | undefined;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Calls back, often, after anything that a status shows may have changed. @returns a function that ends it */
  subscribe(listener: () => void): () => void;
}

/** What a reflector keeps of the objects of a kind. Never throws for an object that has a name. */
export function projectResource<K extends Kind>(kind: K): (raw: RawObject) => ResourceProjection<K> {
  return (raw) => {
    const { name, uid, resourceVersion, generation } = raw['metadata'] as Stored & { readonly generation?: number };
    const status = definitions[kind].status.safeParse(raw['status']);
    return {
      uid,
      namespace: '',
      name,
      resourceVersion,
      generation: generation ?? 0,
      parsed: parseResource(kind, raw),
      status: status.success ? status.data : undefined,
    };
  };
}

/** The manifests as the core reads them. What can't be read is left out; of pools the names are kept, for those who refer to them. */
export function manifestsOf({ pools, quotas, investments }: ManifestStores): Omit<PolicyInput, 'namespaces'> {
  const poolSpecs = Array.from(pools.values(), readPool);
  const zones = new Map(poolSpecs.flatMap((pool) => (isUnreadable(pool) ? [] : [[pool.name, pool.timeZone]])));
  const quotaSpecs = Array.from(quotas.values(), (one) => readQuota(one, (pool) => zones.get(pool)));
  const investmentSpecs = Array.from(investments.values(), (one) => readInvestment(one, (pool) => zones.get(pool)));
  return {
    pools: poolSpecs.flatMap((spec) => (isUnreadable(spec) ? [] : [spec])),
    quotas: quotaSpecs.flatMap((spec) => (isUnreadable(spec) ? [] : [spec])),
    investments: investmentSpecs.flatMap((spec) => (isUnreadable(spec) ? [] : [spec])),
    unreadablePools: poolSpecs.filter(isUnreadable).map(({ name }) => name),
  };
}

/** Time zones of the pools of a policy, by name. */
export function zoneIn({ pools }: Policy): (pool: string) => string | undefined {
  return (name) => pools.find(({ spec }) => spec.name === name)?.spec.timeZone;
}

/**
 * Whether a change of a resource can change what a policy says: anything but a status, save the weights that an
 * investment pinned.
 */
export function changesManifest({ object, previous }: Change<ResourceProjection>): boolean {
  if (previous === undefined || previous === object || previous.uid !== object.uid) return true;
  return object.generation !== previous.generation || pinsOf(object) !== pinsOf(previous);
}

export function readPool({ name, generation, parsed }: ResourceProjection<'GpuPool'>): PoolSpec | Unreadable {
  return parsed.ok ? poolSpecOf(parsed.resource) : refused(name, generation, parsed);
}

/** @param zoneOf time zone of a readable pool; while the pool can't be read, its quotas are not in force anyway */
export function readQuota(
  { name, generation, parsed }: ResourceProjection<'ResearchQuota'>,
  zoneOf: (pool: string) => string | undefined,
): QuotaSpec | Unreadable {
  if (!parsed.ok) return refused(name, generation, parsed);
  return quotaSpecOf(parsed.resource, zoneOf(parsed.resource.spec.poolName) ?? 'UTC');
}

/** @param zoneOf see {@link readQuota} */
export function readInvestment(
  { name, generation, parsed }: ResourceProjection<'MatchingInvestment'>,
  zoneOf: (pool: string) => string | undefined,
): InvestmentSpec | Unreadable {
  if (!parsed.ok) return refused(name, generation, parsed);
  return investmentSpecOf(parsed.resource, zoneOf(parsed.resource.spec.poolName) ?? 'UTC');
}

function refused(name: string, generation: number, { problems }: Extract<Parsed<unknown>, { ok: false }>): Unreadable {
  return { name, generation, problem: problems.map(({ path, message }) => `${path}: ${message}`).join('; ') };
}

function pinsOf({ status }: ResourceProjection): string {
  return JSON.stringify((status as StatusOf<'MatchingInvestment'> | undefined)?.pinnedWeights);
}
