import { z } from 'zod';
import { formCel, withRules } from './rule.ts';

/**
 * Decimal numbers of a manifest. They are int-or-string, never float: a float cannot hold every three-digit decimal,
 * and a lost milli-GPU is a lost GPU after rounding. A bare YAML float is therefore refused by its type.
 */
export const decimal = z
  .union([z.int(), z.string()], { error: 'write a whole number, or a decimal in quotes such as "0.25"' })
  .meta({ 'x-kubernetes-int-or-string': true, maxLength: 16 });

const threeDecimals = /^[0-9]{1,9}(\.[0-9]{1,3})?$/;
const hoursForm = /^[0-9]{1,12}(\.[0-9]{1,3})?$/;
const aboveZero = /[1-9]/;

function decimalOf(message: string, ...patterns: readonly RegExp[]) {
  return withRules(decimal, {
    cel: formCel('string(self)', patterns),
    holds: (self) => patterns.every((pattern) => pattern.test(String(self))),
    message,
  });
}

/** Normalized GPUs or kilowatts: 0 or more, below a billion, at most three decimals. */
export function quantity() {
  const message = 'write a number of 0 or more with at most three decimals, quoted when it has a point, such as "0.25"';
  return decimalOf(message, threeDecimals);
}

/** A quantity above 0. */
export function positiveQuantity() {
  const message = 'write a number above 0 with at most three decimals, quoted when it has a point, such as "0.25"';
  return decimalOf(message, threeDecimals, aboveZero);
}

/** Normalized GPU-hours: 0 or more, below 10^12, at most three decimals. */
export function gpuHours() {
  const message = 'write normalized GPU-hours of 0 or more with at most three decimals, such as "50000"';
  return decimalOf(message, hoursForm);
}

/** Normalized GPU-hours above 0. */
export function positiveGpuHours() {
  const message = 'write normalized GPU-hours above 0 with at most three decimals, such as "50000"';
  return decimalOf(message, hoursForm, aboveZero);
}

/** A share of something: 0 to 1, at most six decimals. */
export function fraction() {
  const message = 'write a fraction from 0 to 1 with at most six decimals, quoted when it has a point, such as "0.5"';
  return decimalOf(message, /^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)$/);
}

/** A dimensionless ratio or factor: 0 or more, below a million, at most six decimals. */
export function factor() {
  const message = 'write a factor of 0 or more with at most six decimals, quoted when it has a point, such as "1.5"';
  return decimalOf(message, /^[0-9]{1,6}(\.[0-9]{1,6})?$/);
}

/** Bound of every count: more devices than anyone has planned to put in one pool. */
const maxCount = 10_000_000;

/** A whole number of devices or things, `least` or more. */
export function count(least = 0) {
  return z.int().min(least).max(maxCount);
}
