import { micros, milli, type CalendarSlot, type Micro, type MilliGpus } from '../core/units/index.ts';
import { AccountTable } from './accounts.ts';
import { integer, optional, text, type Query, type Row } from './engines/database.ts';
import type { Account, HoldingKind, Interval } from './interval.ts';
import { intervalColumns, names, readInterval, readKind, readUser } from './rows.ts';
import { SlotBook, type Grain } from './slots.ts';
import { useTables } from './totals.ts';

/** What is asked of the ledger. Times are epoch milliseconds. */
export interface UsageQuery {
  readonly from: number;
  /** First moment after the time that is asked for. */
  readonly to: number;
  /** What is open counts until then. */
  readonly at: number;
  /** This quota and its children only; undefined = all. */
  readonly quota?: string;
  /** Whether the users are told apart. */
  readonly users?: boolean;
  /** Told apart by day or month of the pool's time zone; undefined = one sum over the whole time. */
  readonly per?: Grain;
}

/** Device time of one account, class and price, and of one user and slot where those were asked for. */
export interface UsageRow {
  readonly account: Account;
  readonly class: string;
  readonly weight: MilliGpus;
  readonly kind: HoldingKind;
  readonly chargeFactor: Micro;
  /** Undefined when users were not asked for, and for pods without the label. */
  readonly user: string | undefined;
  /** Start of the day or month; undefined when none were asked for. */
  readonly slot: number | undefined;
  /** Thousandths of devices times milliseconds. */
  readonly deviceMs: bigint;
}

/**
 * Device time within [from, to), exact to the millisecond. Whole days (months, where users are told apart) come from the
 * totals; the pieces at both ends, and what is open, come from the intervals themselves.
 *
 * Users by day come from the intervals alone: ask for a quota or for a short time, as every interval is read.
 *
 * @param query runs within one transaction, so that nothing closes between two statements
 */
export async function usage(query: Query, asked: UsageQuery): Promise<readonly UsageRow[]> {
  const accounts = await AccountTable.load(query);
  const slots = new SlotBook();
  const sums = new Sums(asked, slots);
  const table = tableFor(asked);
  for (const [timeZone, ids] of Map.groupBy(accounts.idsOf(asked.quota), (id) => accounts.get(id).timeZone)) {
    const among = `account_id in (${ids.join(', ')})`;
    const intervals = async (condition: string, times: readonly number[]): Promise<Interval[]> => {
      const rows = await query(
        `select ${names(intervalColumns)} from intervals where ${among} and ${condition}`,
        times,
      );
      return rows.map((row) => readInterval(row, accounts));
    };

    const whole = table === undefined ? undefined : slots.of(table.grain, timeZone).whole(asked.from, asked.to);
    if (table !== undefined && whole !== undefined)
      for (const row of await wholeSlots(query, { asked, table: table.table, among }, whole))
        sums.add(readUse(row, accounts), deviceMsOf(row));

    for (const piece of around(asked, whole))
      for (const interval of await intervals('end_ms > $1 and start_ms < $2', [piece.start, piece.end]))
        sums.addInterval(interval, piece, interval.end ?? piece.start);

    for (const interval of await intervals('end_ms is null and start_ms < $1', [asked.to]))
      sums.addInterval(interval, { start: asked.from, end: asked.to }, asked.at);
  }
  return sums.rows();
}

/** The totals that answer the question; undefined = none do. */
function tableFor({ users = false, per }: UsageQuery): (typeof useTables)[number] | undefined {
  const grain = per ?? (users ? 'month' : 'day');
  return useTables.find((table) => table.grain === grain && (table.users || !users));
}

/** What of the time that is asked for the whole slots leave. */
function around({ from, to }: UsageQuery, whole: CalendarSlot | undefined): CalendarSlot[] {
  if (whole === undefined) return [{ start: from, end: to }];
  const pieces = [
    { start: from, end: whole.start },
    { start: whole.end, end: to },
  ];
  return pieces.filter(({ start, end }) => start < end);
}

/** Sums of a table of totals over the slots that start in the range. */
function wholeSlots(
  query: Query,
  { asked, table, among }: { readonly asked: UsageQuery; readonly table: string; readonly among: string },
  range: CalendarSlot,
): Promise<readonly Row[]> {
  const columns = ['account_id', 'class', 'weight', 'kind', 'charge_factor'];
  if (asked.users === true) columns.push('user_name');
  if (asked.per !== undefined) columns.push('slot_ms');
  // Two sums: a year of a whole nation's devices in milli-device milliseconds exceeds 64 bits.
  return query(
    `select ${columns.join(', ')}, sum(device_ms / ${half}) as high, sum(device_ms % ${half}) as low
     from ${table} where ${among} and slot_ms >= $1 and slot_ms < $2 group by ${columns.join(', ')}`,
    [range.start, range.end],
  );
}

const half = 1_000_000_000n;

function deviceMsOf(row: Row): bigint {
  return BigInt(text(row['high'])) * half + BigInt(text(row['low']));
}

function readUse(row: Row, accounts: AccountTable): UsageKey {
  return {
    account: accounts.get(integer(row['account_id'])),
    class: text(row['class']),
    weight: milli(integer(row['weight'])),
    kind: readKind(row),
    chargeFactor: micros(integer(row['charge_factor'])),
    user: row['user_name'] === undefined ? undefined : readUser(row),
    slot: optional(row['slot_ms'], integer),
  };
}

type UsageKey = Omit<UsageRow, 'deviceMs'>;

/** Adds up what has the same key. */
class Sums {
  readonly #rows = new Map<string, UsageKey & { deviceMs: bigint }>();
  readonly #accounts = new Map<Account, number>();
  readonly #asked: UsageQuery;
  readonly #slots: SlotBook;

  constructor(asked: UsageQuery, slots: SlotBook) {
    this.#asked = asked;
    this.#slots = slots;
  }

  add({ account, class: accelerator, weight, kind, chargeFactor, user, slot }: UsageKey, deviceMs: bigint): void {
    let number = this.#accounts.get(account);
    if (number === undefined) this.#accounts.set(account, (number = this.#accounts.size));
    const key = `${number} ${accelerator} ${weight} ${kind} ${chargeFactor} ${slot ?? ''} ${user ?? ''}`;
    const known = this.#rows.get(key);
    if (known === undefined)
      this.#rows.set(key, { account, class: accelerator, weight, kind, chargeFactor, user, slot, deviceMs });
    else known.deviceMs += deviceMs;
  }

  /** Adds the part of an interval that lies within the range and before `end`. */
  addInterval(interval: Interval, range: CalendarSlot, end: number): void {
    const { users = false, per } = this.#asked;
    const from = Math.max(range.start, interval.start);
    const to = Math.min(range.end, end);
    const user = users ? interval.user : undefined;
    const add = (slot: number | undefined, milliseconds: number): void =>
      this.add({ ...interval, user, slot }, BigInt(milliseconds * interval.milliDevices));
    if (from >= to) return;
    if (per === undefined) add(undefined, to - from);
    else this.#slots.of(per, interval.account.timeZone).pieces(from, to, add);
  }

  rows(): UsageRow[] {
    return [...this.#rows.values()];
  }
}
