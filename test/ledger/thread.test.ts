import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { FakeClock, systemClock } from '../../src/kube/index.ts';
import { ThreadStore } from '../../src/ledger/index.ts';
import { openDatabase } from '../../src/ledger/engines/open.ts';
import { scratch } from './engines.ts';
import { closing, openInterval, opening } from './intervals.ts';

const hour = 3_600_000;

describe('a store in a thread of its own', () => {
  let folder: string;
  let files = 0;
  before(() => {
    folder = mkdtempSync(join(scratch, 'moa-thread-'));
  });
  after(() => rmSync(folder, { recursive: true }));
  const fresh = () => join(folder, `${(files += 1)}.db`);

  it('does what the store does', async () => {
    const store = new ThreadStore(`sqlite:${fresh()}`, systemClock());
    const interval = openInterval();
    const term = await store.begin();
    assert.deepEqual(await store.write(term, [opening(interval)]), { opened: 1, closed: 0 });
    assert.deepEqual((await store.open()).intervals, [interval]);
    assert.deepEqual(await store.lastEnds([interval]), [undefined]);
    const from = interval.start;
    const [row] = await store.usage({ from, to: from + hour, at: from + hour });
    assert.equal(row?.deviceMs, 8000n * BigInt(hour));
    await store.close();
  });

  it('errors keep their code', async () => {
    const store = new ThreadStore(`sqlite:${fresh()}`, systemClock());
    await assert.rejects(store.write(7, []), { name: 'LedgerError', code: 'Fenced', retryable: false });
    await store.close();
    const nowhere = new ThreadStore('sqlite:/nowhere/at/all.db', systemClock());
    await assert.rejects(nowhere.begin(), { code: 'Unavailable', retryable: true });
    await nowhere.close().catch(() => undefined);
  });

  it('a database that does not answer is given up, and the next call finds it when it is back', async () => {
    const path = fresh();
    const clock = new FakeClock();
    const store = new ThreadStore(`sqlite:${path}`, clock);
    const term = await store.begin();
    const other = openDatabase(`sqlite:${path}`);
    // Another process holds the file for longer than anybody waits.
    const holding = Promise.withResolvers<undefined>();
    const held = other.transaction(() => holding.promise);
    const stuck = assert.rejects(store.write(term, [opening(openInterval())]), { code: 'Unavailable' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await clock.advance(120_000);
    await stuck;
    holding.resolve(undefined);
    await held;
    await other.close();
    assert.deepEqual(await store.write(term, [opening(openInterval())]), { opened: 1, closed: 0 });
    await store.close();
  });

  it('npm run report prints what was used, by quota with its children', async () => {
    const url = `sqlite:${fresh()}`;
    const store = new ThreadStore(url, systemClock());
    const interval = openInterval();
    const term = await store.begin();
    await store.write(term, [opening(interval), closing(interval, interval.start + hour)]);
    await store.close();
    const main = fileURLToPath(new URL('../../src/ledger/report/main.ts', import.meta.url));
    const period = ['--from', '2026-01-01', '--to', '2026-01-31', '--time-zone', 'Asia/Seoul'];
    const report = (...args: string[]) =>
      execFileSync(process.execPath, [main, '--ledger', url, ...period, ...args], { encoding: 'utf8' });
    assert.equal(
      report(),
      [
        'quota     class  deviceHours  guaranteed  borrowed  charged',
        'alliance  h200             8           8         0        8',
        'kaist     h200             8           8         0        8',
        '',
      ].join('\n'),
    );
    assert.equal(
      report('--by', 'user,day', '--format', 'csv'),
      'user,day,deviceHours,guaranteed,borrowed,charged\r\nkim,2026-01-01,8,8,0,8\r\n',
    );
    assert.match(report('--format', 'focus'), /^BillingAccountId,BillingPeriodStart,.*\r\nnational,2025-12-31T15:00/);
  });
});
