import type { Parsed } from '../../api/v1alpha1/index.ts';
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
  type Unreadable,
} from '../../core/snapshot/index.ts';
import type { ManifestStores, ResourceProjection } from './resourceProjection.ts';

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
