import { parseMilliGpus } from '../units/index.ts';

declare const milliGpuHours: unique symbol;

/** Normalized GPU-hours in thousandths, always an integer. `1500` is one normalized GPU for an hour and a half. */
export type MilliGpuHours = number & { readonly [milliGpuHours]: true };

export const noHours = 0 as MilliGpuHours;

/** More than any budget grants, 340 million GPUs for a year. The sum of two is still a safe integer. */
const mostHours = 3_000_000_000_000_000;

/**
 * Adds up grants and, negative, what was taken away. Never below 0, and saturates at 3 x 10^12 GPU-hours instead of
 * losing precision.
 */
export function totalHours(amounts: readonly number[]): MilliGpuHours {
  const total = Number(amounts.reduce((sum, amount) => sum + BigInt(amount), 0n));
  return Math.min(Math.max(total, 0), mostHours) as MilliGpuHours;
}

/** Reads GPU-hours of a manifest; undefined unless they are a decimal of 0 or more with at most three decimals. */
export function parseGpuHours(value: string | number): MilliGpuHours | undefined {
  return parseMilliGpus(value) as number | undefined as MilliGpuHours | undefined;
}
