import postgres from 'postgres';

import { LedgerError } from '../errors.ts';
import type { Database, Query, Row, SqlValue } from './database.ts';

const connectSeconds = 10;

/** A statement that takes longer is a server in trouble: it is given up, on the server as well. */
const statementMs = 60_000;

/**
 * A ledger in PostgreSQL. Nothing is sent before the first statement, so a server that is away is met there and not here.
 *
 * @param url `postgres://user:password@host:port/database`, with `?sslmode=require` and the like where needed
 */
export function openPostgres(url: string): Database {
  const sql = postgres(url, {
    // One writes, one reads for a report meanwhile.
    max: 2,
    connect_timeout: connectSeconds,
    idle_timeout: 300,
    // A failed write is repeated by the writer, which knows how long it has waited.
    backoff: false,
    connection: { application_name: 'moa', statement_timeout: statementMs },
    onnotice: () => undefined,
  });
  const queryOn =
    (connection: postgres.ISql): Query =>
    (statement, parameters = []) =>
      guarded(async () => {
        const rows = await connection.unsafe(statement, [...parameters] as SqlValue[] as never[], { prepare: true });
        return rows as readonly Row[];
      });
  const within = <T>(mode: string, work: (query: Query) => Promise<T>): Promise<T> =>
    guarded(async () => {
      // In an object, as the driver would await every member of an array.
      const { value } = await sql.begin(mode, async (connection) => ({ value: await work(queryOn(connection)) }));
      return value;
    });
  return {
    elements: 'jsonb_array_elements(cast(cast($1 as text) as jsonb)) as e(value)',
    clustered: '',
    transaction: (work) => within('read write', work),
    read: (work) => within('isolation level repeatable read read only', work),
    close: () => sql.end({ timeout: 5 }),
  };
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LedgerError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new LedgerError('Unavailable', `PostgreSQL: ${message}`, error);
  }
}
