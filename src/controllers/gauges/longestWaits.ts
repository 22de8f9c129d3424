import type { Waiting } from '../../core/plan/index.ts';
import type { Policy } from '../../core/snapshot/index.ts';
import type { AccessWait } from '../record/index.ts';

/** The age of the oldest workload of a tier that waits for a reason. */
export interface LongestWait {
  /** Empty where no quota selects the namespace. */
  readonly tier: string;
  readonly reason: string;
  readonly seconds: number;
}

/** For how long, at the most, somebody waits within a guarantee for what is lent. Seconds; absent where nobody does. */
export interface LongestAccessWaits {
  readonly ofPool: ReadonlyMap<string, number>;
  /** By quota: its own workloads and those of the quotas below it. */
  readonly ofQuota: ReadonlyMap<string, number>;
}

/** One for each tier and reason of what waits. O(waiting workloads). @param now epoch milliseconds */
export function longestWaits(waiting: readonly Waiting[], { quotaOfNamespace }: Policy, now: number): LongestWait[] {
  const oldest = new Map<string, { readonly tier: string; readonly reason: string; createdAt: number }>();
  for (const { reason, workloads } of waiting) {
    for (const { namespace, createdAt } of workloads) {
      const tier = quotaOfNamespace.get(namespace)?.spec.tier ?? '';
      const key = `${tier} ${reason}`;
      const found = oldest.get(key);
      if (found === undefined) oldest.set(key, { tier, reason, createdAt });
      else if (createdAt < found.createdAt) found.createdAt = createdAt;
    }
  }
  return [...oldest.values()].map(({ tier, reason, createdAt }) => ({ tier, reason, seconds: since(createdAt, now) }));
}

/** O(waits x depth of the quota tree). @param now epoch milliseconds */
export function longestAccessWaits(
  waits: Iterable<Pick<AccessWait, 'quota' | 'since'>>,
  now: number,
): LongestAccessWaits {
  const ofPool = new Map<string, number>();
  const ofQuota = new Map<string, number>();
  const raise = (to: Map<string, number>, name: string, seconds: number): void => {
    if (seconds > (to.get(name) ?? -1)) to.set(name, seconds);
  };
  for (const { quota, since: began } of waits) {
    const seconds = since(began, now);
    raise(ofPool, quota.spec.poolName, seconds);
    for (const { spec } of quota.chain) raise(ofQuota, spec.name, seconds);
  }
  return { ofPool, ofQuota };
}

/** Seconds since then; 0 where clocks disagree. */
function since(then: number, now: number): number {
  return Math.max(0, now - then) / 1000;
}
