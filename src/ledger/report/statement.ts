import { dateAt, oneMicro } from '../../core/units/index.ts';
import { addCharges, chargeFor, noCharge, type Charge } from '../../core/budget/index.ts';
import type { UsageQuery, UsageRow } from '../usage.ts';

/** By what a statement tells use apart. A quota's line includes its children's use, so lines of quotas do not add up. */
export const dimensions = ['pool', 'quota', 'user', 'class', 'day', 'month'] as const;

export type Dimension = (typeof dimensions)[number];

/** One line of a statement. */
export interface StatementLine {
  /** Values of the dimensions, in the order in which they were asked for. Days and months are dates of the pool's zone. */
  readonly key: readonly string[];
  /** Thousandths of devices times milliseconds. */
  readonly deviceMs: bigint;
  /** Normalized GPU time within the guarantee, at the weights in force. */
  readonly guaranteed: Charge;
  /** Normalized GPU time that was lent, before any factor. */
  readonly borrowed: Charge;
  /** What both come to with the pool's `borrowedChargeFactor`: what budgets are charged. */
  readonly charged: Charge;
}

/** What to ask the store for a statement by these dimensions. */
export function questionFor(by: readonly Dimension[]): Pick<UsageQuery, 'users' | 'per'> {
  const users = by.includes('user');
  if (by.includes('day')) return { users, per: 'day' };
  return by.includes('month') ? { users, per: 'month' } : { users };
}

/**
 * Adds up rows of the store by some dimensions, in the order of their keys. Exact: see `Charge`.
 *
 * @param rows what the store answered to `questionFor` the same dimensions
 */
export function statement(rows: readonly UsageRow[], by: readonly Dimension[]): StatementLine[] {
  const lines = new Map<string, StatementLine>();
  for (const row of rows) {
    const full = chargeFor(row.deviceMs, { weight: row.weight, chargeFactor: oneMicro });
    const isBorrowed = row.kind === 'Borrowed';
    for (const key of keysOf(row, by)) {
      const id = JSON.stringify(key);
      const line = lines.get(id) ?? { key, deviceMs: 0n, guaranteed: noCharge, borrowed: noCharge, charged: noCharge };
      lines.set(id, {
        key,
        deviceMs: line.deviceMs + row.deviceMs,
        guaranteed: isBorrowed ? line.guaranteed : addCharges(line.guaranteed, full),
        borrowed: isBorrowed ? addCharges(line.borrowed, full) : line.borrowed,
        charged: addCharges(line.charged, chargeFor(row.deviceMs, row)),
      });
    }
  }
  return [...lines].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line);
}

/** The keys under which a row counts: one for each quota of its account, where quotas are told apart. */
function keysOf(row: UsageRow, by: readonly Dimension[]): string[][] {
  const quotas = by.includes('quota') ? row.account.quotas : [''];
  return quotas.map((quota) => by.map((dimension) => valueOf(row, dimension, quota)));
}

function valueOf(row: UsageRow, dimension: Dimension, quota: string): string {
  switch (dimension) {
    case 'pool':
      return row.account.pool;
    case 'quota':
      return quota;
    case 'user':
      return row.user ?? '';
    case 'class':
      return row.class;
    case 'day':
      return row.slot === undefined ? '' : dateAt(row.slot, row.account.timeZone);
    case 'month':
      return row.slot === undefined ? '' : dateAt(row.slot, row.account.timeZone).slice(0, 7);
  }
}
