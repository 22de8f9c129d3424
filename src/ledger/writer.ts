import type { Clock } from '../kube/index.ts';
import { entryTypes, type Entry } from './entry.ts';
import { LedgerError } from './errors.ts';
import type { Chunk, Journal } from './journal.ts';
import type { Store } from './store.ts';

/** How far the store is behind. */
export interface Lag {
  /** What waits in the journal. */
  readonly bytes: number;
  /** How long the oldest entry has waited, to about a second; 0 when none waits. */
  readonly milliseconds: number;
  /** Why the last attempt to write failed; undefined when it did not. */
  readonly error: unknown;
}

/** What a writer works with. */
export interface LedgerWriterParts {
  readonly store: Store;
  readonly journal: Journal;
  readonly clock: Clock;
  /** Told after each attempt to write. */
  readonly onLag?: (lag: Lag) => void;
  /** Told how many entries the store has taken. */
  readonly onWritten?: (entries: number) => void;
  /** Told of a line of the journal that is no entry, and is left out. */
  readonly onBadLine?: (line: string) => void;
}

/** Entries gather for so long before they are written together. */
const gatherMs = 50;
const firstRetryMs = 250;
const lastRetryMs = 15_000;

/** A mark for each second at most is kept of when entries arrived. */
const markMs = 1000;

/**
 * Brings entries to the store, off the scheduling path. What `record` returned for is in the journal: a kill -9 loses
 * none of it, and a database that is slow or away delays nothing but the books. Memory is bounded, as what waits does so
 * in the journal's file.
 *
 * Life: `begin` until it succeeds, what `recover` returns, then `run` for as long as the process leads. `record` may be called at any time.
 */
export class LedgerWriter {
  readonly #parts: LedgerWriterParts;
  #term: number | undefined;
  #error: unknown;
  /** Bytes recorded and dropped, ever, and when what lies behind a byte was recorded: oldest first. */
  #recorded: number;
  #dropped = 0;
  readonly #marks: { readonly byte: number; readonly at: number }[] = [];
  #wake: (() => void) | undefined;
  /** Settled when nobody takes lines from the journal: what is taken has to be dropped before the next is. */
  #flushed: Promise<void> = Promise.resolve();

  constructor(parts: LedgerWriterParts) {
    this.#parts = parts;
    this.#recorded = parts.journal.bytes;
    if (this.#recorded > 0) this.#marks.push({ byte: 0, at: parts.clock.monotonic() });
  }

  /** Takes note of entries, in the order in which they happened. They are safe from a crash when it returns. */
  record(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    const { journal, clock } = this.#parts;
    const before = journal.bytes;
    const at = clock.monotonic();
    if (at - (this.#marks.at(-1)?.at ?? -Infinity) >= markMs) this.#marks.push({ byte: this.#recorded, at });
    journal.append(entries.map((entry) => JSON.stringify(entry)));
    this.#recorded += journal.bytes - before;
    this.#wake?.();
  }

  /** How far the store is behind. */
  lag(): Lag {
    const { journal, clock } = this.#parts;
    const oldest = this.#marks[0];
    const milliseconds = oldest === undefined ? 0 : clock.monotonic() - oldest.at;
    return { bytes: journal.bytes, milliseconds, error: this.#error ?? journal.problem };
  }

  /**
   * Takes the right to write, and writes what an earlier process left in the journal. One attempt: rejects with a
   * LedgerError when the store is away; the journal keeps what it had.
   */
  async begin(): Promise<void> {
    this.#term = await this.#parts.store.begin();
    await this.flush();
  }

  /** Writes all that waits; rejects at the first failure. Whoever calls while another does so comes after it. */
  flush(): Promise<void> {
    const before = this.#flushed;
    this.#flushed = before.catch(() => undefined).then(() => this.#flush());
    return this.#flushed;
  }

  async #flush(): Promise<void> {
    const { store, journal, onLag } = this.#parts;
    if (this.#term === undefined) throw new LedgerError('Fenced', 'the ledger is not ours: begin has not succeeded');
    try {
      for (let chunk = await journal.first(); chunk !== undefined; chunk = await journal.first()) {
        const entries = this.#entriesOf(chunk);
        await store.write(this.#term, entries);
        this.#parts.onWritten?.(entries.length);
        this.#drop(chunk);
      }
      this.#error = undefined;
    } catch (error) {
      this.#error = error;
      throw error;
    } finally {
      onLag?.(this.lag());
    }
  }

  /**
   * Writes entries as they come until the signal aborts, repeating what fails. What has not been written by then stays
   * in the journal.
   *
   * @throws LedgerError Fenced when another process has begun a term: this one no longer leads
   */
  async run(signal: AbortSignal): Promise<void> {
    const { journal, clock } = this.#parts;
    let retryMs = firstRetryMs;
    try {
      for (;;) {
        signal.throwIfAborted();
        if (journal.bytes === 0) await this.#recordedSomething(signal);
        await clock.sleep(gatherMs, signal);
        try {
          await this.flush();
          retryMs = firstRetryMs;
        } catch (error) {
          if (error instanceof LedgerError && !error.retryable) throw error;
          await journal.sync();
          await clock.sleep(retryMs, signal);
          retryMs = Math.min(2 * retryMs, lastRetryMs);
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #recordedSomething(signal: AbortSignal): Promise<unknown> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        resolve(undefined);
      };
      this.#wake = wake;
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  #drop(chunk: Chunk): void {
    const { journal } = this.#parts;
    const before = journal.bytes;
    journal.drop(chunk);
    this.#dropped += before - journal.bytes;
    while (this.#marks.length > 0 && (this.#marks[1]?.byte ?? this.#recorded) <= this.#dropped) this.#marks.shift();
  }

  #entriesOf({ lines }: Chunk): Entry[] {
    const entries: Entry[] = [];
    for (const line of lines) {
      const entry = parse(line);
      if (entry === undefined) this.#parts.onBadLine?.(line);
      else entries.push(entry);
    }
    return entries;
  }
}

function parse(line: string): Entry | undefined {
  try {
    const entry = JSON.parse(line) as Entry;
    return entryTypes.includes(entry.type) ? entry : undefined;
  } catch {
    return undefined;
  }
}
