import { milli, mulDivFloor, oneMicro, scaleDown, zeroGpus, type Micro, type MilliGpus } from '../units/index.ts';

/** Devices of one class, promised and found, at the weight in force. */
export interface ClassDevices {
  readonly weight: MilliGpus;
  /** Devices that the resource's `items` promise; nothing beyond counts. */
  readonly promised: number;
  /** Devices on nodes that exist and carry the label. */
  readonly verified: number;
  /** Of the verified ones, those on Ready nodes. */
  readonly ready: number;
}

/** The terms of a matching investment, without names and dates. */
export interface InvestmentTerms {
  readonly kind: 'Hardware' | 'Cash' | 'HostingAndOperations';
  readonly ratio: Micro | undefined;
  readonly cap: MilliGpus | undefined;
  readonly ownFraction: Micro;
  readonly matchedFraction: Micro;
}

/** What an investment amounts to (DESIGN.md section 2.3). Letters are those of its formulas; all in milli-GPUs. */
export interface InvestmentAmounts {
  /** C: what the investor's devices are worth; 0 for Cash and HostingAndOperations. */
  readonly contributed: MilliGpus;
  /** D: what the state's devices are worth. */
  readonly delivered: MilliGpus;
  /** M: the part of D that the investment is matched with. */
  readonly matched: MilliGpus;
  /** D - M. */
  readonly unmatched: MilliGpus;
  /** E. */
  readonly entitlement: MilliGpus;
  /** P = C + D - E. */
  readonly public: MilliGpus;
  /** E scaled by the ready share of the devices behind it. */
  readonly readyEntitlement: MilliGpus;
  /** What C and D come to when all that was promised stands. */
  readonly promisedContribution: MilliGpus;
  readonly promisedMatch: MilliGpus;
}

/**
 * The arithmetic of a matching investment. Every division and product rounds down to the milli-unit; what is cut off
 * stays public, so that C + D = E + P is exact. The term is the caller's: outside it an entitlement is 0.
 */
export function investmentAmounts(
  terms: InvestmentTerms,
  investor: readonly ClassDevices[],
  state: readonly ClassDevices[],
): InvestmentAmounts {
  const bringsDevices = terms.kind === 'Hardware';
  const promisedContribution = worth(investor, (c) => c.promised);
  const contributed = bringsDevices ? worth(investor, countedDevices) : zeroGpus;
  const delivered = worth(state, countedDevices);

  // Cash and hosting bring no devices: what was agreed stands in for C in the ratio, and in nothing else.
  const base = bringsDevices ? contributed : promisedContribution;
  const matched = matchedOf(terms, base, delivered);
  const own = bringsDevices ? scaleDown(contributed, terms.ownFraction) : zeroGpus;
  const entitlement = milli(own + scaleDown(matched, terms.matchedFraction));

  const verified = contributed + delivered;
  const ready = (bringsDevices ? worth(investor, readyDevices) : 0) + worth(state, readyDevices);
  return {
    contributed,
    delivered,
    matched,
    unmatched: milli(delivered - matched),
    entitlement,
    public: milli(verified - entitlement),
    readyEntitlement: verified === 0 ? zeroGpus : milli(mulDivFloor(entitlement, ready, verified)),
    promisedContribution,
    promisedMatch: matchedOf(
      terms,
      promisedContribution,
      worth(state, (c) => c.promised),
    ),
  };
}

/**
 * Scales the entitlements of a pool into what `publicFloor` leaves of its ready capacity: all by the same factor,
 * rounded down. Returns the scaled values and the factor in millionths (1000000 = nothing was cut).
 */
export function withinFloor(
  entitlements: readonly MilliGpus[],
  readyCapacity: MilliGpus,
  publicFloor: Micro,
): { readonly scaled: readonly MilliGpus[]; readonly factor: Micro } {
  const total = entitlements.reduce<number>((sum, e) => sum + e, 0);
  const allowed = scaleDown(readyCapacity, (oneMicro - publicFloor) as Micro);
  if (total <= allowed) return { scaled: entitlements, factor: oneMicro };
  return {
    scaled: entitlements.map((e) => milli(mulDivFloor(e, allowed, total))),
    factor: mulDivFloor(oneMicro, allowed, total) as Micro,
  };
}

/** M = min(ratio x C, cap, D); without a ratio min(cap, D). */
function matchedOf(terms: InvestmentTerms, base: MilliGpus, delivered: MilliGpus): MilliGpus {
  const byRatio = terms.ratio === undefined ? Infinity : mulDivFloor(base, terms.ratio, oneMicro);
  return milli(Math.min(byRatio, terms.cap ?? Infinity, delivered));
}

function worth(classes: readonly ClassDevices[], devices: (c: ClassDevices) => number): MilliGpus {
  return milli(classes.reduce((sum, c) => sum + devices(c) * c.weight, 0));
}

function countedDevices(c: ClassDevices): number {
  return Math.min(c.verified, c.promised);
}

function readyDevices(c: ClassDevices): number {
  return Math.min(c.ready, c.promised);
}
