import { existsSync } from 'node:fs';
import process from 'node:process';

import { formatMilliGpus } from '../../core/units/index.ts';
import { milliGpuHours } from '../../core/budget/index.ts';
import { LedgerError } from '../errors.ts';
import { openStore } from '../store.ts';
import { help, parseReportArguments, UsageError, type ReportArguments } from './arguments.ts';
import { csv } from './csv.ts';
import { focusCsv } from './focus.ts';
import { questionFor, statement } from './statement.ts';

try {
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) process.stdout.write(help);
  else process.stdout.write(await report(parseReportArguments(args)));
} catch (error) {
  if (error instanceof UsageError) {
    console.error(`${error.message}\n\n${help}`);
    process.exitCode = 2;
  } else {
    console.error(error instanceof LedgerError ? error.message : error);
    process.exitCode = 1;
  }
}

async function report({ ledger, from, to, quota, by, format }: ReportArguments): Promise<string> {
  // SQLite would make a file of whatever name is mistyped.
  const file = /^sqlite:(.+)$/.exec(ledger)?.[1];
  if (file !== undefined && !existsSync(file)) throw new UsageError(`--ledger ${ledger}: there is no such file`);
  const store = await openStore(ledger);
  try {
    const asked = { from, to, at: Date.now(), ...questionFor(by), ...(quota === undefined ? {} : { quota }) };
    const rows = await store.usage(asked);
    if (format === 'focus') return focusCsv(asked, rows);
    const lines = statement(rows, by).map(({ key, deviceMs, guaranteed, borrowed, charged }) => [
      ...key,
      formatMilliGpus(Number(deviceMs / 3_600_000n)),
      ...[guaranteed, borrowed, charged].map((amount) => formatMilliGpus(milliGpuHours(amount))),
    ]);
    const columns = [...by, 'deviceHours', 'guaranteed', 'borrowed', 'charged'];
    return format === 'csv' ? csv(columns, lines) : table(columns, lines, by.length);
  } finally {
    await store.close();
  }
}

/** Columns as wide as their widest cell; those behind the first `texts` are numbers and stand to the right. */
function table(columns: readonly string[], rows: readonly (readonly string[])[], texts: number): string {
  const all = [columns, ...rows];
  const widths = columns.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  const pad = (cell: string, i: number) => (i < texts ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0));
  return all.map((row) => `${row.map(pad).join('  ').trimEnd()}\n`).join('');
}
