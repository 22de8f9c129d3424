import { parseArgs } from 'node:util';

import { parseInstant, parsePeriodEnd } from '../../core/units/index.ts';
import { dimensions, type Dimension } from './statement.ts';

const formats = ['table', 'csv', 'focus'] as const;

/** What a report is about. */
export interface ReportArguments {
  readonly ledger: string;
  /** Epoch milliseconds. */
  readonly from: number;
  /** First moment after the time of the report. */
  readonly to: number;
  readonly quota: string | undefined;
  readonly by: readonly Dimension[];
  readonly format: (typeof formats)[number];
}

/** A command line that cannot be understood. The message says what would be right. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const help = `Usage: npm run report -- --ledger URL --from DATE --to DATE [flags]

What was used, in normalized GPU-hours.

  --ledger URL       sqlite:PATH or postgres://...
  --from DATE        a date, or an RFC 3339 instant
  --to DATE          the same; a date is inclusive
  --time-zone ZONE   where dates begin (default UTC; use that of the pool)
  --quota NAME       this quota and its children only
  --by LIST          some of ${dimensions.join(',')} (default quota,class)
  --format FORMAT    ${formats.join(', ')} (default table); focus: CSV with the columns of FOCUS
`;

/** @throws UsageError */
export function parseReportArguments(args: readonly string[]): ReportArguments {
  const values = flagsOf(args);
  const zone = values['time-zone'] ?? 'UTC';
  const from = moment('from', values.from, (text) => parseInstant(text, zone));
  const to = moment('to', values.to, (text) => parsePeriodEnd(text, zone));
  if (to <= from) throw new UsageError('--to lies before --from');
  const by = (values.by ?? 'quota,class').split(',');
  const strange = by.find((name) => !dimensions.some((dimension) => dimension === name));
  if (strange !== undefined) throw new UsageError(`--by ${strange}: use some of ${dimensions.join(',')}`);
  const format = formats.find((name) => name === (values.format ?? 'table'));
  if (format === undefined) throw new UsageError(`--format: use one of ${formats.join(', ')}`);
  if (values.ledger === undefined) throw new UsageError('--ledger is missing: sqlite:PATH or postgres://...');
  return { ledger: values.ledger, from, to, quota: values.quota, by: by as Dimension[], format };
}

function flagsOf(args: readonly string[]) {
  const type = 'string' as const;
  const options = {
    ledger: { type },
    from: { type },
    to: { type },
    'time-zone': { type },
    quota: { type },
    by: { type },
    format: { type },
  };
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function moment(flag: string, text: string | undefined, read: (text: string) => number | undefined): number {
  if (text === undefined) throw new UsageError(`--${flag} is missing: give a date such as 2026-03-01`);
  const at = read(text);
  if (at === undefined) throw new UsageError(`--${flag} ${text}: give a date such as 2026-03-01, or check --time-zone`);
  return at;
}
