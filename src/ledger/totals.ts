import type { AccountTable } from './accounts.ts';
import type { Query } from './engines/database.ts';
import type { ClosedInterval } from './interval.ts';
import { givenRows, names, useColumns } from './rows.ts';
import type { Grain, SlotBook } from './slots.ts';

/** The totals that are kept beside the intervals: by day without users, by month with them. */
export const useTables = [
  { grain: 'day', table: 'use_by_day', users: false },
  { grain: 'month', table: 'use_by_month', users: true },
] as const satisfies readonly { readonly grain: Grain; readonly table: string; readonly users: boolean }[];

/** A transaction, and what it takes to add to the totals within it. */
export interface TotalsContext {
  readonly query: Query;
  /** See `Database`. */
  readonly elements: string;
  readonly accounts: AccountTable;
  readonly slots: SlotBook;
}

/**
 * Adds intervals that have just been closed to the totals. To be called in the transaction that closes them, and for
 * those only that it did close: so the totals are the sum of the closed intervals at every moment.
 */
export async function addToTotals(
  { query, elements, accounts, slots }: TotalsContext,
  intervals: readonly ClosedInterval[],
): Promise<void> {
  for (const { grain, table, users } of useTables) {
    const cells = new Map<string, bigint>();
    for (const interval of intervals) {
      const { account, class: accelerator, weight, kind, chargeFactor, user, milliDevices } = interval;
      const key = [accounts.idOf(account), accelerator, weight, kind === 'Borrowed' ? 1 : 0, chargeFactor];
      const owner = users ? (user ?? '') : '';
      slots.of(grain, account.timeZone).pieces(interval.start, interval.end, (slot, milliseconds) => {
        const cell = JSON.stringify([...key, owner, slot]);
        // Milliseconds of one slot times milli-devices of one pod stay far below 2^53.
        cells.set(cell, (cells.get(cell) ?? 0n) + BigInt(milliseconds * milliDevices));
      });
    }
    if (cells.size === 0) continue;
    const rows = [...cells].map(([cell, deviceMs]) => `${cell.slice(0, -1)},"${deviceMs}"]`);
    await query(
      `insert into ${table} (${names(useColumns)}) select ${names(useColumns)} from ${givenRows(elements, useColumns)} v
       where true on conflict (${names(useColumns.slice(0, -1))})
       do update set device_ms = ${table}.device_ms + excluded.device_ms`,
      [`[${rows.join(',')}]`],
    );
  }
}
