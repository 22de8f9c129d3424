import { milli, zeroGpus, type MilliGpus } from '../units/index.ts';

interface Average {
  /** Milli-GPUs, with the fraction that an average has. */
  value: number;
  /** Until when it is worked out, epoch milliseconds. */
  at: number;
  /** False until the first advance after a seed: what was borrowed meanwhile is not known. */
  measured: boolean;
}

/** What a quota borrows now, and how fast its past fades. */
export interface Borrowing {
  readonly name: string;
  /** Held beyond guarantee by the quota and all below it. */
  readonly borrowed: MilliGpus;
  /** Milliseconds after which past borrowing counts half. Above 0. */
  readonly halfLife: number;
}

/**
 * `decayedBorrowed` of DESIGN.md section 4.2: for each quota the exponential average of what it borrowed. Over a time
 * dt in which b is borrowed, d becomes d x 2^(-dt/h) + b x (1 - 2^(-dt/h)); a sum of short steps is the same as one long
 * step, so that it does not matter how often it is advanced while b stays.
 *
 * | operation | cost |
 * |---|---|
 * | advance | O(quotas) |
 * | valueOf, seed | O(1) |
 */
export class BorrowHistory {
  readonly #averages = new Map<string, Average>();

  /**
   * Takes up a history that was kept elsewhere. What was borrowed between `asOf` and the next {@link advance} is not
   * known and not charged: until then the value only fades.
   *
   * @param asOf epoch milliseconds
   */
  seed(name: string, value: MilliGpus, asOf: number): void {
    this.#averages.set(name, { value, at: asOf, measured: false });
  }

  /**
   * Takes what each quota has borrowed since the last call: to be called before that changes, or so often that it hardly
   * does. Quotas that are not named are forgotten. Time that goes back counts as none.
   *
   * @param now epoch milliseconds
   */
  advance(now: number, quotas: Iterable<Borrowing>): void {
    const named = new Set<string>();
    for (const { name, borrowed, halfLife } of quotas) {
      named.add(name);
      const average = this.#averages.get(name);
      if (average === undefined) {
        this.#averages.set(name, { value: 0, at: now, measured: true });
        continue;
      }
      const kept = 2 ** (-Math.max(0, now - average.at) / halfLife);
      average.value = average.value * kept + (average.measured ? borrowed * (1 - kept) : 0);
      average.at = now;
      average.measured = true;
    }
    for (const name of this.#averages.keys()) if (!named.has(name)) this.#averages.delete(name);
  }

  /** The average as of the last {@link advance}, rounded to the milli-GPU; 0 for a quota without history. */
  valueOf(name: string): MilliGpus {
    const average = this.#averages.get(name);
    return average === undefined ? zeroGpus : milli(Math.round(average.value));
  }
}
