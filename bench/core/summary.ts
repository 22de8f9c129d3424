import type { Table } from '../benchmark.ts';
import { isMet, valueOf, type Figure, type Outcome, type Reach } from './case.ts';

/** One row for each figure of each case. Figures of a case whose answers were wrong are worth nothing and say so. */
export function summarize(outcomes: ReadonlyMap<string, Outcome>): Table {
  const rows = [...outcomes].flatMap(([name, { figures, faults }]) =>
    figures.map((figure) => [name, figure.what, reachText(figure), measuredText(figure), verdict(figure, faults)]),
  );
  return { columns: ['case', 'figure', 'reach', 'measured', 'met'], rows };
}

function verdict(figure: Figure, faults: readonly string[]): string {
  if (faults.length > 0) return 'WRONG';
  const met = isMet(figure);
  return met === undefined ? '' : met ? 'yes' : 'NO';
}

function reachText({ reach, unit }: Figure): string {
  if (reach === undefined) return '';
  return 'atLeast' in reach ? amount(reach.atLeast, unit) : `< ${amount(limitOf(reach), unit)}`;
}

function limitOf(reach: Extract<Reach, { under: number }>): number {
  return reach.under;
}

/** The figure, and the range of the samples where there are several. */
function measuredText(figure: Figure): string {
  const { samples, unit, as } = figure;
  const value = amount(valueOf(figure), unit);
  if (samples.length < 2) return value;
  const range = `[${short(Math.min(...samples))}-${short(Math.max(...samples))}]`;
  return as === 'p99' ? `${value} p99 of ${samples.length} ${range}` : `${value} ${range}`;
}

function amount(value: number, unit: Figure['unit']): string {
  return `${short(value)} ${unit}`;
}

/** Three digits that count, thousands apart. */
function short(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}
