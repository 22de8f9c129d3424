import type { Clock } from '../clock.ts';

/**
 * The clock of one process among several on a shared clock. Frozen, as by SIGSTOP, its time goes on, but nothing in it
 * wakes until it is thawed.
 */
export class FreezableClock implements Clock {
  readonly #shared: Clock;
  readonly #skewMs: number;
  #thawed: Promise<true> | undefined;
  #thaw: () => void = () => undefined;

  /** @param skewMs how wrong its wall clock is */
  constructor(shared: Clock, skewMs: number) {
    this.#shared = shared;
    this.#skewMs = skewMs;
  }

  now(): number {
    return this.#shared.now() + this.#skewMs;
  }

  monotonic(): number {
    return this.#shared.monotonic();
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    try {
      await this.#shared.sleep(ms, signal);
    } finally {
      while (this.#thawed !== undefined) await this.#thawed;
    }
  }

  freeze(): void {
    if (this.#thawed !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<true>();
    this.#thawed = promise;
    this.#thaw = () => resolve(true);
  }

  thaw(): void {
    this.#thawed = undefined;
    this.#thaw();
  }
}
