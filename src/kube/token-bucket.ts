import type { Clock } from './clock.ts';

/** A rate with room for bursts. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Allows `perSecond` in the long run and up to `burst` at once after a quiet time. */
export class TokenBucket {
  readonly #rate: Rate;
  readonly #clock: Clock;
  /** Below 0 when tokens were reserved that are still to come. */
  #tokens: number;
  #filledAt: number;

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
    this.#tokens = rate.burst;
    this.#filledAt = clock.monotonic();
  }

  /** Takes a token if there is one. */
  tryTake(): boolean {
    this.#fill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Takes a token in any case and returns for how many milliseconds the taker has to wait: 0 when there was one. */
  reserve(): number {
    this.#fill();
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#rate.perSecond) * 1000;
  }

  #fill(): void {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + ((now - this.#filledAt) / 1000) * this.#rate.perSecond);
    this.#filledAt = now;
  }
}
