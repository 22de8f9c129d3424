import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, release, totalmem, type as systemType } from 'node:os';
import { relative } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

import type { Report, Table } from './benchmark.ts';

const results = fileURLToPath(new URL('results/', import.meta.url));

/** Columns as wide as their widest cell; numbers to the right. */
export function formatTable({ columns, rows }: Table): string {
  const cells = [columns, ...rows.map((row) => row.map(String))];
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  const isNumber = columns.map((_, i) => rows.every((row) => /^[\d.]/.test(String(row[i]))));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (isNumber[i] === true ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join('  ');
  const [head, ...body] = cells.map((row) => line(row).trimEnd());
  return [head, widths.map((width) => '-'.repeat(width)).join('  '), ...body].join('\n');
}

/** The middle value; of an even number the mean of the two in the middle. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return (sorted[Math.ceil(half) - 1]! + sorted[Math.floor(half)]!) / 2;
}

/**
 * Writes the report with all that one must know to compare it with another: machine, versions, date, settings.
 *
 * @returns the path of the file, from the working directory
 */
export function writeReport(name: string, settings: unknown, report: Report): string {
  mkdirSync(results, { recursive: true });
  const path = `${results}${name}.json`;
  const document = {
    benchmark: name,
    date: new Date().toISOString(),
    machine: { cpu: cpus()[0]?.model, cpus: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30), arch: arch() },
    versions: { moa: revision(), node: process.version, system: `${systemType()} ${release()}` },
    settings,
    ...report,
  };
  writeFileSync(path, JSON.stringify(document, undefined, 2) + '\n');
  return relative(process.cwd(), path);
}

/** The commit, marked where the checkout differs from it. */
function revision(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty', '--abbrev=12'], {
      cwd: results,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}
