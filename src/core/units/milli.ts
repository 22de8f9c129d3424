declare const milliGpus: unique symbol;
declare const micro: unique symbol;

/** Normalized GPUs in thousandths, always an integer. `1500` is one and a half normalized GPUs. */
export type MilliGpus = number & { readonly [milliGpus]: true };

/** A dimensionless fraction, ratio or factor in millionths, always an integer. `500000` is one half. */
export type Micro = number & { readonly [micro]: true };

export const zeroGpus = 0 as MilliGpus;
export const oneMicro = 1_000_000 as Micro;

/**
 * A whole number of milli-GPUs as the branded type. For results of integer arithmetic only: a number that is no safe
 * integer throws a RangeError, because a silently rounded quota is a lost GPU.
 */
export function milli(value: number): MilliGpus {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not a whole number of milli-GPUs`);
  return value as MilliGpus;
}

/** A whole number of millionths as the branded type; throws a RangeError for anything else. */
export function micros(value: number): Micro {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not a whole number of millionths`);
  return value as Micro;
}

/**
 * Reads a quantity of a manifest (`"0.25"`, `"64"`, `2`) into milli-units. Undefined when it is not a non-negative
 * decimal with at most three decimals: the caller knows the field and words the error.
 */
export function parseMilliGpus(value: string | number): MilliGpus | undefined {
  return parseFixed(value, 3) as MilliGpus | undefined;
}

/** Reads a fraction or factor with at most six decimals into millionths; undefined when malformed. */
export function parseMicro(value: string | number): Micro | undefined {
  return parseFixed(value, 6) as Micro | undefined;
}

/** The shortest decimal text of a quantity: 64000 becomes `64`, 250 becomes `0.25`, -500 becomes `-0.5`. */
export function formatMilliGpus(value: number): string {
  return formatFixed(value, 3);
}

/** The shortest decimal text of a fraction held in millionths. */
export function formatMicro(value: number): string {
  return formatFixed(value, 6);
}

/**
 * floor(a * b / divisor) in exact integer arithmetic, for non-negative safe integers. The product may exceed 2^53
 * (milli-GPU-hours times millionths does); the quotient must not, else a RangeError.
 */
export function mulDivFloor(a: number, b: number, divisor: number): number {
  const product = a * b;
  if (product <= Number.MAX_SAFE_INTEGER) return Math.floor(product / divisor);
  return milli(Number((BigInt(a) * BigInt(b)) / BigInt(divisor)));
}

/** The part of `value` that `fraction` gives, rounded down to the milli-unit (DESIGN.md section 7, Numbers). */
export function scaleDown(value: MilliGpus, fraction: Micro): MilliGpus {
  return mulDivFloor(value, fraction, oneMicro) as MilliGpus;
}

function parseFixed(value: string | number, decimals: number): number | undefined {
  const match = /^(\d{1,12})(?:\.(\d+))?$/.exec(String(value));
  if (match === null) return undefined;
  const fraction = match[2] ?? '';
  if (fraction.length > decimals) return undefined;
  const parsed = Number(match[1]) * 10 ** decimals + Number(fraction.padEnd(decimals, '0'));
  return Number.isSafeInteger(parsed) ? parsed : undefined;
}

function formatFixed(value: number, decimals: number): string {
  const scale = 10 ** decimals;
  const size = Math.abs(value);
  const fraction = (size % scale).toString().padStart(decimals, '0').replace(/0+$/, '');
  const text = Math.floor(size / scale).toString() + (fraction === '' ? '' : `.${fraction}`);
  return value < 0 ? `-${text}` : text;
}
