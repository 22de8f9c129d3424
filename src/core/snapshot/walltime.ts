import type { QuotaState } from './policy.ts';

/** Milliseconds: the walltime where neither pod nor quota says one (DESIGN.md section 3). */
const defaultWalltime = 24 * 3_600_000;

/**
 * What a workload declared, else the nearest default on the way up from its quota, else a day. Milliseconds.
 *
 * @param quota the quota that pays for it; undefined = none does
 */
export function walltimeOf(declared: number | undefined, quota: QuotaState | undefined): number {
  const byQuota = quota?.chain.find((above) => above.spec.defaultWalltime !== undefined);
  return declared ?? byQuota?.spec.defaultWalltime ?? defaultWalltime;
}
