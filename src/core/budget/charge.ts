import type { Micro, MilliGpus } from '../units/index.ts';
import type { MilliGpuHours } from './hours.ts';

declare const charge: unique symbol;
declare const chargeRate: unique symbol;

/**
 * Normalized GPU time in the finest unit there is: a thousandth of a device, times a thousandth of a normalized GPU,
 * times a millisecond, times a millionth. 10^12 of them are one normalized GPU for one millisecond, 3.6 x 10^15 a
 * thousandth of a GPU-hour.
 *
 * Every factor is an integer, so that nothing rounds: however an interval is split, its parts charge exactly the whole.
 * Rounding happens once, in {@link milliGpuHours}, where a figure is shown. A bigint, as 256 GPUs take 8 x 10^24 a year.
 */
export type Charge = bigint & { readonly [charge]: true };

/** Charge for each millisecond. */
export type ChargeRate = bigint & { readonly [chargeRate]: true };

export const noCharge = 0n as Charge;

/** 10^-3 GPUs for 3,600,000 ms, in units of 10^-12 GPU x ms. */
const chargePerMilliGpuHour = 3_600_000_000_000_000n;

/** What device time costs. */
export interface Price {
  /** Worth of one device, pinned when the pod is bound. */
  readonly weight: MilliGpus;
  /** The pool's `borrowedChargeFactor` for what is borrowed; one for what is guaranteed, and for all that is reserved. */
  readonly chargeFactor: Micro;
}

/**
 * Device time at a price: weight x devices x time x factor (DESIGN.md section 4.4).
 *
 * @param deviceMs thousandths of devices times milliseconds
 */
export function chargeFor(deviceMs: bigint, { weight, chargeFactor }: Price): Charge {
  return (deviceMs * BigInt(weight) * BigInt(chargeFactor)) as Charge;
}

/** What devices cost as long as they are held. Devices are counted in thousandths: 8000 is eight whole ones. */
export function rateFor(milliDevices: number, price: Price): ChargeRate {
  return chargeFor(BigInt(milliDevices), price) as bigint as ChargeRate;
}

/** What a rate comes to over whole milliseconds. */
export function chargeOver(rate: ChargeRate, milliseconds: number): Charge {
  return (rate * BigInt(milliseconds)) as Charge;
}

/** The sum of two charges. */
export function addCharges(a: Charge, b: Charge): Charge {
  return (a + b) as Charge;
}

/** The charge that uses up so many hours, exactly. */
export function chargeOfHours(hours: MilliGpuHours): Charge {
  return (BigInt(hours) * chargePerMilliGpuHour) as Charge;
}

/** Thousandths of normalized GPU-hours, rounded down; 0 for a charge below 0. */
export function milliGpuHours(amount: Charge): MilliGpuHours {
  return (amount <= 0n ? 0 : Number(amount / chargePerMilliGpuHour)) as MilliGpuHours;
}

/** Thousandths of normalized GPU-hours, rounded up: what has to be left for the charge to fit. */
export function hoursNeededFor(amount: Charge): MilliGpuHours {
  return milliGpuHours((amount + chargePerMilliGpuHour - 1n) as Charge);
}
