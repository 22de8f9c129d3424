import { AccountTable } from './accounts.ts';
import type { Query } from './engines/database.ts';
import type { Interval, IntervalKey } from './interval.ts';
import { intervalColumns, names, readInterval } from './rows.ts';

/** Which intervals are asked for. Times are epoch milliseconds. */
export interface IntervalQuery {
  readonly from: number;
  /** First moment after the time that is asked for. */
  readonly to: number;
  /** Of this quota and its children only; undefined = all. */
  readonly quota?: string;
  /** Goes on behind this one: the last of the page before. */
  readonly after?: IntervalKey;
}

/** Intervals of one page. */
const pageSize = 5000;

/**
 * The intervals that lie at least in part within the time, whole, by pod, class and start: what a statement is made of.
 * At most 5,000 at a time; a page that is empty is the last.
 */
export async function intervalPage(query: Query, asked: IntervalQuery): Promise<readonly Interval[]> {
  const { from, to, quota, after } = asked;
  const accounts = await AccountTable.load(query);
  const ids = accounts.idsOf(quota);
  if (ids.length === 0) return [];
  const rows = await query(
    `select ${names(intervalColumns)} from intervals
     where (pod_uid, class, start_ms) > ($1, $2, $3) and account_id in (${ids.join(', ')})
       and start_ms < $4 and (end_ms is null or end_ms > $5)
     order by pod_uid, class, start_ms limit ${pageSize}`,
    [after?.podUid ?? '', after?.class ?? '', after?.start ?? 0, to, from],
  );
  return rows.map((row) => readInterval(row, accounts));
}
