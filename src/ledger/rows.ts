import { micros, milli } from '../core/units/index.ts';
import type { AccountTable } from './accounts.ts';
import { integer, optional, text, type Row } from './engines/database.ts';
import type { HoldingKind, Interval } from './interval.ts';

/** Columns of an interval, in the order in which `intervalValues` gives them. */
export const intervalColumns = [
  ['pod_uid', 'text'],
  ['class', 'text'],
  ['start_ms', 'bigint'],
  ['end_ms', 'bigint'],
  ['unobserved', 'smallint'],
  ['account_id', 'integer'],
  ['workload', 'text'],
  ['user_name', 'text'],
  ['node', 'text'],
  ['milli_devices', 'bigint'],
  ['weight', 'bigint'],
  ['kind', 'smallint'],
  ['charge_factor', 'bigint'],
] as const satisfies Columns;

/** Columns that name a holder. */
export const holderColumns = [
  ['pod_uid', 'text'],
  ['class', 'text'],
] as const satisfies Columns;

/** Columns of a total over a day or a month. */
export const useColumns = [
  ['account_id', 'integer'],
  ['class', 'text'],
  ['weight', 'bigint'],
  ['kind', 'smallint'],
  ['charge_factor', 'bigint'],
  ['user_name', 'text'],
  ['slot_ms', 'bigint'],
  ['device_ms', 'bigint'],
] as const satisfies Columns;

/** Names of columns and their SQL types. */
export type Columns = readonly (readonly [name: string, type: string])[];

/** The names, as SQL lists them. */
export function names(columns: Columns, prefix = ''): string {
  return columns.map(([name]) => prefix + name).join(', ');
}

/** A table of the rows that parameter `$1` holds as a JSON array of arrays. */
export function givenRows(elements: string, columns: Columns): string {
  const values = columns.map(([name, type], i) => `cast(e.value ->> ${i} as ${type}) as ${name}`);
  return `(select ${values.join(', ')} from ${elements})`;
}

export function intervalValues(interval: Interval, accountId: number): readonly (string | number | null)[] {
  const { podUid, class: accelerator, start, end, unobserved, workload, user, node } = interval;
  const { milliDevices, weight, kind, chargeFactor } = interval;
  return [
    podUid,
    accelerator,
    start,
    end ?? null,
    unobserved ? 1 : 0,
    accountId,
    workload,
    user ?? '',
    node,
    milliDevices,
    weight,
    kinds.indexOf(kind),
    chargeFactor,
  ];
}

export function readInterval(row: Row, accounts: AccountTable): Interval {
  return {
    podUid: text(row['pod_uid']),
    class: text(row['class']),
    start: integer(row['start_ms']),
    end: optional(row['end_ms'], integer),
    unobserved: integer(row['unobserved']) === 1,
    account: accounts.get(integer(row['account_id'])),
    workload: text(row['workload']),
    user: readUser(row),
    node: text(row['node']),
    milliDevices: integer(row['milli_devices']),
    weight: milli(integer(row['weight'])),
    kind: readKind(row),
    chargeFactor: micros(integer(row['charge_factor'])),
  };
}

export function readKind(row: Row): HoldingKind {
  return integer(row['kind']) === 0 ? 'Guaranteed' : 'Borrowed';
}

export function readUser(row: Row): string | undefined {
  const user = text(row['user_name']);
  return user === '' ? undefined : user;
}

/** The number that stands for a kind in the store is its place. */
const kinds: readonly HoldingKind[] = ['Guaranteed', 'Borrowed'];
