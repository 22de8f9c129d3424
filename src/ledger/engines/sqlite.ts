import { DatabaseSync, type StatementSync } from 'node:sqlite';

import { LedgerError } from '../errors.ts';
import type { Database, Query, Row } from './database.ts';

/** More than the hot pages of a year's totals; beyond it the kernel's page cache serves. */
const cacheKibibytes = 64 * 1024;

/** Pods have random uids, so a batch touches as many pages as intervals: they are moved into place some batches at once. */
const checkpointPages = 10_000;

/** How long another process, a report for instance, may hold the file before a statement fails. */
const busyMs = 5000;

/**
 * A ledger in one file, by the SQLite that is part of Node. It blocks its thread: the operator runs it in one of its own.
 * A commit is on the disk when it is told (synchronous FULL); readers do not disturb the writer (write-ahead log).
 *
 * @param path a file, created when missing, in a folder that exists
 * @throws LedgerError Unavailable when the file cannot be opened
 */
export function openSqlite(path: string): Database {
  const file = guarded(() => {
    const opened = new DatabaseSync(path, { timeout: busyMs });
    opened.exec(
      `pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -${cacheKibibytes}; pragma wal_autocheckpoint = ${checkpointPages}`,
    );
    return opened;
  });
  const statements = new Map<string, StatementSync>();
  const statement = (sql: string): StatementSync => {
    let found = statements.get(sql);
    if (found === undefined) {
      // SQLite takes $1 for a name; ?1 is the first parameter.
      found = file.prepare(sql.replaceAll('$', '?'));
      found.setReadBigInts(true);
      statements.set(sql, found);
    }
    return found;
  };
  const query: Query = (sql, parameters = []) =>
    new Promise((resolve) => {
      resolve(guarded(() => statement(sql).all(...parameters) as unknown as readonly Row[]));
    });
  /** One connection has one transaction at a time. */
  let last: Promise<unknown> = Promise.resolve();
  const within = <T>(begin: string, work: (query: Query) => Promise<T>): Promise<T> => {
    const result = last.then(async () => {
      guarded(() => file.exec(begin));
      try {
        const value = await work(query);
        guarded(() => file.exec('commit'));
        return value;
      } catch (error) {
        if (file.isTransaction) file.exec('rollback');
        throw error;
      }
    });
    last = result.catch(() => undefined);
    return result;
  };
  return {
    elements: 'json_each($1) as e',
    clustered: ' without rowid',
    // Immediate: a transaction that finds out at its first write that another process writes could not wait for it.
    transaction: (work) => within('begin immediate', work),
    read: (work) => within('begin', work),
    close: () => last.then(() => file.close()),
  };
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new LedgerError('Unavailable', `SQLite: ${message}`, error);
  }
}
