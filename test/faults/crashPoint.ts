import type { Outcome, Rules, SeenRequest, SeenWrite } from './proxy.ts';

/** Whether the API server has carried out the write at which the operator dies; its answer is not heard either way. */
export type Side = 'before' | 'after';

/** When an operator dies, and in which order its writes are let through. */
export interface CrashPlan {
  /** At which of its writes, of those that count, from 1; with 0 nobody dies. */
  readonly nth: number;
  /** All count, unless given. */
  readonly counts?: (write: SeenRequest) => boolean;
  readonly side: Side;
  /** Which of so many that are under way goes next; the first, unless given. */
  readonly pick?: (count: number) => number;
}

/**
 * Rules for a proxy that let one write through at a time, in the order in which they arrive unless the plan says
 * otherwise, and end the operator at the n-th: when its turn has come, before the API server hears of it, or when it has
 * been carried out, before the operator hears. What the operator had sent beside it dies with it, so what the API server
 * has heard is the first n - 1 or n writes.
 */
export class CrashPoint {
  readonly rules: Rules;
  readonly #plan: CrashPlan;
  readonly #struck = Promise.withResolvers<SeenRequest>();
  /** Each begins a write that waits for its turn. */
  readonly #waiting: (() => void)[] = [];
  #isBusy = false;
  #kill: () => Promise<void> = () => Promise.reject(new Error('a write came before it was said whom to kill'));
  #seen = 0;
  /** Whether the write whose turn it is is the one. */
  #isTheOne = false;
  #isOver = false;

  constructor(plan: CrashPlan) {
    this.#plan = plan;
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
    await this.#turn();
    if (!this.#isOver) {
      const { nth, side, counts = () => true } = this.#plan;
      const isCounted = counts(request);
      if (isCounted) this.#seen += 1;
      this.#isTheOne = isCounted && this.#seen === nth;
      if (!this.#isTheOne || side === 'after') return 'pass';
      await this.#strike(request);
    }
    this.#next();
    return 'drop';
  }

  async #written(write: SeenWrite): Promise<void> {
    if (this.#isTheOne && this.#plan.side === 'after') await this.#strike(write);
    this.#next();
  }

  async #turn(): Promise<void> {
    if (this.#isBusy) await new Promise<void>((begin) => this.#waiting.push(begin));
    this.#isBusy = true;
  }

  /** Whoever is next has the turn without a gap, so that nobody who arrives meanwhile takes it. */
  #next(): void {
    const { pick = () => 0 } = this.#plan;
    const [begin] = this.#waiting.splice(pick(this.#waiting.length), 1);
    if (begin === undefined) this.#isBusy = false;
    else begin();
  }

  async #strike(request: SeenRequest): Promise<void> {
    this.#isOver = true;
    await this.#kill();
    this.#struck.resolve(request);
  }
}
