import { AccountTable } from './accounts.ts';
import { integer, optional, type Database } from './engines/database.ts';
import { openDatabase } from './engines/open.ts';
import type { Entry } from './entry.ts';
import type { HolderKey, Interval, OpenInterval } from './interval.ts';
import { investmentRows, type InvestmentQuery, type InvestmentRow } from './investmentRows.ts';
import { intervalPage, type IntervalQuery } from './listing.ts';
import { givenRows, holderColumns, intervalColumns, names, readInterval, type Columns } from './rows.ts';
import { migrate } from './schema.ts';
import { SlotBook } from './slots.ts';
import { usage, type UsageQuery, type UsageRow } from './usage.ts';
import { writeEntries, type WriteResult } from './write.ts';

/** What is open, as of one moment. */
export interface OpenState {
  /** Every interval that has not ended, in no particular order. */
  readonly intervals: readonly OpenInterval[];
  /** When all of them were last known to be alive, epoch milliseconds; 0 = never. */
  readonly seenAt: number;
}

/** What the ledger asks of a store. Every call rejects with a LedgerError. */
export interface Store {
  /** Takes the right to write from whoever has it. Returns the number of the term: later ones are greater. */
  begin(): Promise<number>;
  /**
   * Writes entries, in the order in which they happened, all or none. Writing again what has been written changes
   * nothing, and neither does an interval that overlaps another one of its pod and class.
   *
   * @throws LedgerError Fenced when a later term has begun; nothing is written then
   */
  write(term: number, entries: readonly Entry[]): Promise<WriteResult>;
  open(): Promise<OpenState>;
  /** When the last interval of each pod and class ended that has one; in the order of the keys, undefined without one. */
  lastEnds(keys: readonly HolderKey[]): Promise<readonly (number | undefined)[]>;
  /** What was used within a time: see `UsageQuery`. */
  usage(query: UsageQuery): Promise<readonly UsageRow[]>;
  /** The intervals that lie within a time, page by page. */
  intervals(query: IntervalQuery): Promise<readonly Interval[]>;
  /** What became of investments within a time. */
  investments(query: InvestmentQuery): Promise<readonly InvestmentRow[]>;
  close(): Promise<void>;
}

/**
 * Opens the store of a ledger URL, its schema brought up to date, in this thread.
 *
 * @throws LedgerError BadUrl, Unavailable or TooNew
 */
export async function openStore(url: string): Promise<Store> {
  const database = openDatabase(url);
  try {
    await migrate(database);
    return new SqlStore(database);
  } catch (error) {
    await database.close();
    throw error;
  }
}

const placedColumns = [['place', 'integer'], ...holderColumns] as const satisfies Columns;

class SqlStore implements Store {
  readonly #database: Database;
  readonly #slots = new SlotBook();
  /** As of the last transaction that was committed; undefined = to be read. */
  #accounts: AccountTable | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  async begin(): Promise<number> {
    const [row] = await this.#database.transaction((query) =>
      query('update ledger_state set term = term + 1 returning term'),
    );
    return integer(row?.['term']);
  }

  async write(term: number, entries: readonly Entry[]): Promise<WriteResult> {
    const { elements } = this.#database;
    try {
      return await this.#database.transaction(async (query) => {
        const accounts = (this.#accounts ??= await AccountTable.load(query));
        return await writeEntries({ query, elements, accounts, slots: this.#slots }, term, entries);
      });
    } catch (error) {
      this.#accounts = undefined;
      throw error;
    }
  }

  open(): Promise<OpenState> {
    return this.#database.read(async (query) => {
      const accounts = await AccountTable.load(query);
      const [state] = await query('select seen_ms from ledger_state');
      const rows = await query(`select ${names(intervalColumns)} from intervals where end_ms is null`);
      return {
        intervals: rows.map((row) => readInterval(row, accounts) as OpenInterval),
        seenAt: integer(state?.['seen_ms']),
      };
    });
  }

  async lastEnds(keys: readonly HolderKey[]): Promise<readonly (number | undefined)[]> {
    const given = givenRows(this.#database.elements, placedColumns);
    const rows = await this.#database.read((query) =>
      query(
        `select v.place, max(i.end_ms) as end_ms from ${given} v
         join intervals i on i.pod_uid = v.pod_uid and i.class = v.class group by v.place`,
        [JSON.stringify(keys.map((key, place) => [place, key.podUid, key.class]))],
      ),
    );
    const ends = new Map(rows.map((row) => [integer(row['place']), optional(row['end_ms'], integer)]));
    return keys.map((_, place) => ends.get(place));
  }

  usage(asked: UsageQuery): Promise<readonly UsageRow[]> {
    return this.#database.read((query) => usage(query, asked));
  }

  intervals(asked: IntervalQuery): Promise<readonly Interval[]> {
    return this.#database.read((query) => intervalPage(query, asked));
  }

  investments(asked: InvestmentQuery): Promise<readonly InvestmentRow[]> {
    return this.#database.read(async (query) => investmentRows(query, await AccountTable.load(query), asked));
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}
