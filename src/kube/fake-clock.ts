import { abortReason, nextTurn, type Clock } from './clock.ts';

interface Sleeper {
  readonly due: number;
  wake(): void;
}

/** A clock for tests: time stands still until `advance` moves it. */
export class FakeClock implements Clock {
  #now: number;
  #monotonic = 0;
  readonly #sleepers = new Set<Sleeper>();

  /** @param startMs epoch milliseconds at which the wall clock stands; 2026-01-01T00:00:00Z unless given */
  constructor(startMs = 1_767_225_600_000) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(abortReason(signal));
        return;
      }
      if (ms <= 0) {
        resolve();
        return;
      }
      const abort = (): void => {
        this.#sleepers.delete(sleeper);
        if (signal !== undefined) reject(abortReason(signal));
      };
      const sleeper: Sleeper = {
        due: this.#monotonic + ms,
        wake: () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** How many sleeps are pending. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /**
   * Moves both clocks forward by `ms`, waking sleepers in the order they are due. After each it lets the code that woke
   * run until it waits again, so that a loop which sleeps once a second turns ten times in `advance(10_000)`.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#monotonic + ms;
    await settle();
    for (;;) {
      const next = this.#nextDueBy(end);
      if (next === undefined) break;
      this.#sleepers.delete(next);
      this.#moveTo(next.due);
      next.wake();
      await settle();
    }
    this.#moveTo(end);
  }

  /** Moves the wall clock alone, as an operator or a time server may. */
  jump(ms: number): void {
    this.#now += ms;
  }

  #moveTo(monotonic: number): void {
    this.#now += monotonic - this.#monotonic;
    this.#monotonic = monotonic;
  }

  #nextDueBy(end: number): Sleeper | undefined {
    let next: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (sleeper.due <= end && (next === undefined || sleeper.due < next.due)) next = sleeper;
    }
    return next;
  }
}

/** Lets promise callbacks, and what they start, run. Several turns, since code under test may itself wait for one. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await nextTurn();
}
