import { backOffMs, type BackOff } from './backoff.ts';
import { abortReason, type Clock } from './clock.ts';
import { Heap } from './heap.ts';
import { TokenBucket, type Rate } from './token-bucket.ts';

/** For what is queued only because the process started: news overtakes it. The usual priority is 0. */
export const initialListPriority = -100;

export interface AddOptions {
  /** Higher comes first; 0 unless given. */
  readonly priority?: number;
  /** Not to be handed out before that time has passed. */
  readonly afterMs?: number;
}

export interface WorkQueueOptions {
  readonly clock: Clock;
  /** 0 <= r < 1 */
  readonly random: () => number;
  /** Of one key, for `addRateLimited`. 5 ms to 5 min unless given. */
  readonly backOff?: BackOff;
  /** Of all keys together, for `addRateLimited`. 50 a second, bursts of 200, unless given. */
  readonly rate?: Rate;
}

/** A key's place in one of the heaps. It counts only while it is its key's `place`; what was overtaken is skipped. */
interface Place<K> {
  readonly key: K;
  readonly priority: number;
  readonly dueAt: number;
  readonly sequence: number;
  readonly ready: boolean;
}

/** What the queue knows of a key that is in it or is worked on. */
interface Entry<K> {
  place: Place<K> | undefined;
  working: boolean;
}

/**
 * Keys that need work. A key is in the queue once however often it is added, and only one worker has it at a time:
 * added meanwhile, it comes again after `done`. Of several adds the highest priority and the earliest time count.
 *
 * | operation | cost |
 * |---|---|
 * | add, take, done | O(log n) |
 */
export class WorkQueue<K> {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #backOff: BackOff;
  readonly #bucket: TokenBucket;
  readonly #entries = new Map<K, Entry<K>>();
  readonly #failures = new Map<K, number>();
  readonly #ready = new Heap<Place<K>>(
    (one, other) => one.priority > other.priority || (one.priority === other.priority && one.sequence < other.sequence),
  );
  readonly #delayed = new Heap<Place<K>>((one, other) => one.dueAt < other.dueAt);
  readonly #takers = new Set<(key: K) => void>();
  #alarm: { readonly dueAt: number; readonly off: AbortController } | undefined;
  #sequence = 0;
  #readyCount = 0;
  #delayedCount = 0;

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#backOff = options.backOff ?? { baseMs: 5, maxMs: 300_000 };
    this.#bucket = new TokenBucket(options.rate ?? { perSecond: 50, burst: 200 }, options.clock);
  }

  /** How many keys wait to be taken now. Those that are worked on, or whose time has not come, do not count. */
  get size(): number {
    this.#ripen();
    return this.#readyCount;
  }

  /** How many keys wait for their time to come. */
  get delayed(): number {
    this.#ripen();
    return this.#delayedCount;
  }

  /** Puts the key in the queue. */
  add(key: K, { priority = 0, afterMs = 0 }: AddOptions = {}): void {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { place: undefined, working: false };
      this.#entries.set(key, entry);
    }
    const now = this.#clock.monotonic();
    const before = entry.place;
    // What is ready stays ready, whatever comes later.
    const dueAt = Math.min(afterMs > 0 ? now + afterMs : -Infinity, before?.dueAt ?? Infinity);
    const highest = Math.max(priority, before?.priority ?? priority);
    if (before?.dueAt === dueAt && before.priority === highest) return;
    this.#place(entry, { key, priority: highest, dueAt });
    this.#serve();
  }

  /**
   * Puts the key in the queue after a back-off that doubles each time until `forget`, and not faster than the rate of
   * all keys together.
   *
   * @param options.afterMs the least to wait, when the server asked for it
   */
  addRateLimited(key: K, { priority = 0, afterMs = 0 }: AddOptions = {}): void {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const delay = backOffMs(this.#backOff, failures, this.#random);
    this.add(key, { priority, afterMs: Math.max(delay, this.#bucket.reserve(), afterMs) });
  }

  /** The key's work succeeded, or is given up: its next back-off begins small. */
  forget(key: K): void {
    this.#failures.delete(key);
  }

  /** The next key, once there is one. `done` has to follow. Rejects with the signal's reason when that aborts first. */
  take(signal: AbortSignal): Promise<K> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(abortReason(signal));
        return;
      }
      const abort = (): void => {
        this.#takers.delete(taker);
        if (this.#takers.size === 0) this.#setAlarm(undefined);
        reject(abortReason(signal));
      };
      const taker = (key: K): void => {
        signal.removeEventListener('abort', abort);
        resolve(key);
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#takers.add(taker);
      this.#serve();
    });
  }

  /** The work on a taken key is over. */
  done(key: K): void {
    const entry = this.#entries.get(key);
    if (entry?.working !== true) return;
    entry.working = false;
    if (entry.place === undefined) {
      this.#entries.delete(key);
      return;
    }
    this.#push(entry.place);
    this.#serve();
  }

  #place(entry: Entry<K>, { key, priority, dueAt }: { key: K; priority: number; dueAt: number }): void {
    const before = entry.place;
    const ready = dueAt <= this.#clock.monotonic();
    // A key that becomes more urgent keeps its turn among its equals.
    const sequence = before?.ready === true ? before.sequence : this.#sequence++;
    entry.place = { key, priority, dueAt, sequence, ready };
    if (entry.working) return;
    if (before !== undefined) this.#count(before, -1);
    this.#push(entry.place);
  }

  #push(place: Place<K>): void {
    this.#count(place, 1);
    (place.ready ? this.#ready : this.#delayed).push(place);
  }

  #count(place: Place<K>, by: 1 | -1): void {
    if (place.ready) this.#readyCount += by;
    else this.#delayedCount += by;
  }

  /** Moves what is due from the delayed to the ready. */
  #ripen(): void {
    const now = this.#clock.monotonic();
    for (let place = this.#delayed.peek(); place !== undefined; place = this.#delayed.peek()) {
      const entry = this.#entryAt(place);
      if (entry !== undefined && place.dueAt > now) return;
      this.#delayed.pop();
      if (entry !== undefined) this.#place(entry, place);
    }
  }

  /** The entry whose place this still is. */
  #entryAt(place: Place<K>): Entry<K> | undefined {
    const entry = this.#entries.get(place.key);
    return entry?.place === place && !entry.working ? entry : undefined;
  }

  #serve(): void {
    this.#ripen();
    while (this.#takers.size > 0) {
      const place = this.#ready.pop();
      if (place === undefined) break;
      const entry = this.#entryAt(place);
      if (entry === undefined) continue;
      this.#count(place, -1);
      entry.place = undefined;
      entry.working = true;
      for (const taker of this.#takers) {
        this.#takers.delete(taker);
        taker(place.key);
        break;
      }
    }
    this.#setAlarm(this.#takers.size === 0 ? undefined : this.#delayed.peek()?.dueAt);
  }

  /** One timer for all, and only while somebody waits: an idle queue keeps no process alive. */
  #setAlarm(dueAt: number | undefined): void {
    if (this.#alarm?.dueAt === dueAt) return;
    this.#alarm?.off.abort(switchedOff);
    this.#alarm = undefined;
    if (dueAt === undefined) return;
    const off = new AbortController();
    this.#alarm = { dueAt, off };
    this.#clock.sleep(dueAt - this.#clock.monotonic(), off.signal).then(
      () => {
        this.#alarm = undefined;
        this.#serve();
      },
      () => undefined,
    );
  }
}

const switchedOff = new Error('switched off');
