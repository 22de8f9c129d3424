import type { AccountTable } from './accounts.ts';
import { integer, text, type Query, type Row } from './engines/database.ts';
import type { InvestmentEntry } from './entry.ts';
import { investmentMeasures, type InvestmentMeasure, type InvestmentStretch, type InvestorWait } from './investment.ts';
import type { Account } from './interval.ts';

/** Which investments are asked for, and when. Times are epoch milliseconds. */
export interface InvestmentQuery {
  readonly from: number;
  /** First moment after the time that is asked for. */
  readonly to: number;
  /** Investments of this quota and its children only; undefined = all. */
  readonly quota?: string;
}

/** What became of an investment within a time. One whose investor moved to another parent has several. */
export interface InvestmentRow {
  /** The account of the investor's quota. */
  readonly account: Account;
  readonly investment: string;
  /** For how much of the time it was followed, milliseconds: it was in its term, and the operator was there to see. */
  readonly recordedMs: number;
  /** Milli-GPUs times milliseconds. */
  readonly sums: Readonly<Record<InvestmentMeasure, bigint>>;
  /** How often its investor waited for so long, the shortest first. */
  readonly waits: readonly InvestorWaits[];
}

/** Waits of the same length. */
export interface InvestorWaits {
  readonly seconds: number;
  readonly count: number;
  /** Of these, how many were longer than promised. */
  readonly breaches: number;
}

/** A transaction that writes. */
interface WriteContext {
  readonly query: Query;
  readonly accounts: AccountTable;
}

/** Writes what comes of investments. Again what has been written, or a shorter view of a stretch, changes nothing. */
export async function writeInvestments(context: WriteContext, entries: readonly InvestmentEntry[]): Promise<void> {
  const longest = new Map<string, InvestmentStretch>();
  for (const entry of entries) {
    if (entry.type === 'waited') {
      await writeWait(context, entry.wait);
      continue;
    }
    const { stretch } = entry;
    const key = `${stretch.investment} ${stretch.start}`;
    if (stretch.end > (longest.get(key)?.end ?? -Infinity)) longest.set(key, stretch);
  }
  for (const stretch of longest.values()) await writeStretch(context, stretch);
}

/** A stretch that overlaps another one of the investment is refused: no time counts twice. */
async function writeStretch({ query, accounts }: WriteContext, stretch: InvestmentStretch): Promise<void> {
  const { account, investment, start, end, sums } = stretch;
  const values = investmentMeasures.map((measure) => sums[measure]);
  const places = values.map((_, i) => `cast($${i + 5} as bigint)`).join(', ');
  await query(
    `insert into investment_stretches (investment, start_ms, end_ms, account_id, ${investmentMeasures.join(', ')})
     select cast($1 as text), cast($2 as bigint), cast($3 as bigint), cast($4 as integer), ${places}
     where not exists (
       select 1 from investment_stretches s
       where s.investment = $11 and s.start_ms <> $12 and s.start_ms < $13 and s.end_ms > $14
     )
     on conflict (investment, start_ms) do update set end_ms = excluded.end_ms,
       ${investmentMeasures.map((measure) => `${measure} = excluded.${measure}`).join(', ')}
     where excluded.end_ms > investment_stretches.end_ms`,
    [investment, start, end, await accounts.require(query, account), ...values, investment, start, end, start],
  );
}

async function writeWait({ query, accounts }: WriteContext, wait: InvestorWait): Promise<void> {
  const { account, investment, workload, at, seconds, breach } = wait;
  await query(
    `insert into investor_waits (investment, workload, at_ms, account_id, seconds, breach)
     values ($1, $2, $3, $4, $5, $6) on conflict (investment, workload, at_ms) do nothing`,
    [investment, workload, at, await accounts.require(query, account), seconds, breach ? 1 : 0],
  );
}

/**
 * What became of investments within [from, to), in the order of their names. Of an hour that lies in it only in part,
 * the part counts in proportion, rounded down; whole hours of the pool's time zone are exact.
 */
export async function investmentRows(
  query: Query,
  accounts: AccountTable,
  { from, to, quota }: InvestmentQuery,
): Promise<readonly InvestmentRow[]> {
  const ids = accounts.idsOf(quota);
  if (ids.length === 0) return [];
  const among = `account_id in (${ids.join(', ')})`;
  const found = new Map<string, InvestmentDraft>();
  const draftOf = (row: Row): InvestmentDraft => {
    const key = `${text(row['investment'])} ${text(row['account_id'])}`;
    let draft = found.get(key);
    if (draft === undefined) found.set(key, (draft = emptyDraft(row, accounts)));
    return draft;
  };
  for (const row of await wholeStretches(query, among, [from, to])) {
    const draft = draftOf(row);
    draft.recordedMs += integer(row['recorded_ms']);
    for (const measure of investmentMeasures)
      draft.sums[measure] += BigInt(text(row[`${measure}_high`])) * half + BigInt(text(row[`${measure}_low`]));
  }
  for (const row of await cutStretches(query, among, [from, to])) {
    const draft = draftOf(row);
    const [start, end] = [integer(row['start_ms']), integer(row['end_ms'])];
    const inside = Math.min(end, to) - Math.max(start, from);
    draft.recordedMs += inside;
    for (const measure of investmentMeasures)
      draft.sums[measure] += (BigInt(text(row[measure])) * BigInt(inside)) / BigInt(end - start);
  }
  const waits = await query(
    `select investment, account_id, seconds, count(*) as waits, sum(breach) as breaches from investor_waits
     where ${among} and at_ms >= $1 and at_ms < $2 group by investment, account_id, seconds order by seconds`,
    [from, to],
  );
  for (const row of waits)
    draftOf(row).waits.push({
      seconds: integer(row['seconds']),
      count: integer(row['waits']),
      breaches: integer(row['breaches']),
    });
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, draft]) => draft);
}

interface InvestmentDraft extends InvestmentRow {
  recordedMs: number;
  readonly sums: Record<InvestmentMeasure, bigint>;
  readonly waits: InvestorWaits[];
}

function emptyDraft(row: Row, accounts: AccountTable): InvestmentDraft {
  return {
    account: accounts.get(integer(row['account_id'])),
    investment: text(row['investment']),
    recordedMs: 0,
    sums: { contributed: 0n, delivered: 0n, entitled: 0n, effective: 0n, used: 0n, lent: 0n },
    waits: [],
  };
}

const half = 1_000_000_000n;

function wholeStretches(query: Query, among: string, [from, to]: readonly [number, number]): Promise<readonly Row[]> {
  // Two sums: years of a large investment exceed 64 bits.
  const sums = investmentMeasures.map(
    (measure) => `sum(${measure} / ${half}) as ${measure}_high, sum(${measure} % ${half}) as ${measure}_low`,
  );
  return query(
    `select investment, account_id, sum(end_ms - start_ms) as recorded_ms, ${sums.join(', ')}
     from investment_stretches where ${among} and start_ms >= $1 and end_ms <= $2 group by investment, account_id`,
    [from, to],
  );
}

/** Those that only a part of lies within the time. */
function cutStretches(query: Query, among: string, [from, to]: readonly [number, number]): Promise<readonly Row[]> {
  return query(
    `select investment, account_id, start_ms, end_ms, ${investmentMeasures.join(', ')} from investment_stretches
     where ${among} and ((start_ms < $1 and end_ms > $2) or (start_ms < $3 and end_ms > $4 and start_ms >= $5))`,
    [from, from, to, to, from],
  );
}
