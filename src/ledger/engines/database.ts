/** What a parameter may be, and what a row may hold. Integers of any size come back as text or bigint: see `integer`. */
export type SqlValue = string | number | bigint | null;

export type Row = Readonly<Record<string, SqlValue>>;

/** Runs one statement; rejects with a LedgerError, code Unavailable, whatever the cause. Parameters are `$1`, `$2`, ... and each is used once, in this order. */
export type Query = (sql: string, parameters?: readonly SqlValue[]) => Promise<readonly Row[]>;

/**
 * The narrow part that an engine has to bring. All statements of the ledger are written once, in the SQL that both
 * engines speak; what differs between them is in here.
 */
export interface Database {
  /** Text that stands for the table of elements, column `value`, of the JSON array that is given as parameter `$1`. */
  readonly elements: string;
  /** What follows the columns of a table that is kept in the order of its key. */
  readonly clustered: string;
  /**
   * Runs statements that count together or not at all. When it rejects with Unavailable, they may have counted
   * nevertheless: the connection can break between the commit and the news of it.
   */
  transaction<T>(work: (query: Query) => Promise<T>): Promise<T>;
  /** Runs statements that see one state of the store, whatever is written meanwhile. */
  read<T>(work: (query: Query) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** An integer of a row that is known to be below 2^53. */
export function integer(value: SqlValue | undefined): number {
  return Number(value);
}

/** Text of a row. */
export function text(value: SqlValue | undefined): string {
  return String(value);
}

/** `null` of a row as undefined. */
export function optional<T>(value: SqlValue | undefined, read: (value: SqlValue | undefined) => T): T | undefined {
  return value === null || value === undefined ? undefined : read(value);
}
