import { backOffMs } from './backoff.ts';
import type { Clock } from './clock.ts';
import { ApiError, isApiError } from './errors.ts';
import { FairQueue } from './fair-queue.ts';
import { microTime } from './micro-time.ts';
import { TokenBucket, type Rate } from './token-bucket.ts';
import { mergePatch, type Transport } from './transport.ts';

/** The object that an event is about. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  /** Absent or empty for cluster-scoped objects; their events are kept in the namespace `default`. */
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
}

export interface EventRecord {
  readonly regarding: ObjectReference;
  readonly type: 'Normal' | 'Warning';
  /** Why, one CamelCase word. */
  readonly reason: string;
  /** What was done or tried, one CamelCase word. */
  readonly action: string;
  /** One sentence for people; cut at 1 KiB. */
  readonly note: string;
  /**
   * Events of one object with the same key within the window are one event that is counted; the note is that of the
   * first. Type, reason, action and note unless given.
   */
  readonly dedupeKey?: string;
}

/** What became of a recorded event, for metrics. */
export type EventObservation =
  | { readonly type: 'created' | 'counted' }
  /** Too many wait, or too many of one object. */
  | { readonly type: 'dropped'; readonly why: 'queue full' | 'object limit' }
  | { readonly type: 'failed'; readonly error: unknown };

export interface EventRecorderOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  /** 0 <= r < 1 */
  readonly random: () => number;
  /** `moa.dev/controller` */
  readonly reportingController: string;
  /** The pod or host, at most 128 characters. */
  readonly reportingInstance: string;
  /** Of all requests. 50 a second, bursts of 100, unless given. */
  readonly rate?: Rate;
  /** Of the events of one object. 25 at once, then one in five minutes, unless given. */
  readonly objectRate?: Rate;
  /** How many may wait to be sent; 2,000 unless given. */
  readonly capacity?: number;
  /** Must not throw. */
  readonly observe?: (observation: EventObservation) => void;
}

/** Something that was recorded within the window. */
interface Known {
  readonly key: string;
  readonly record: EventRecord;
  /** Of the event object. */
  readonly name: string;
  /** Epoch milliseconds. */
  readonly firstAt: number;
  lastAt: number;
  /** The same on the monotonic clock. */
  lastSeen: number;
  count: number;
  /** How many times the server knows of; 0 while the event waits to be created. */
  written: number;
}

const windowMs = 600_000;
/** Repeats are counted here and written together. */
const countEveryMs = 30_000;
const attempts = 3;
const retry = { baseMs: 500, maxMs: 5_000 };
/** Limits that the server sets. */
const longest = { note: 1024, word: 128, name: 253 };

