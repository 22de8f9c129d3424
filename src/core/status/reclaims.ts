import type { MatchingInvestmentStatus } from '../../api/v1alpha1/index.ts';

/** One time that a workload of an investor waited for lent capacity, within its guarantee. */
export interface Reclaim {
  /** When it started, or was given up past the promise. Epoch milliseconds. */
  readonly at: number;
  /** For how long it had waited, rounded up. */
  readonly seconds: number;
  /** It took longer than was promised at the time. */
  readonly breach: boolean;
}

/** What is known of the access that an investor gets. */
export interface AccessRecord {
  /** Oldest first. */
  readonly reclaims: readonly Reclaim[];
  /** Since when each of its workloads waits that still does, epoch milliseconds. */
  readonly waitingSince: readonly number[];
}

/** How long a breach counts, and how far back the figures look. */
export const accessWindowMs = 30 * 86_400_000;

/** Reclaims that are kept, in memory and in a status: a hundred give the 95th percentile a meaning. */
const kept = 100;

/** The record of an investor who has waited for nothing yet. */
export const noAccessRecord: AccessRecord = { reclaims: [], waitingSince: [] };

/**
 * The reclaims that still count: those of the last 30 days, and of many the latest hundred. Breaches stay before
 * others, so that a busy day does not hide one.
 */
export function countedReclaims(reclaims: readonly Reclaim[], now: number): readonly Reclaim[] {
  const recent = reclaims.filter(({ at }) => at > now - accessWindowMs);
  let surplus = recent.length - kept;
  if (surplus <= 0) return recent;
  const kind = (breach: boolean): Reclaim[] => recent.filter((one) => one.breach === breach);
  const dropped = new Set([...kind(false), ...kind(true)].filter(() => surplus-- > 0));
  return recent.filter((one) => !dropped.has(one));
}

/**
 * `status.reclaim` of an investment (DESIGN.md section 2.3). A wait that is past the promise is a breach though it goes
 * on.
 *
 * @param promise milliseconds; undefined = nothing is promised
 */
export function reclaimStatus(
  { reclaims, waitingSince }: AccessRecord,
  promise: number | undefined,
  now: number,
): NonNullable<MatchingInvestmentStatus['reclaim']> {
  const counted = countedReclaims(reclaims, now);
  const late = waitingSince.filter((since) => now - since > (promise ?? Infinity)).length;
  return {
    p95Seconds: percentile95(counted.map(({ seconds }) => seconds)),
    breaches: counted.filter(({ breach }) => breach).length + late,
    ...(counted.length === 0 ? {} : { recent: counted.map(reclaimEntry) }),
  };
}

/** The reclaims that a status has kept. */
export function reclaimsOfStatus(status: MatchingInvestmentStatus | undefined): readonly Reclaim[] {
  return (status?.reclaim?.recent ?? []).map(({ at, seconds, breach }) => ({
    at: Date.parse(at),
    seconds,
    breach: breach ?? false,
  }));
}

function reclaimEntry({ at, seconds, breach }: Reclaim) {
  return { at: new Date(at).toISOString(), seconds, ...(breach ? { breach } : {}) };
}

/** The least value that 95 of 100 do not exceed (nearest rank); 0 of none. */
function percentile95(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? 0;
}
