import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';

import { FakeClock } from '../kube/index.ts';
import type { Entry } from './entry.ts';
import { LedgerError } from './errors.ts';
import { Journal } from './journal.ts';
import type { Store } from './store.ts';
import { LedgerWriter, type Lag } from './writer.ts';

/** A store that remembers what it was given, and fails when told to. */
class FakeStore implements Store {
  failure: LedgerError | undefined;
  term = 0;
  readonly written: Entry[] = [];

  begin(): Promise<number> {
    return this.failure === undefined ? Promise.resolve((this.term += 1)) : Promise.reject(this.failure);
  }
  write(term: number, entries: readonly Entry[]) {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (term !== this.term) return Promise.reject(new LedgerError('Fenced', 'over'));
    this.written.push(...entries);
    return Promise.resolve({ opened: entries.length, closed: 0 });
  }
  open = () => Promise.resolve({ intervals: [], seenAt: 0 });
  lastEnds = () => Promise.resolve([]);
  usage = () => Promise.resolve([]);
  intervals = () => Promise.resolve([]);
  investments = () => Promise.resolve([]);
  close = () => Promise.resolve();
}

const seen = (at: number): Entry => ({ type: 'seen', at });
const away = new LedgerError('Unavailable', 'the server is away');

describe('the writer of the ledger', () => {
  let folder: string;
  let files = 0;
  let store: FakeStore;
  let clock: FakeClock;
  let journal: Journal;
  let writer: LedgerWriter;
  let lags: Lag[];
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'moa-writer-'));
  });
  after(() => rmSync(folder, { recursive: true }));
  beforeEach(() => {
    store = new FakeStore();
    clock = new FakeClock();
    lags = [];
    journal = new Journal(join(folder, String((files += 1))));
    writer = new LedgerWriter({ store, journal, clock, onLag: (lag) => lags.push(lag) });
  });
  afterEach(() => journal.close());

  /** Runs the writer until the work is done, with time standing still but for what the work lets pass. */
  async function running(work: () => Promise<void>): Promise<void> {
    const stop = new AbortController();
    const run = writer.run(stop.signal);
    await work();
    stop.abort();
    await run;
  }

  /** Lets time pass, with room for the files to be read in between. */
  async function pass(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += 50) {
      await clock.advance(50);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  it('writes what is recorded, in order', async () => {
    await writer.begin();
    await running(async () => {
      writer.record([seen(1), seen(2)]);
      writer.record([seen(3)]);
      await pass(500);
    });
    assert.deepEqual(store.written, [seen(1), seen(2), seen(3)]);
    assert.deepEqual(writer.lag(), { bytes: 0, milliseconds: 0, error: undefined });
  });

  it('keeps what a store that is away does not take, says so, and writes it when it is back', async () => {
    await writer.begin();
    await running(async () => {
      store.failure = away;
      writer.record([seen(1)]);
      await pass(2000);
      writer.record([seen(2)]);
      await pass(2000);
      const { bytes, milliseconds, error } = writer.lag();
      assert.ok(bytes > 0);
      assert.ok(milliseconds >= 4000 && milliseconds < 6000, `${milliseconds}`);
      assert.equal(error, away);
      assert.equal(lags.at(-1)?.error, away);
      store.failure = undefined;
      await pass(16_000);
    });
    assert.deepEqual(store.written, [seen(1), seen(2)]);
    assert.deepEqual(lags.at(-1), { bytes: 0, milliseconds: 0, error: undefined });
  });

  it('what an earlier process left is written first', async () => {
    writer.record([seen(1)]);
    await writer.begin();
    assert.deepEqual(store.written, [seen(1)]);
  });

  it('a store that is away at the beginning can be asked again; nothing recorded is lost', async () => {
    store.failure = away;
    writer.record([seen(1)]);
    await assert.rejects(writer.begin(), { code: 'Unavailable' });
    store.failure = undefined;
    await writer.begin();
    assert.deepEqual(store.written, [seen(1)]);
  });

  it('stops when another process has begun a term, and keeps what it could not write', async () => {
    await writer.begin();
    store.term += 1;
    writer.record([seen(1)]);
    const run = assert.rejects(writer.run(new AbortController().signal), { code: 'Fenced' });
    await pass(500);
    await run;
    assert.ok(journal.bytes > 0);
  });

  it('whoever writes at the same time takes turns: each entry is written once, none is dropped unwritten', async () => {
    await writer.begin();
    let count = 0;
    const recordAndFlush = () => {
      writer.record([seen((count += 1))]);
      return writer.flush();
    };
    await Promise.all(Array.from({ length: 20 }, recordAndFlush));
    assert.deepEqual(
      store.written,
      Array.from({ length: 20 }, (_, i) => seen(i + 1)),
    );
    assert.equal(journal.bytes, 0);
  });

  it('without a term nothing is written', async () => {
    writer.record([seen(1)]);
    await assert.rejects(writer.flush(), { code: 'Fenced' });
    assert.deepEqual(store.written, []);
  });

  it('a line that is no entry is told and left out', async () => {
    const bad: string[] = [];
    const own = new LedgerWriter({ store, journal, clock, onBadLine: (line) => bad.push(line) });
    journal.append(['{"type":"open"', '"text"', JSON.stringify(seen(1))]);
    await own.begin();
    assert.deepEqual(store.written, [seen(1)]);
    assert.deepEqual(bad, ['{"type":"open"', '"text"']);
  });
});
