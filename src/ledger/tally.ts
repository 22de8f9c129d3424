import { addCharges, chargeFor, type Charge, type ChargeRate } from '../core/budget/index.ts';
import { holderKey, type HolderKey, type Interval, type OpenInterval } from './interval.ts';

/** The time for which a quota's use is counted. Epoch milliseconds. */
export interface Period {
  readonly start: number;
  /** First moment after it. */
  readonly end: number;
}

interface Meter {
  readonly period: Period;
  /** Counts from here. */
  readonly from: number;
  /** What the store knows of the time before; undefined until it has been asked. */
  settled: Charge | undefined;
  /** Charge of what was open since and has closed. */
  closed: bigint;
  /** Charge of all that is open, for each millisecond. */
  rate: bigint;
  /** What `rate` times the time of today has too much, as nothing was open since 1970. */
  offset: bigint;
}

/**
 * What each quota has used of its period, children included, at any moment and without asking the store: what the store
 * said up to some moment, and since then what the intervals say that are or were open. Exact, as long as every entry
 * that is recorded is told to it as well; after the clock went back, exact again once it is watched anew.
 *
 * | operation | cost |
 * |---|---|
 * | open, close | O(depth of the account) |
 * | used, rate | O(1) |
 * | watch | O(open intervals) |
 */
export class Tally {
  readonly #open = new Map<string, OpenInterval>();
  readonly #meters = new Map<string, Meter>();

  /** Begins with what is open already. */
  constructor(open: Iterable<OpenInterval>) {
    for (const interval of open) this.#open.set(holderKey(interval), interval);
  }

  /** What the pod holds of the class; undefined = nothing. */
  get(key: HolderKey): OpenInterval | undefined {
    return this.#open.get(holderKey(key));
  }

  /** Everything that is open. */
  values(): Iterable<OpenInterval> {
    return this.#open.values();
  }

  /**
   * Counts a quota from a moment on: at the start of a term, or anew after its period has changed. What came before is
   * to be asked of the store, up to that moment (`usage` with `to` and `at`), and given to `settle`.
   *
   * @param from not after now; all that has happened before must be on its way to the store
   */
  watch(quota: string, period: Period, from: number): void {
    const meter: Meter = { period, from, settled: undefined, closed: 0n, rate: 0n, offset: 0n };
    this.#meters.set(quota, meter);
    for (const interval of this.#open.values()) if (interval.account.quotas.includes(quota)) turn(meter, interval, 1n);
  }

  /** What the store said of the time before `from`. Does nothing when the quota is watched from another moment by now. */
  settle(quota: string, from: number, charge: Charge): void {
    const meter = this.#meters.get(quota);
    if (meter?.from === from) meter.settled = charge;
  }

  /** Counts a quota no longer. */
  unwatch(quota: string): void {
    this.#meters.delete(quota);
  }

  /** An interval has begun. What the pod held of the class before, if anything, has to be closed first. */
  open(interval: OpenInterval): void {
    this.#open.set(holderKey(interval), interval);
    for (const meter of this.#metersOf(interval)) turn(meter, interval, 1n);
  }

  /** What the pod held of the class has ended; nothing happens when it held nothing. */
  close(key: HolderKey, end: number): void {
    const interval = this.get(key);
    if (interval === undefined) return;
    this.#open.delete(holderKey(key));
    for (const meter of this.#metersOf(interval)) {
      turn(meter, interval, -1n);
      const milliseconds = counted(meter, Math.max(end, interval.start)) - counted(meter, interval.start);
      meter.closed += rateOf(interval) * BigInt(milliseconds);
    }
  }

  /**
   * What a quota has used of its period until then; undefined when it is not watched, or not settled yet.
   *
   * @param at not before anything of it that is open began
   */
  used(quota: string, at: number): Charge | undefined {
    const meter = this.#meters.get(quota);
    if (meter?.settled === undefined) return undefined;
    const running = meter.rate * BigInt(counted(meter, at)) - meter.offset;
    return addCharges(meter.settled, (meter.closed + running) as Charge);
  }

  /** What a quota is charged for each millisecond at present; 0 when it is not watched. */
  rate(quota: string): ChargeRate {
    return (this.#meters.get(quota)?.rate ?? 0n) as ChargeRate;
  }

  *#metersOf(interval: Interval): Iterable<Meter> {
    for (const quota of interval.account.quotas) {
      const meter = this.#meters.get(quota);
      if (meter !== undefined) yield meter;
    }
  }
}

/** Adds what an open interval costs to a meter, or takes it off. */
function turn(meter: Meter, interval: OpenInterval, sign: 1n | -1n): void {
  const rate = sign * rateOf(interval);
  meter.rate += rate;
  meter.offset += rate * BigInt(counted(meter, interval.start));
}

/** The moment, moved to where the meter counts: the store knows what is before, and the period ends what is after. */
function counted({ period, from }: Meter, moment: number): number {
  return Math.min(Math.max(moment, from, period.start), period.end);
}

/** Charge for one millisecond. */
function rateOf(interval: Interval): bigint {
  return chargeFor(BigInt(interval.milliDevices), interval);
}
