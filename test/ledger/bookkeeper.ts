/*
 * A process that keeps books until it is killed: node bookkeeper.ts URL JOURNAL FIRST. Pods begin, change their terms
 * and end without pause. Of each entry it prints a line, in one write, before the entry is recorded and after: what it
 * said after is what the ledger must never lose.
 */
import { writeSync } from 'node:fs';
import process from 'node:process';

import { micros } from '../../src/core/units/index.ts';
import { systemClock } from '../../src/kube/index.ts';
import { type Entry, Journal, LedgerWriter, recover, splitAt, Tally, ThreadStore } from '../../src/ledger/index.ts';
import { closing, openInterval, opening, splitting } from './intervals.ts';

const [url = '', path = '', first = ''] = process.argv.slice(2);
const clock = systemClock();
const store = new ThreadStore(url, clock);
const journal = new Journal(path);
const writer = new LedgerWriter({ store, journal, clock });

await retrying(() => writer.begin());
const { entries, open } = await retrying(() => recover(store, [], clock.now()));
if (open.length > 0) throw new Error('without pods nothing stays open');
const tally = new Tally(open);
const record = (more: readonly Entry[]): void => {
  for (const entry of more) say('before', entry);
  writer.record(more);
  for (const entry of more) say('after', entry);
};
record(entries);
void writer.run(new AbortController().signal);

for (let i = 0; ; i += 1) {
  const interval = openInterval({ podUid: `pod-${first}-${i}`, start: clock.now() });
  tally.open(interval);
  record([opening(interval)]);
  const running = [...tally.values()];
  const some = running[(i * 7) % running.length];
  if (some !== undefined && i % 3 === 0) {
    const split = splitAt(some, clock.now(), { kind: 'Borrowed', borrowedChargeFactor: micros(500_000) });
    tally.close(some, split[0].end);
    tally.open(split[1]);
    record(splitting(split));
  }
  const [oldest] = tally.values();
  if (oldest !== undefined && running.length > 20) {
    const end = Math.max(clock.now(), oldest.start);
    tally.close(oldest, end);
    record([closing(oldest, end)]);
  }
  if (i % 10 === 0) record([{ type: 'seen', at: clock.now() }]);
  await clock.sleep(1);
}

function say(when: string, entry: Entry): void {
  writeSync(1, `${when} ${JSON.stringify(entry)}\n`);
}

async function retrying<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch {
      await clock.sleep(50);
    }
  }
}
