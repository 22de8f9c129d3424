import { monthAt } from '../../src/core/units/index.ts';
import { openDatabase } from '../../src/ledger/engines/open.ts';
import { investmentMeasures } from '../../src/ledger/investment.ts';
import { useColumns, intervalColumns, names } from '../../src/ledger/rows.ts';

/** What a nation's ledger looks like: quotas in consortia, users in quotas, classes of devices, one year. */
export const quotas = 500;
const consortia = 20;
const usersPerQuota = 20;
const classes = 4;
/** Followed hour by hour. */
const investments = 100;
const hour = 3_600_000;
const day = 24 * hour;
export const year = { from: Date.parse('2026-01-01T00:00:00Z'), to: Date.parse('2027-01-01T00:00:00Z') };

/** Intervals that one statement writes. */
const chunk = 500_000;

/** The account of a quota, by number. */
export function accountOf(quota: number): { pool: string; timeZone: string; quotas: string[] } {
  return { pool: 'national', timeZone: 'UTC', quotas: [`quota-${quota}`, `consortium-${quota % consortia}`] };
}

/** Class and user of an interval, by number. */
export function partiesOf(n: number): { class: string; user: string; quota: number } {
  return { class: `class-${n % classes}`, quota: n % quotas, user: `user-${n % quotas}-${n % usersPerQuota}` };
}

/**
 * Fills an empty ledger with closed intervals and their totals, and with a year of investments, by statements of its own: the writer would need a
 * quarter of an hour for ten millions. Each interval lies within a day; quota, class, user, day and length come from a
 * multiplicative hash of its number.
 */
export async function fillHistory(url: string, intervals: number, progress: (done: number) => void): Promise<void> {
  const database = openDatabase(url);
  try {
    await database.transaction(async (query) => {
      for (let quota = 0; quota < quotas; quota += 1) {
        const account = accountOf(quota);
        const values = [quota + 1, account.pool, account.timeZone, account.quotas.join('/')];
        await query('insert into accounts (id, pool, time_zone, quotas) values ($1, $2, $3, $4)', values);
      }
    });
    for (let first = 0; first < intervals; first += chunk) {
      const last = Math.min(first + chunk, intervals) - 1;
      await database.transaction(async (query) => {
        await query(
          `with recursive numbers (n) as (
             select cast(${first} as bigint) union all select n + 1 from numbers where n < ${last}
           ), hashes as (select n, (n * 2654435761) % 4294967296 as h, (n * 2246822519) % 4294967296 as g from numbers)
           insert into intervals (${names(intervalColumns)})
           select 'pod-' || n, 'class-' || (h % ${classes}),
             ${year.from} + (h % 365) * ${day} + (g % 50400) * 1000,
             ${year.from} + (h % 365) * ${day} + (g % 50400) * 1000 + (1 + g % 28800) * 1000,
             0, 1 + g % ${quotas}, 'workload-' || n, 'user-' || (g % ${quotas}) || '-' || (h % ${usersPerQuota}),
             'node-' || (h % 6250), 8000, 1000, g % 2, 1000000
           from hashes`,
        );
      });
      progress(last + 1);
    }
    await database.transaction(async (query) => {
      await query(
        `with recursive numbers (n) as (
           select cast(0 as bigint) union all select n + 1 from numbers where n < ${investments * 365 * 24 - 1}
         )
         insert into investment_stretches
           (investment, start_ms, end_ms, account_id, ${investmentMeasures.join(', ')})
         select 'investment-' || (n % ${investments}), ${year.from} + (n / ${investments}) * ${hour},
           ${year.from} + (n / ${investments} + 1) * ${hour}, 1 + n % ${quotas},
           ${investmentMeasures.map((_, i) => `${(i + 1) * 1000 * hour} + n`).join(', ')}
         from numbers`,
      );
    });
    const months = Array.from({ length: 12 }, (_, month) => monthAt(year.from + (month * 30.5 + 10) * day, 'UTC'));

    await database.transaction(async (query) => {
      // A server gives up a statement that takes as long as these two may.
      if (url.startsWith('postgres')) await query('set local statement_timeout = 0');
      // The sum keeps SQLite from walking an index of accounts, with a jump into the table for each interval.
      const keys = 'account_id + 0, class, weight, kind, charge_factor';
      const amount = 'sum((end_ms - start_ms) * milli_devices)';
      await query(
        `insert into use_by_day (${names(useColumns)})
         select ${keys}, '', start_ms - start_ms % ${day}, ${amount} from intervals
         group by ${keys}, start_ms - start_ms % ${day}`,
      );
      const month = months.map(({ start, end }) => `when start_ms < ${end} then ${start}`).join(' ');
      await query(
        `insert into use_by_month (${names(useColumns)})
         select ${keys}, user_name, case ${month} end, ${amount} from intervals
         group by ${keys}, user_name, case ${month} end`,
      );
    });
  } finally {
    await database.close();
  }
}
