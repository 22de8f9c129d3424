import { integer, type Database } from './engines/database.ts';
import { LedgerError } from './errors.ts';

/**
 * The schema, step by step, in SQL that SQLite and PostgreSQL both read. A step once released never changes; a change
 * is a further step. Times are epoch milliseconds.
 */
const migrations: readonly ((clustered: string) => readonly string[])[] = [
  (clustered) => [
    // Who leads, and until when its view of the pods was fresh.
    'create table ledger_state (id smallint primary key, term bigint not null, seen_ms bigint not null)',
    'insert into ledger_state (id, term, seen_ms) values (1, 0, 0)',
    // quotas: names from own to topmost, joined by a slash.
    `create table accounts (
      id integer primary key,
      pool text not null,
      time_zone text not null,
      quotas text not null,
      unique (pool, time_zone, quotas)
    )`,
    // user_name: empty when there is none. kind: 0 guaranteed, 1 borrowed. end_ms: null while open.
    `create table intervals (
      pod_uid text not null,
      class text not null,
      start_ms bigint not null,
      end_ms bigint,
      unobserved smallint not null,
      account_id integer not null,
      workload text not null,
      user_name text not null,
      node text not null,
      milli_devices bigint not null,
      weight bigint not null,
      kind smallint not null,
      charge_factor bigint not null,
      primary key (pod_uid, class, start_ms)
    )${clustered}`,
    'create index intervals_by_end on intervals (account_id, end_ms)',
    'create index intervals_open on intervals (account_id) where end_ms is null',
    // Sums over the closed intervals: device_ms is milli-devices times milliseconds. The last key column is the start of
    // the day or month, so that a total over time reads neighbours and needs no sorting.
    ...['use_by_day', 'use_by_month'].map(
      (table) => `create table ${table} (
        account_id integer not null,
        class text not null,
        weight bigint not null,
        kind smallint not null,
        charge_factor bigint not null,
        user_name text not null,
        slot_ms bigint not null,
        device_ms bigint not null,
        primary key (account_id, class, weight, kind, charge_factor, user_name, slot_ms)
      )${clustered}`,
    ),
  ],
  (clustered) => [
    // Sums are milli-GPUs times milliseconds; see InvestmentStretch.
    `create table investment_stretches (
      investment text not null,
      start_ms bigint not null,
      end_ms bigint not null,
      account_id integer not null,
      contributed bigint not null,
      delivered bigint not null,
      entitled bigint not null,
      effective bigint not null,
      used bigint not null,
      lent bigint not null,
      primary key (investment, start_ms)
    )${clustered}`,
    `create table investor_waits (
      investment text not null,
      workload text not null,
      at_ms bigint not null,
      account_id integer not null,
      seconds bigint not null,
      breach smallint not null,
      primary key (investment, workload, at_ms)
    )${clustered}`,
  ],
];

/**
 * Brings the database to the schema of this version, each step in a transaction of its own. Two processes that do so at
 * once cannot harm: one fails, and finds the work done when it tries again.
 *
 * @throws LedgerError TooNew when a later version was here
 */
export async function migrate(database: Database): Promise<void> {
  const version = await database.transaction(async (query) => {
    await query('create table if not exists ledger_migrations (version integer primary key)');
    const [row] = await query('select coalesce(max(version), 0) as version from ledger_migrations');
    return integer(row?.['version']);
  });
  if (version > migrations.length)
    throw new LedgerError(
      'TooNew',
      `the ledger has schema ${version}, this version of Moa knows ${migrations.length}: use the later version`,
    );
  for (const [i, step] of migrations.entries()) {
    if (i < version) continue;
    await database.transaction(async (query) => {
      await query('insert into ledger_migrations (version) values ($1)', [i + 1]);
      for (const statement of step(database.clustered)) await query(statement);
    });
  }
}
