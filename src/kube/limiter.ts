/** Lets so many tasks run at a time; the others wait their turn, first come first served. */
export class Limiter {
  readonly #most: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param most at least 1 */
  constructor(most: number) {
    this.#most = most;
  }

  /** @returns what the task returns; rejects as it does */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running < this.#most) this.#running++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      // The place goes on to the next without becoming free in between.
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
