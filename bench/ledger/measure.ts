import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { micros, milli } from '../../src/core/units/index.ts';
import { systemClock } from '../../src/kube/index.ts';
import {
  type Entry,
  Journal,
  LedgerWriter,
  type OpenInterval,
  openStore,
  recover,
  type Store,
  Tally,
  ThreadStore,
} from '../../src/ledger/index.ts';
import { startPostgres } from '../../test/ledger/postgresServer.ts';
import { median } from '../report.ts';
import { accountOf, fillHistory, partiesOf, quotas, year } from './history.ts';

export const engineNames = ['sqlite', 'postgres'] as const;
export type EngineName = (typeof engineNames)[number];

/** How much of everything. */
export interface Amounts {
  readonly history: number;
  readonly writes: number;
  readonly open: number;
}

/** What an engine did with it. */
export interface Measurement {
  readonly engine: EngineName;
  /** Intervals that began and ended, through journal and writer into the store. */
  readonly intervalsPerSecond: number;
  /** What recording costs the thread that schedules, for one interval. */
  readonly recordMicroseconds: number;
  /** From opening the ledger to books that fit the pods, with the use of all quotas known. */
  readonly restartSeconds: number;
  /** Median of three, by the name of the report. */
  readonly reportSeconds: Readonly<Record<string, number>>;
}

const wholeYear = { ...year, at: year.to };

/** The reports that are timed, over the whole year. */
export const reports: Readonly<Record<string, (store: Store) => Promise<readonly unknown[]>>> = {
  'by quota and class': (store) => store.usage(wholeYear),
  'by user and class': (store) => store.usage({ ...wholeYear, users: true }),
  'by month': (store) => store.usage({ ...wholeYear, per: 'month' }),
  'one quota by day': (store) => store.usage({ ...wholeYear, per: 'day', quota: 'quota-7' }),
  investments: (store) => store.investments(wholeYear),
};

/** Intervals of one cycle of the scheduler. */
const perCycle = 100;

/** Sets up an engine of its own, measures, and removes it. */
export async function measure(engine: EngineName, amounts: Amounts, signal: AbortSignal): Promise<Measurement> {
  const folder = mkdtempSync(join(tmpdir(), 'moa-bench-ledger-'));
  const server = engine === 'postgres' ? await startPostgres() : undefined;
  try {
    const url = server === undefined ? `sqlite:${join(folder, 'ledger.db')}` : await server.createDatabase();
    await (await openStore(url)).close();
    await fillHistory(url, amounts.history, (done) => {
      signal.throwIfAborted();
      if (done % 2_000_000 === 0) process.stderr.write(`${engine}: ${done} intervals of history\n`);
    });
    const { holdings, ...written } = await measureWriting(url, folder, amounts);
    signal.throwIfAborted();
    const restartSeconds = await measureRestart(url, folder, holdings);
    return { engine, ...written, restartSeconds, reportSeconds: await measureReports(url) };
  } finally {
    await server?.stop();
    rmSync(folder, { recursive: true });
  }
}

async function measureWriting(url: string, folder: string, { writes, open }: Amounts) {
  const clock = systemClock();
  const store = new ThreadStore(url, clock);
  const journal = new Journal(join(folder, 'journal'));
  const writer = new LedgerWriter({ store, journal, clock });
  await writer.begin();
  const stop = new AbortController();
  const running = writer.run(stop.signal);
  let recordMs = 0;
  const record = (entries: readonly Entry[]): void => {
    const began = performance.now();
    writer.record(entries);
    recordMs += performance.now() - began;
  };
  const drained = async (): Promise<void> => {
    while (journal.bytes > 0) await clock.sleep(5);
  };

  const began = performance.now();
  for (let i = 0; i < writes; i += perCycle) {
    const entries = Array.from({ length: Math.min(perCycle, writes - i) }, (_, k): Entry[] => {
      const interval = intervalOf(i + k);
      const { podUid, class: accelerator, start } = interval;
      const end = start + 3_600_000;
      return [
        { type: 'open', interval },
        { type: 'close', key: { podUid, class: accelerator, start }, end, unobserved: false },
      ];
    });
    record(entries.flat());
    await clock.sleep(0);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await drained();
  const seconds = (performance.now() - began) / 1000;
  const recordMicroseconds = (recordMs * 1000) / writes;

  const holdings = Array.from({ length: open }, (_, i) => intervalOf(i));
  for (let i = 0; i < open; i += perCycle)
    writer.record(holdings.slice(i, i + perCycle).map((interval) => ({ type: 'open', interval })));
  await drained();
  stop.abort(new Error('measured'));
  await running;
  journal.close();
  await store.close();
  return { intervalsPerSecond: Math.round(writes / seconds), recordMicroseconds, holdings };
}

async function measureRestart(url: string, folder: string, holdings: readonly OpenInterval[]): Promise<number> {
  const began = performance.now();
  const clock = systemClock();
  const store = new ThreadStore(url, clock);
  const journal = new Journal(join(folder, 'journal'));
  const writer = new LedgerWriter({ store, journal, clock });
  await writer.begin();
  const { entries, open } = await recover(store, holdings, year.to);
  const tally = new Tally(open);
  writer.record(entries);
  for (let quota = 0; quota < quotas; quota += 1)
    tally.watch(`quota-${quota}`, { start: year.from, end: year.to }, year.to);
  await store.usage(wholeYear);
  const seconds = (performance.now() - began) / 1000;
  if (open.length !== holdings.length) throw new Error(`${open.length} of ${holdings.length} intervals are open`);
  await writer.flush();
  journal.close();
  await store.close();
  return seconds;
}

async function measureReports(url: string): Promise<Record<string, number>> {
  const store = new ThreadStore(url, systemClock());
  const seconds: Record<string, number> = {};
  for (const [name, report] of Object.entries(reports)) {
    const times: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const began = performance.now();
      const rows = await report(store);
      times.push((performance.now() - began) / 1000);
      if (rows.length === 0) throw new Error(`the report ${name} is empty`);
    }
    seconds[name] = median(times);
  }
  await store.close();
  return seconds;
}

function intervalOf(n: number): OpenInterval {
  const { class: accelerator, quota, user } = partiesOf(n);
  return {
    podUid: randomUUID(),
    class: accelerator,
    start: year.to - 86_400_000 + (n % 1000),
    end: undefined,
    unobserved: false,
    account: accountOf(quota),
    workload: `namespace/workload-${n}`,
    user,
    node: `node-${n % 6250}`,
    milliDevices: 8000,
    weight: milli(1000),
    kind: n % 2 === 0 ? 'Guaranteed' : 'Borrowed',
    chargeFactor: micros(1_000_000),
  };
}
