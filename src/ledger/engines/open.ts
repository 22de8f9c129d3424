import { LedgerError } from '../errors.ts';
import type { Database } from './database.ts';
import { openPostgres } from './postgres.ts';
import { openSqlite } from './sqlite.ts';

/**
 * The database of a ledger URL: `sqlite:PATH` or `postgres://...` (`postgresql://` as well).
 *
 * @throws LedgerError BadUrl for anything else, Unavailable when a file cannot be opened
 */
export function openDatabase(url: string): Database {
  const scheme = /^[a-z]+:/.exec(url)?.[0];
  if (scheme === 'sqlite:' && url.length > scheme.length) return openSqlite(url.slice(scheme.length));
  if (scheme === 'postgres:' || scheme === 'postgresql:') return openPostgres(url);
  throw new LedgerError('BadUrl', `${scheme ?? 'this'} is no ledger: use sqlite:PATH or postgres://HOST/DATABASE`);
}
