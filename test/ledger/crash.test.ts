import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { FakeClock } from '../../src/kube/index.ts';
import { chargeFor, type HoldingEntry, Journal, LedgerWriter, openStore, recover } from '../../src/ledger/index.ts';
import { openDatabase } from '../../src/ledger/engines/open.ts';
import { integer, text } from '../../src/ledger/engines/database.ts';
import { spawnGuarded } from '../../tools/cluster/index.ts';
import { scratch } from './engines.ts';
import { postgresAbsence, startPostgres, type PostgresServer } from './postgresServer.ts';

const bookkeeper = fileURLToPath(new URL('bookkeeper.ts', import.meta.url));
const far = Date.parse('2100-01-01T00:00:00Z');

/** A time to die, from 0 to `most` ms: spread evenly and the same in each run. */
const momentOf = (i: number, most: number) => Math.round(((i * 0.618_034) % 1) * most);

/** Lets a bookkeeper work until it has lived for so long after its first record, and kills it. */
async function bookkeeperDies(url: string, folder: string, life: { number: number; ms: number }): Promise<void> {
  const output = openSync(join(folder, `${life.number}.out`), 'a');
  const errors = openSync(join(folder, `${life.number}.err`), 'a');
  const args = [bookkeeper, url, join(folder, 'journal'), String(life.number)];
  const child = spawnGuarded(process.execPath, args, { output: { stdout: output, stderr: errors } });
  while (readFileSync(join(folder, `${life.number}.out`)).length === 0) {
    const ended = await Promise.race([child.exited, sleep(20)]);
    assert.equal(ended, undefined, readFileSync(join(folder, `${life.number}.err`), 'utf8'));
  }
  await sleep(life.ms);
  child.kill('SIGKILL');
  await child.exited;
  closeSync(output);
  closeSync(errors);
}

/** What all the bookkeepers said, in order. */
function said(folder: string, lives: number): { before: HoldingEntry[]; after: HoldingEntry[] } {
  const heard: { before: HoldingEntry[]; after: HoldingEntry[] } = { before: [], after: [] };
  for (let life = 0; life < lives; life += 1)
    for (const line of readFileSync(join(folder, `${life}.out`), 'utf8')
      .split('\n')
      .slice(0, -1)) {
      const [when, json] = [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)];
      heard[when === 'before' ? 'before' : 'after'].push(JSON.parse(json) as HoldingEntry);
    }
  return heard;
}

/** Finishes the books as the next process would, and compares them with what was said. */
async function checkBooks(url: string, folder: string, lives: number): Promise<{ intervals: number; marked: number }> {
  const store = await openStore(url);
  const journal = new Journal(join(folder, 'journal'));
  const writer = new LedgerWriter({ store, journal, clock: new FakeClock() });
  await writer.begin();
  const { entries } = await recover(store, [], far);
  writer.record(entries);
  await writer.flush();
  assert.equal(journal.bytes, 0);
  journal.close();

  const database = openDatabase(url);
  const rows = await database.read((query) =>
    query('select pod_uid, start_ms, end_ms, unobserved, kind from intervals order by pod_uid, start_ms'),
  );
  await database.close();
  const known = new Map(rows.map((row) => [`${text(row['pod_uid'])} ${integer(row['start_ms'])}`, row]));
  const { before: begun, after: recorded } = said(folder, lives);

  // Nothing is lost: every entry that was recorded is in the books, with its end.
  for (const entry of recorded) {
    if (entry.type === 'seen') continue;
    const { podUid, start } = entry.type === 'open' ? entry.interval : entry.key;
    const row = known.get(`${podUid} ${start}`);
    assert.ok(row !== undefined, `${podUid} from ${start} is lost`);
    if (entry.type === 'close' && !entry.unobserved) assert.equal(integer(row['end_ms']), entry.end);
  }
  // Nothing is made up: what is in the books was at least about to be recorded; an end that was not is marked.
  const openings = new Set(begun.map((e) => (e.type === 'open' ? `${e.interval.podUid} ${e.interval.start}` : '')));
  const ends = new Set(begun.map((e) => (e.type === 'close' ? `${e.key.podUid} ${e.key.start} ${e.end}` : '')));
  for (const [key, row] of known) {
    assert.ok(openings.has(key), `${key} is made up`);
    const isMarked = integer(row['unobserved']) === 1;
    assert.ok(isMarked || ends.has(`${key} ${integer(row['end_ms'])}`), `${key} ends when nobody said`);
  }
  // Nothing counts twice: intervals of a pod never overlap, and the totals are the sum of the intervals.
  let charge = 0n;
  for (const [i, row] of rows.entries()) {
    const next = rows[i + 1];
    if (next !== undefined && text(next['pod_uid']) === text(row['pod_uid']))
      assert.ok(integer(row['end_ms']) <= integer(next['start_ms']));
    const factor = integer(row['kind']) === 1 ? 500_000n : 1_000_000n;
    charge += BigInt(integer(row['end_ms']) - integer(row['start_ms'])) * 8000n * 1000n * factor;
  }
  for (const users of [false, true]) {
    const usage = await store.usage({ from: 0, to: far, at: 0, users });
    assert.equal(
      usage.reduce((sum, row) => sum + chargeFor(row.deviceMs, row), 0n),
      charge,
    );
  }
  await store.close();
  return { intervals: rows.length, marked: rows.filter((row) => integer(row['unobserved']) === 1).length };
}

describe('kill -9', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(scratch, 'moa-crash-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('of the process that writes an embedded ledger, 25 times: nothing is lost, made up or counted twice', async () => {
    const url = `sqlite:${join(folder, 'ledger.db')}`;
    const lives = 25;
    for (let number = 0; number < lives; number += 1)
      await bookkeeperDies(url, folder, { number, ms: momentOf(number, 400) });
    const { intervals, marked } = await checkBooks(url, folder, lives);
    assert.ok(intervals > lives && marked > 0, `${intervals} intervals, ${marked} marked`);
  });

  describe('with PostgreSQL', { skip: postgresAbsence() ?? false }, () => {
    let server: PostgresServer;
    before(async () => {
      server = await startPostgres();
    });
    after(() => server.stop());

    it('of the server 20 times, while processes write and die: nothing is lost, made up or counted twice', async () => {
      const own = mkdtempSync(join(folder, 'postgres-'));
      const url = await server.createDatabase();
      const lives = 4;
      const crashes = 5;
      for (let number = 0; number < lives; number += 1) {
        const done = bookkeeperDies(url, own, { number, ms: 2500 + momentOf(number, 500) });
        for (let crash = 0; crash < crashes; crash += 1) {
          await sleep(momentOf(number * crashes + crash, 500));
          await server.kill();
          await server.restart();
        }
        await done;
      }
      const { intervals } = await checkBooks(url, own, lives);
      assert.ok(intervals > lives, `${intervals} intervals`);
    });
  });
});
