const hour = 3_600_000;

/** Everything is counted in thousandths of a GPU: sums of parts of GPUs stay exact. */
const milli = (gpus: number): number => Math.round(gpus * 1000);

/** What one institution holds and waits for, and what it held while it wanted more. Milli-GPUs, times in milliseconds. */
interface Account {
  readonly entitled: number;
  held: number;
  waiting: number;
  heldWhileShort: number;
  timeShort: number;
}

/** Who had what, over a whole replay. */
export interface Balance {
  /** GPU-hours held by all, whether or not anything came of them. */
  readonly heldGpuHours: number;
  /** Hours in which more GPUs were asked for than there are. */
  readonly contendedHours: number;
  /** Part of the GPUs that was held during those hours, 0 to 1. */
  readonly useWhenContended: number;
  /**
   * For each institution that wanted more during at least one of those hours, by name: GPU-hours held meanwhile, over
   * its share of the pool for as long.
   */
  readonly servedOfShare: ReadonlyMap<string, number>;
}

/** Keeps the books of a replay: every GPU of every institution at every moment. All changes O(institutions). */
export class Books {
  readonly #capacity: number;
  readonly #accounts: ReadonlyMap<string, Account>;
  #now = -Infinity;
  #held = 0;
  #waiting = 0;
  #heldTime = 0;
  #contendedTime = 0;
  #heldWhileContended = 0;

  /** @param shares what each institution is entitled to, GPUs */
  constructor(capacity: number, shares: ReadonlyMap<string, number>) {
    this.#capacity = milli(capacity);
    this.#accounts = new Map(
      Array.from(shares, ([name, entitled]) => [
        name,
        { entitled: milli(entitled), held: 0, waiting: 0, heldWhileShort: 0, timeShort: 0 },
      ]),
    );
  }

  /** Books the time until `now`, in milliseconds, as things have stood since the last call: before they change. */
  advance(now: number): void {
    const time = this.#now === -Infinity ? 0 : now - this.#now;
    this.#now = now;
    this.#heldTime += this.#held * time;
    if (time === 0 || this.#held + this.#waiting <= this.#capacity) return;
    this.#contendedTime += time;
    this.#heldWhileContended += this.#held * time;
    for (const account of this.#accounts.values()) {
      if (account.waiting === 0) continue;
      account.heldWhileShort += account.held * time;
      account.timeShort += time;
    }
  }

  /** @returns whether the institution is entitled to this many beside all that it holds and waits for already */
  wait(name: string, gpus: number): boolean {
    const account = this.#accountOf(name);
    account.waiting += milli(gpus);
    this.#waiting += milli(gpus);
    return account.held + account.waiting <= account.entitled;
  }

  start(name: string, gpus: number): void {
    const account = this.#accountOf(name);
    account.waiting -= milli(gpus);
    this.#waiting -= milli(gpus);
    account.held += milli(gpus);
    this.#held += milli(gpus);
  }

  end(name: string, gpus: number): void {
    this.#accountOf(name).held -= milli(gpus);
    this.#held -= milli(gpus);
  }

  /** Whether an institution waits though it holds less than its share. */
  get someoneIsOwed(): boolean {
    for (const { held, waiting, entitled } of this.#accounts.values()) if (waiting > 0 && held < entitled) return true;
    return false;
  }

  get someoneWaits(): boolean {
    return this.#waiting > 0;
  }

  get balance(): Balance {
    const served = new Map<string, number>();
    for (const [name, { entitled, heldWhileShort, timeShort }] of this.#accounts) {
      if (timeShort >= hour && entitled > 0) served.set(name, heldWhileShort / (entitled * timeShort));
    }
    return {
      heldGpuHours: this.#heldTime / hour / 1000,
      contendedHours: this.#contendedTime / hour,
      useWhenContended:
        this.#contendedTime === 0 ? 0 : this.#heldWhileContended / (this.#capacity * this.#contendedTime),
      servedOfShare: served,
    };
  }

  #accountOf(name: string): Account {
    const account = this.#accounts.get(name);
    if (account === undefined) throw new Error(`no share for the institution "${name}"`);
    return account;
  }
}
