import { existsSync } from 'node:fs';
import process from 'node:process';

import { formatMilliGpus } from '../../core/units/index.ts';
import { milliGpuHours } from '../../core/budget/index.ts';
import { LedgerError } from '../errors.ts';
import type { IntervalQuery } from '../listing.ts';
import { openStore, type Store } from '../store.ts';
import { help, parseReportArguments, UsageError, type ReportArguments } from './arguments.ts';
import { csv } from './csv.ts';
import { focusCsv } from './focus.ts';
import { intervalLine, intervalsHead } from './intervalLine.ts';
import { investmentAccount } from './investmentAccount.ts';
import { investmentsCsv, investmentsText } from './investmentLines.ts';
import { questionFor, statement } from './statement.ts';
import { table } from './table.ts';

try {
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) process.stdout.write(help);
  else await report(parseReportArguments(args, process.env['MOA_LEDGER']));
} catch (error) {
  if (error instanceof UsageError) {
    console.error(`${error.message}\n\n${help}`);
    process.exitCode = 2;
  } else {
    console.error(error instanceof LedgerError ? error.message : error);
    process.exitCode = 1;
  }
}

async function report(asked: ReportArguments): Promise<void> {
  // SQLite would make a file of whatever name is mistyped.
  const file = /^sqlite:(.+)$/.exec(asked.ledger)?.[1];
  if (file !== undefined && !existsSync(file)) throw new UsageError(`--ledger sqlite:${file}: there is no such file`);
  const store = await openStore(asked.ledger);
  try {
    if (asked.subject === 'intervals') await listIntervals(store, asked);
    else if (asked.subject === 'investments') process.stdout.write(await investments(store, asked));
    else process.stdout.write(await usage(store, asked));
  } finally {
    await store.close();
  }
}

async function usage(store: Store, { from, to, quota, by, format }: ReportArguments): Promise<string> {
  const asked = { from, to, at: Date.now(), ...questionFor(by), ...(quota === undefined ? {} : { quota }) };
  const rows = await store.usage(asked);
  if (format === 'focus') return focusCsv(asked, rows, (await store.investments(asked)).map(investmentAccount));
  const lines = statement(rows, by).map(({ key, deviceMs, guaranteed, borrowed, charged }) => [
    ...key,
    formatMilliGpus(Number(deviceMs / 3_600_000n)),
    ...[guaranteed, borrowed, charged].map((amount) => formatMilliGpus(milliGpuHours(amount))),
  ]);
  const columns = [...by, 'deviceHours', 'guaranteed', 'borrowed', 'charged'];
  return format === 'csv' ? csv(columns, lines) : table(columns, lines, by.length);
}

async function investments(store: Store, { from, to, quota, format }: ReportArguments): Promise<string> {
  const rows = await store.investments({ from, to, ...(quota === undefined ? {} : { quota }) });
  const accounts = rows.map(investmentAccount);
  return format === 'csv' ? investmentsCsv(accounts) : investmentsText(accounts);
}

/** Page by page: a year of a nation does not fit in memory. */
async function listIntervals(store: Store, { from, to, quota }: ReportArguments): Promise<void> {
  const time = { from, to, at: Date.now() };
  let asked: IntervalQuery = { from, to, ...(quota === undefined ? {} : { quota }) };
  process.stdout.write(intervalsHead);
  for (;;) {
    const page = await store.intervals(asked);
    const last = page.at(-1);
    if (last === undefined) return;
    await written(page.map((interval) => intervalLine(interval, time)).join(''));
    asked = { ...asked, after: last };
  }
}

/** Resolves when the reader of our output has taken it. */
function written(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
