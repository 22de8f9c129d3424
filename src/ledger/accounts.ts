import { integer, text, type Query, type Row } from './engines/database.ts';
import { accountKey, type Account } from './interval.ts';

/** The accounts of the store, by id and by what they are. There are some hundreds, at most thousands. */
export class AccountTable {
  readonly #byId = new Map<number, Account>();
  readonly #ids = new Map<string, number>();

  static async load(query: Query): Promise<AccountTable> {
    const table = new AccountTable();
    for (const row of await query('select id, pool, time_zone, quotas from accounts'))
      table.#put(integer(row['id']), readAccount(row));
    return table;
  }

  /** The account of an id that a row of the store names. */
  get(id: number): Account {
    const account = this.#byId.get(id);
    if (account === undefined) throw new RangeError(`the ledger has no account ${id}`);
    return account;
  }

  /** Ids of all accounts, those of other quotas left out where one is named: its own and those of its children stay. */
  idsOf(quota: string | undefined): number[] {
    const all = [...this.#byId];
    return all.filter(([, { quotas }]) => quota === undefined || quotas.includes(quota)).map(([id]) => id);
  }

  /** The id of an account that the store has; undefined when it has not. */
  idOf(account: Account): number | undefined {
    return this.#ids.get(accountKey(account));
  }

  /** The id of an account, which is written when the store has it not: to be called in the transaction that needs it. */
  async require(query: Query, account: Account): Promise<number> {
    const known = this.idOf(account);
    if (known !== undefined) return known;
    const id = Math.max(0, ...this.#byId.keys()) + 1;
    const { pool, timeZone, quotas } = account;
    await query('insert into accounts (id, pool, time_zone, quotas) values ($1, $2, $3, $4)', [
      id,
      pool,
      timeZone,
      quotas.join('/'),
    ]);
    this.#put(id, account);
    return id;
  }

  #put(id: number, account: Account): void {
    this.#byId.set(id, account);
    this.#ids.set(accountKey(account), id);
  }
}

function readAccount(row: Row): Account {
  return { pool: text(row['pool']), timeZone: text(row['time_zone']), quotas: text(row['quotas']).split('/') };
}
