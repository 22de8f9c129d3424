import { micros, mulDivFloor, oneMicro, type Micro, type MilliGpus } from '../../core/units/index.ts';
import type { Charge } from '../../core/budget/index.ts';

/** What is known of a matching investment over some time. Letters are those of DESIGN.md section 2.3. */
export interface InvestmentFigures {
  readonly name: string;
  /** C. */
  readonly contributed: MilliGpus;
  /** D: what the state delivered. */
  readonly delivered: MilliGpus;
  /** E. */
  readonly entitlement: MilliGpus;
  /** P = C + D - E. */
  readonly public: MilliGpus;
  /** The effective entitlement, summed over the time. */
  readonly entitledTime: Charge;
  /** What the investor used of it. */
  readonly usedTime: Charge;
  /** What others used of it. */
  readonly lentTime: Charge;
  /** How long the investor waited for lent capacity to come back, 95th percentile; undefined = it never had to. */
  readonly accessP95Seconds: number | undefined;
}

/** The account of an investment. Shares are of the entitlement; they are absent when there was none. */
export interface InvestmentAccount {
  readonly name: string;
  /** E / C: what the investor may use for each GPU that it brought; undefined when it brought none. */
  readonly leverage: Micro | undefined;
  /** P / D: what everybody may use for each GPU that the state delivered; undefined when it delivered none. */
  readonly publicYield: Micro | undefined;
  /** The three add up to one. */
  readonly shares: { readonly used: Micro; readonly lent: Micro; readonly idle: Micro } | undefined;
  readonly accessP95Seconds: number | undefined;
}

/** Works out the account. Quotients round down to the millionth; what is cut off the shares counts as idle. */
export function investmentAccount(figures: InvestmentFigures): InvestmentAccount {
  const { name, contributed, delivered, entitlement, accessP95Seconds } = figures;
  return {
    name,
    leverage: quotient(entitlement, contributed),
    publicYield: quotient(figures.public, delivered),
    shares: sharesOf(figures),
    accessP95Seconds,
  };
}

function quotient(a: MilliGpus, b: MilliGpus): Micro | undefined {
  return b === 0 ? undefined : micros(mulDivFloor(a, oneMicro, b));
}

/** Use beyond the entitlement is not of it, and what is used cannot be lent. */
function sharesOf({ entitledTime, usedTime, lentTime }: InvestmentFigures): InvestmentAccount['shares'] {
  if (entitledTime <= 0n) return undefined;
  const used = shareOf(usedTime, entitledTime, oneMicro);
  const lent = shareOf(lentTime, entitledTime, micros(oneMicro - used));
  return { used, lent, idle: micros(oneMicro - used - lent) };
}

function shareOf(part: bigint, whole: bigint, most: Micro): Micro {
  return micros(Math.min(Number((part * BigInt(oneMicro)) / whole), most));
}
