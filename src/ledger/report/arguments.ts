import { parseArgs } from 'node:util';

import { parseInstant, parsePeriodEnd } from '../../core/units/index.ts';
import { dimensions, type Dimension } from './statement.ts';

const subjects = ['usage', 'intervals', 'investments'] as const;
const formats = ['table', 'csv', 'focus'] as const;

/** As the operator has it. */
const defaultLedger = 'sqlite:moa-ledger.sqlite';

/** What a report is about. */
export interface ReportArguments {
  readonly subject: (typeof subjects)[number];
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

export const help = `Usage: npm run report -- [SUBJECT] --from DATE --to DATE [flags]

Accounts of a ledger. Amounts are normalized GPU-hours with three decimals, rounded down line by line.

Subjects:
  usage         what was used and charged (default)
  intervals     what the charges are made of: one line for each time that a pod held devices on unchanging terms; CSV
  investments   what each MatchingInvestment brought and bought, and what became of it

Flags:
  --ledger URL       sqlite:PATH or postgres://... (default: the environment variable MOA_LEDGER, else ${defaultLedger})
  --from DATE        a date, or an RFC 3339 instant
  --to DATE          the same; a date is inclusive
  --time-zone ZONE   where dates begin (default UTC; use that of the pool)
  --quota NAME       this quota and its children only
  --by LIST          for usage: some of ${dimensions.join(',')} (default quota,class)
  --format FORMAT    table or csv (default table; intervals: csv), for usage also focus: CSV with the columns of FOCUS
  --help             this text

Examples:
  npm run report -- --from 2026-03-01 --to 2026-03-31 --time-zone Asia/Seoul
  npm run report -- --quota kaist --by user,day --format csv ...
  npm run report -- investments --from 2026-01-01 --to 2026-12-31 ...
`;

/**
 * @param ledger URL of the ledger that serves when the arguments name none; undefined = the default does
 * @throws UsageError
 */
export function parseReportArguments(args: readonly string[], ledger?: string): ReportArguments {
  const { values, positionals } = read(args);
  const [word = 'usage', ...more] = positionals;
  const subject = oneOf('the subject', word, subjects);
  if (more.length > 0) throw new UsageError(`one subject at a time: ${more.join(' ')} is too much`);
  const zone = values['time-zone'] ?? 'UTC';
  if (parseInstant('2026-01-01', zone) === undefined)
    throw new UsageError(`--time-zone ${zone} is unknown: use a name such as Asia/Seoul`);
  const from = moment('from', values.from, (text) => parseInstant(text, zone));
  const to = moment('to', values.to, (text) => parsePeriodEnd(text, zone));
  if (to <= from) throw new UsageError('--to lies before --from');
  return {
    subject,
    ledger: values.ledger ?? ledger ?? defaultLedger,
    from,
    to,
    quota: values.quota,
    by: dimensionsOf(subject, values.by),
    format: formatOf(subject, values.format),
  };
}

function dimensionsOf(subject: ReportArguments['subject'], list: string | undefined): readonly Dimension[] {
  if (list !== undefined && subject !== 'usage') throw new UsageError(`--by is for usage, not for ${subject}`);
  return (list ?? 'quota,class').split(',').map((name) => oneOf('--by', name, dimensions));
}

function formatOf(subject: ReportArguments['subject'], name: string | undefined): ReportArguments['format'] {
  const format = oneOf('--format', name ?? (subject === 'intervals' ? 'csv' : 'table'), formats);
  if (format === 'focus' && subject !== 'usage')
    throw new UsageError(`--format focus is for usage, not for ${subject}`);
  if (format === 'table' && subject === 'intervals')
    throw new UsageError('--format table: intervals are listed as csv');
  return format;
}

function oneOf<T extends string>(what: string, given: string, known: readonly T[]): T {
  const found = known.find((name) => name === given);
  if (found === undefined) throw new UsageError(`${what} ${given}: use ${known.join(', ')}`);
  return found;
}

function read(args: readonly string[]) {
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
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function moment(flag: string, text: string | undefined, parse: (text: string) => number | undefined): number {
  if (text === undefined) throw new UsageError(`--${flag} is missing: give a date such as 2026-03-01`);
  const at = parse(text);
  if (at === undefined)
    throw new UsageError(
      `--${flag} ${text}: give a date such as 2026-03-01, or an instant such as 2026-03-01T09:00:00Z`,
    );
  return at;
}
