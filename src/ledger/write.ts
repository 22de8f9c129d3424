import { applyEntries, holdersOf } from './batch.ts';
import type { Entry, HoldingEntry, InvestmentEntry } from './entry.ts';
import { LedgerError } from './errors.ts';
import type { ClosedInterval, HolderKey, Interval } from './interval.ts';
import { writeInvestments } from './investmentRows.ts';
import {
  givenRows,
  holderColumns,
  intervalColumns,
  intervalValues,
  names,
  readInterval,
  type Columns,
} from './rows.ts';
import { addToTotals, type TotalsContext } from './totals.ts';

/** What a batch changed; what had been written before counts for nothing. */
export interface WriteResult {
  readonly opened: number;
  readonly closed: number;
}

/**
 * Writes entries within a transaction.
 *
 * @throws LedgerError Fenced when a later term has begun
 */
export async function writeEntries(
  context: TotalsContext,
  term: number,
  entries: readonly Entry[],
): Promise<WriteResult> {
  await holdTerm(context, term);
  await writeInvestments(context, entries.filter(isInvestmentEntry));
  const holding = entries.filter(isHoldingEntry);
  const { ended, begun, seenAt } = applyEntries(await intervalsOf(context, holdersOf(holding)), holding);
  if (seenAt > 0) await context.query('update ledger_state set seen_ms = $1 where seen_ms < $2', [seenAt, seenAt]);
  await end(context, ended);
  await insert(context, begun);
  const closed = [...ended, ...begun.filter(isClosed)];
  await addToTotals(context, closed);
  return { opened: begun.length, closed: closed.length };
}

/**
 * Makes sure that the term is still ours, until the transaction ends: the row stays locked, so nobody begins another
 * term in between.
 */
async function holdTerm({ query }: TotalsContext, term: number): Promise<void> {
  const rows = await query('update ledger_state set term = term where term = $1 returning term', [term]);
  if (rows.length === 0) throw new LedgerError('Fenced', `another process writes the ledger: term ${term} is over`);
}

async function intervalsOf(context: TotalsContext, holders: readonly HolderKey[]): Promise<Interval[]> {
  if (holders.length === 0) return [];
  const { query, elements, accounts } = context;
  const rows = await query(
    `select ${names(intervalColumns, 'i.')} from ${givenRows(elements, holderColumns)} v
     join intervals i on i.pod_uid = v.pod_uid and i.class = v.class`,
    [JSON.stringify(holders.map((holder) => [holder.podUid, holder.class]))],
  );
  return rows.map((row) => readInterval(row, accounts));
}

const endColumns = [
  ...holderColumns,
  ['start_ms', 'bigint'],
  ['end_ms', 'bigint'],
  ['unobserved', 'smallint'],
] as const satisfies Columns;

async function end({ query, elements }: TotalsContext, ended: readonly ClosedInterval[]): Promise<void> {
  if (ended.length === 0) return;
  const rows = ended.map((interval) => [
    interval.podUid,
    interval.class,
    interval.start,
    interval.end,
    interval.unobserved ? 1 : 0,
  ]);
  await query(
    `update intervals set end_ms = v.end_ms, unobserved = v.unobserved
     from ${givenRows(elements, endColumns)} v
     where intervals.pod_uid = v.pod_uid and intervals.class = v.class and intervals.start_ms = v.start_ms`,
    [JSON.stringify(rows)],
  );
}

async function insert(context: TotalsContext, begun: readonly Interval[]): Promise<void> {
  if (begun.length === 0) return;
  const { query, elements, accounts } = context;
  const rows: unknown[] = [];
  for (const interval of begun) rows.push(intervalValues(interval, await accounts.require(query, interval.account)));
  await query(
    `insert into intervals (${names(intervalColumns)})
     select ${names(intervalColumns)} from ${givenRows(elements, intervalColumns)} v`,
    [JSON.stringify(rows)],
  );
}

function isClosed(interval: Interval): interval is ClosedInterval {
  return interval.end !== undefined;
}

function isInvestmentEntry(entry: Entry): entry is InvestmentEntry {
  return entry.type === 'invested' || entry.type === 'waited';
}

function isHoldingEntry(entry: Entry): entry is HoldingEntry {
  return !isInvestmentEntry(entry);
}
