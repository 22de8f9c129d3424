/*
 * The books of a pool: which pod held which devices when, on what terms. A library: it knows nothing of Kubernetes.
 *
 * `LedgerWriter` takes entries off the scheduling path and brings them from a local `Journal` to a `Store` (SQLite or
 * PostgreSQL, in a thread of its own); `recover` brings books and pods together at the start of a term; `Tally` knows
 * at any moment what each quota has used; `usage` of the store and the functions of `report/` give accounts.
 */
export { chargeFor, noCharge, type Charge } from '../core/budget/index.ts';
export type { Entry, HoldingEntry } from './entry.ts';
export {
  accountKey,
  chargeFactorOf,
  holderKey,
  splitAt,
  type Account,
  type ClosedInterval,
  type HolderKey,
  type HoldingKind,
  type Interval,
  type OpenInterval,
} from './interval.ts';
export type { InvestmentStanding, InvestmentStretch, InvestorWait } from './investment.ts';
export { InvestmentMeter } from './investmentMeter.ts';
export { Journal } from './journal.ts';
export { recover, type Holding } from './recover.ts';
export { openStore, type Store } from './store.ts';
export { Tally } from './tally.ts';
export { ThreadStore } from './threadStore.ts';
export type { UsageQuery, UsageRow } from './usage.ts';
export { LedgerWriter } from './writer.ts';
