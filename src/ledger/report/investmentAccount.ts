import { micros, milli, oneMicro, type Micro, type MilliGpus } from '../../core/units/index.ts';
import { chargeFor, type Charge } from '../../core/budget/index.ts';
import type { InvestmentMeasure } from '../investment.ts';
import type { InvestmentRow } from '../investmentRows.ts';

/** The account of an investment over some time. Letters are those of DESIGN.md section 2.3. */
export interface InvestmentAccount {
  readonly investment: string;
  readonly pool: string;
  /** Name of the quota that receives the entitlement. */
  readonly investor: string;
  /** For how much of the time it was followed, milliseconds. Averages are over this time. */
  readonly recordedMs: number;
  /** C, D, E and the effective entitlement on average, rounded down; and P = C + D - E. */
  readonly average: Readonly<Record<'contributed' | 'delivered' | 'entitled' | 'public' | 'effective', MilliGpus>>;
  /** E / C: what the investor may use for each GPU that it brought; undefined when it brought none. */
  readonly leverage: Micro | undefined;
  /** P / D: what everybody may use for each GPU that the state delivered; undefined when it delivered none. */
  readonly publicYield: Micro | undefined;
  /** What became of the effective entitlement, in normalized GPU time: the investor used it, others did, or nobody. */
  readonly time: Readonly<Record<Fate, Charge>>;
  /** The same as shares, which add up to one; undefined when there was no entitlement. */
  readonly shares: Readonly<Record<Fate, Micro>> | undefined;
  /** How often the investor waited for what was lent, and how often for longer than promised. */
  readonly waits: number;
  readonly breaches: number;
  /** 95 of 100 waits were no longer; undefined when there was none. */
  readonly accessP95Seconds: number | undefined;
}

/** What can become of an entitlement at a moment. */
export type Fate = 'used' | 'lent' | 'idle';

/** Works out the account. Quotients round down to the millionth; what is cut off the shares counts as idle. */
export function investmentAccount({ account, investment, recordedMs, sums, waits }: InvestmentRow): InvestmentAccount {
  const { contributed, delivered, entitled, effective } = sums;
  const open = contributed + delivered - entitled;
  const used = atMost(sums.used, effective);
  const lent = atMost(sums.lent, effective - used);
  const mean = (sum: bigint): MilliGpus => milli(recordedMs === 0 ? 0 : Number(sum / BigInt(recordedMs)));
  return {
    investment,
    pool: account.pool,
    investor: account.quotas[0] ?? '',
    recordedMs,
    average: {
      contributed: mean(contributed),
      delivered: mean(delivered),
      entitled: mean(entitled),
      public: mean(open),
      effective: mean(effective),
    },
    leverage: quotient(entitled, contributed),
    publicYield: quotient(open, delivered),
    time: { used: gpuTime(used), lent: gpuTime(lent), idle: gpuTime(effective - used - lent) },
    shares: sharesOf({ effective, used, lent }),
    waits: waits.reduce((total, { count }) => total + count, 0),
    breaches: waits.reduce((total, { breaches }) => total + breaches, 0),
    accessP95Seconds: percentile95(waits),
  };
}

function sharesOf({
  effective,
  used,
  lent,
}: Readonly<Record<Extract<InvestmentMeasure, 'effective' | 'used' | 'lent'>, bigint>>): InvestmentAccount['shares'] {
  const ofUse = quotient(used, effective);
  const ofLoan = quotient(lent, effective);
  if (ofUse === undefined || ofLoan === undefined) return undefined;
  return { used: ofUse, lent: ofLoan, idle: micros(oneMicro - ofUse - ofLoan) };
}

function quotient(part: bigint, whole: bigint): Micro | undefined {
  return whole <= 0n ? undefined : micros(Number((part * BigInt(oneMicro)) / whole));
}

/** Milli-GPUs times milliseconds as a charge. */
function gpuTime(sum: bigint): Charge {
  return chargeFor(sum, { weight: milli(1000), chargeFactor: oneMicro });
}

function atMost(value: bigint, most: bigint): bigint {
  return value < most ? value : most;
}

/** The least length that 95 of 100 waits do not exceed (nearest rank). */
function percentile95(waits: InvestmentRow['waits']): number | undefined {
  const total = waits.reduce((sum, { count }) => sum + count, 0);
  let left = Math.ceil(total * 0.95);
  return waits.find(({ count }) => (left -= count) <= 0)?.seconds;
}