/**
 * Writes events.k8s.io/v1 Events. `record` returns at once and never throws; `run` sends. What repeats within ten
 * minutes is one event with a count. Rates are limited, overall and for each object, and namespaces take turns; when too
 * many wait, the oldest of the namespace with most is dropped.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #observe: (observation: EventObservation) => void;
  readonly #bucket: TokenBucket;
  readonly #capacity: number;
  /** By key, in the order in which they were last seen. */
  readonly #known = new Map<string, Known>();
  /** By the object's uid; they live as long as something about the object is known. */
  readonly #objects = new Map<string, { readonly bucket: TokenBucket; known: number }>();
  /** To be created, by namespace. */
  readonly #waiting = new FairQueue<Known>();
  /** Created, and seen again since the count was written. */
  readonly #repeated = new Set<Known>();
  #sequence = 0;
  #dropped = 0;
  #wake: () => void = () => undefined;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#observe = options.observe ?? (() => undefined);
    this.#bucket = new TokenBucket(options.rate ?? { perSecond: 50, burst: 100 }, options.clock);
    this.#capacity = options.capacity ?? 2_000;
  }

  /** How many events were given up unsent. */
  get dropped(): number {
    return this.#dropped;
  }

  record(record: EventRecord): void {
    const { clock } = this.#options;
    this.#forgetOld();
    const { regarding, type, reason, action, note, dedupeKey } = record;
    const key = JSON.stringify([
      regarding.uid,
      ...(dedupeKey === undefined ? [type, reason, action, note] : [dedupeKey]),
    ]);
    const known = this.#known.get(key);
    if (known !== undefined) {
      this.#seeAgain(known);
      return;
    }
    const now = clock.now();
    if (!this.#objectAllows(regarding.uid)) {
      this.#drop('object limit');
      return;
    }
    const name = this.#nameFor(regarding.name, now);
    const entry = { key, record, name, firstAt: now, lastAt: now, lastSeen: clock.monotonic(), count: 1, written: 0 };
    this.#known.set(key, entry);
    this.#waiting.add(namespaceOf(regarding), entry);
    const oldest = this.#waiting.size > this.#capacity ? this.#waiting.dropFromLongest() : undefined;
    if (oldest !== undefined) {
      this.#forget(oldest);
      this.#drop('queue full');
    }
    this.#wake();
  }

  /** Sends what is recorded until the signal aborts. What waits then is not sent. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    let countsDueAt = clock.monotonic() + countEveryMs;
    while (!signal.aborted) {
      try {
        if (clock.monotonic() >= countsDueAt) {
          countsDueAt = clock.monotonic() + countEveryMs;
          await this.#sendCounts(signal);
        } else {
          const next = this.#waiting.take();
          await (next === undefined ? this.#idle(countsDueAt, signal) : this.#send(next, signal));
        }
      } catch {
        // Only the signal's abort comes here: failures to send are observed where they happen.
      }
    }
  }

  /** Waits for something to send: a record, or counts that are due. */
  async #idle(countsDueAt: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const woken = new AbortController();
    this.#wake = () => woken.abort(wokenUp);
    const stop = (): void => this.#wake();
    signal.addEventListener('abort', stop, { once: true });
    await clock.sleep(countsDueAt - clock.monotonic(), woken.signal).catch(() => undefined);
    signal.removeEventListener('abort', stop);
    this.#wake = () => undefined;
  }

  async #sendCounts(signal: AbortSignal): Promise<void> {
    for (const known of this.#repeated) {
      this.#repeated.delete(known);
      await this.#send(known, signal);
    }
  }

  /** Creates the event, or writes its count. @throws the signal's reason only */
  async #send(known: Known, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    for (let attempt = 1; ; attempt++) {
      await clock.sleep(this.#bucket.reserve(), signal);
      const { count } = known;
      try {
        await (known.written === 0 ? this.#create(known, signal) : this.#writeCount(known, signal));
        this.#observe({ type: known.written === 0 ? 'created' : 'counted' });
        known.written = count;
        if (known.count > count) this.#repeated.add(known);
        return;
      } catch (error) {
        signal.throwIfAborted();
        const again = error instanceof ApiError && error.retryable && attempt < attempts;
        if (!again) {
          // Its next occurrence begins a new event.
          this.#forget(known);
          this.#observe({ type: 'failed', error });
          return;
        }
        await clock.sleep(Math.max(error.retryAfterMs ?? 0, backOffMs(retry, attempt, random)), signal);
      }
    }
  }

  async #create(known: Known, signal: AbortSignal): Promise<void> {
    const { transport } = this.#options;
    try {
      await transport.request({ method: 'POST', path: collectionOf(known), body: this.#bodyOf(known), signal });
    } catch (error) {
      // Our first try arrived, though its answer did not.
      if (!isApiError(error, 'AlreadyExists')) throw error;
    }
  }

  async #writeCount(known: Known, signal: AbortSignal): Promise<void> {
    const { transport } = this.#options;
    const path = `${collectionOf(known)}/${known.name}`;
    const body = { series: seriesOf(known) };
    try {
      await transport.request({ method: 'PATCH', path, contentType: mergePatch, body, signal });
    } catch (error) {
      if (!isApiError(error, 'NotFound')) throw error;
      // Somebody deleted it, or it is older than the server keeps events.
      await this.#create(known, signal);
    }
  }

  #bodyOf(known: Known): unknown {
    const { reportingController, reportingInstance } = this.#options;
    const { regarding, type, reason, action, note } = known.record;
    return {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { namespace: namespaceOf(regarding), name: known.name },
      eventTime: microTime(known.firstAt),
      reportingController,
      reportingInstance: reportingInstance.slice(0, longest.word),
      regarding,
      type,
      reason: reason.slice(0, longest.word),
      action: action.slice(0, longest.word),
      note: cutUtf8(note, longest.note),
      ...(known.count > 1 ? { series: seriesOf(known) } : {}),
    };
  }

  #seeAgain(known: Known): void {
    known.count += 1;
    known.lastAt = this.#options.clock.now();
    known.lastSeen = this.#options.clock.monotonic();
    this.#known.delete(known.key);
    this.#known.set(known.key, known);
    if (known.written > 0) this.#repeated.add(known);
  }

  #forgetOld(): void {
    const oldest = this.#options.clock.monotonic() - windowMs;
    for (const known of this.#known.values()) {
      if (known.lastSeen > oldest) return;
      this.#forget(known);
    }
  }

  #forget(known: Known): void {
    if (this.#known.get(known.key) !== known) return;
    this.#known.delete(known.key);
    this.#repeated.delete(known);
    const { uid } = known.record.regarding;
    const object = this.#objects.get(uid);
    if (object === undefined) return;
    object.known -= 1;
    if (object.known === 0) this.#objects.delete(uid);
  }

  #objectAllows(uid: string): boolean {
    let object = this.#objects.get(uid);
    if (object === undefined) {
      const rate = this.#options.objectRate ?? { perSecond: 1 / 300, burst: 25 };
      object = { bucket: new TokenBucket(rate, this.#options.clock), known: 0 };
      this.#objects.set(uid, object);
    }
    if (!object.bucket.tryTake()) return false;
    object.known += 1;
    return true;
  }

  #drop(why: 'queue full' | 'object limit'): void {
    this.#dropped += 1;
    this.#observe({ type: 'dropped', why });
  }

  /** A name of our own making, so that a second try to create it is recognised as such. */
  #nameFor(object: string, nowMs: number): string {
    const suffix = `.${Math.floor(nowMs * 1000 + (this.#sequence++ % 1000)).toString(16)}`;
    return object.slice(0, longest.name - suffix.length) + suffix;
  }
}

const wokenUp = new Error('woken up');

function collectionOf({ record }: Known): string {
  return `/apis/events.k8s.io/v1/namespaces/${namespaceOf(record.regarding)}/events`;
}

function namespaceOf({ namespace }: ObjectReference): string {
  return namespace === undefined || namespace === '' ? 'default' : namespace;
}

function seriesOf({ count, lastAt }: Known): { count: number; lastObservedTime: string } {
  return { count, lastObservedTime: microTime(lastAt) };
}

/** The longest beginning of the text that takes at most so many bytes and ends between characters. */
function cutUtf8(text: string, bytes: number): string {
  const buffer = Buffer.from(text, 'utf8');
  if (buffer.length <= bytes) return text;
  let end = bytes;
  while (((buffer[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return buffer.toString('utf8', 0, end);
}
