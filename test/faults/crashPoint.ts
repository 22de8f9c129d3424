import type { Outcome, Rules, SeenRequest, SeenWrite } from './proxy.ts';

/** Whether the API server has carried out the write at which the operator dies; its answer is not heard either way. */
export type Side = 'before' | 'after';

/**
 * Rules for a proxy that let one write through at a time, in the order in which they arrive, and end the operator at the
 * n-th: on arrival, before the API server hears of it, or when it has been carried out, before the operator hears. What
 * the operator had sent beside it dies with it, so what the API server has heard is the first n - 1 or n writes.
 */
export class CrashPoint {
  readonly rules: Rules;
  readonly #nth: number;
  readonly #side: Side;
  readonly #struck = Promise.withResolvers<SeenRequest>();
  /** Resolves when it is the turn of the next to come. */
  #turn: Promise<unknown> = Promise.resolve();
  #pass: () => void = () => undefined;
  #kill: () => Promise<void> = () => Promise.reject(new Error('a write came before it was said whom to kill'));
  #seen = 0;
  #isOver = false;

  /** @param nth from 1; with 0 nobody dies */
  constructor(nth: number, side: Side) {
    this.#nth = nth;
    this.#side = side;
    this.rules = {
      onRequest: (request) => (request.kind === 'write' ? this.#arrive(request) : 'pass'),
      onWritten: (write) => this.#written(write),
    };
  }

  /** Says whom to kill, and how. To be called before the first write. */
  aim(kill: () => Promise<void>): void {
    this.#kill = kill;
  }

  /** Resolves with the write at which the operator died, as soon as it has. */
  get struck(): Promise<SeenRequest> {
    return this.#struck.promise;
  }

  get hasStruck(): boolean {
    return this.#isOver;
  }

  async #arrive(request: SeenRequest): Promise<Outcome> {
    const turn = this.#turn;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#turn = promise;
    await turn;
    this.#pass = () => resolve(undefined);
    if (!this.#isOver) {
      this.#seen += 1;
      if (this.#seen !== this.#nth || this.#side === 'after') return 'pass';
      await this.#strike(request);
    }
    this.#pass();
    return 'drop';
  }

  async #written(write: SeenWrite): Promise<void> {
    if (this.#seen === this.#nth && this.#side === 'after') await this.#strike(write);
    this.#pass();
  }

  async #strike(request: SeenRequest): Promise<void> {
    this.#isOver = true;
    await this.#kill();
    this.#struck.resolve(request);
  }
}
