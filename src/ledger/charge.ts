import type { Micro, MilliGpus } from '../core/units/index.ts';

declare const charge: unique symbol;

/**
 * Normalized GPU time in the finest unit there is: a thousandth of a device, times a thousandth of a normalized GPU,
 * times a millisecond, times a millionth. 10^12 of them are one normalized GPU for one millisecond. Sums are exact;
 * rounding happens once, where a figure leaves the ledger.
 */
export type Charge = bigint & { readonly [charge]: true };

export const noCharge = 0n as Charge;

/** 10^-3 GPUs for 3,600,000 ms, in units of 10^-12 GPU x ms. */
const chargePerMilliGpuHour = 3_600_000_000_000_000n;

/** What a device-time costs. */
export interface Price {
  readonly weight: MilliGpus;
  readonly chargeFactor: Micro;
}

/**
 * Device time at a price.
 *
 * @param deviceMs thousandths of devices times milliseconds
 */
export function chargeFor(deviceMs: bigint, { weight, chargeFactor }: Price): Charge {
  return (deviceMs * BigInt(weight) * BigInt(chargeFactor)) as Charge;
}

/** The sum of two charges. */
export function addCharges(a: Charge, b: Charge): Charge {
  return (a + b) as Charge;
}

/** Thousandths of normalized GPU-hours, rounded down. */
export function milliGpuHours(amount: Charge): number {
  return Number(amount / chargePerMilliGpuHour);
}
