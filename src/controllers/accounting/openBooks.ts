import type { Fleet, Snapshot } from '../../core/snapshot/index.ts';
import type { Clock, Transport } from '../../kube/index.ts';
import { recover, Tally, type Entry, type Store } from '../../ledger/index.ts';
import { attributedHoldings } from './attribution.ts';
import { Bookkeeper, type Ended } from './bookkeeper.ts';
import { BudgetBooks, type StatusOfQuota } from './budgetBooks.ts';
import type { EarlyHoldings } from './earlyHoldings.ts';
import { endedPods } from './endedPods.ts';
import { Accounts, holdingsOf, type Occupant } from './holdings.ts';
import type { Touched, TouchedPods } from './touched.ts';

/** What is kept while the store is known. */
export interface Books {
  readonly keeper: Bookkeeper;
  readonly budgets: BudgetBooks;
}

/** What the books are opened from. */
export interface BooksSources {
  readonly store: Store;
  readonly fleet: Fleet;
  /** Are taken; given back when the store does not answer. */
  readonly touched: TouchedPods;
  readonly early: EarlyHoldings;
  readonly transport: Transport;
  readonly statusOf: StatusOfQuota;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Books as they are at the beginning of a term. */
export interface OpenedBooks {
  readonly books: Books;
  /** How many intervals are open. */
  readonly open: number;
  /** What brings the ledger up to date, to be recorded before anything else. */
  readonly mended: readonly Entry[];
}

/**
 * Brings ledger and pods together at the beginning of a term: what the ledger has as open, and what holds devices now or
 * has ended since the last leader looked. O(pods + open intervals).
 *
 * @throws what the store or the API server say
 */
export async function openBooks(sources: BooksSources): Promise<OpenedBooks> {
  const { store, fleet, touched, early, transport, statusOf, clock, signal } = sources;
  // Before anything is asked: whatever ends from here on is heard of.
  const ended = await endedPods(transport, signal);
  const before = touched.take();
  const now = clock.now();
  const accounts = new Accounts();
  const snapshot = fleet.snapshot(now);
  const occupants = occupantsOf(snapshot, ended, before);
  const holdings = attributedHoldings(snapshot, accounts, {
    occupants: occupants.values(),
    early: early.besides((uid) => {
      const one = occupants.get(uid);
      return one !== undefined && holdingsOf(snapshot, accounts, { ...one, now }) !== undefined;
    }),
    now,
  });
  const { entries, open } = await recover(store, holdings, now).catch((error: unknown) => {
    touched.giveBack(before);
    throw error;
  });
  const tally = new Tally(open.map((one) => ({ ...one, account: accounts.shared(one.account) })));
  const keeper = new Bookkeeper(tally, accounts, endsOf(entries, occupants));
  return { books: { keeper, budgets: new BudgetBooks(tally, keeper, statusOf) }, open: open.length, mended: entries };
}

/** What pods that exist had open: their quota may be back in force later. */
function endsOf(entries: readonly Entry[], occupants: ReadonlyMap<string, Occupant>): readonly Ended[] {
  return entries.flatMap((entry) => {
    if (entry.type !== 'close') return [];
    const occupant = occupants.get(entry.key.podUid);
    return occupant === undefined || occupant.end !== undefined ? [] : [{ ...entry.key, end: entry.end }];
  });
}

/** All that holds devices, or has held them since the last leader looked. */
function occupantsOf(
  snapshot: Snapshot,
  ended: readonly Occupant[],
  touched: ReadonlyMap<string, Touched>,
): ReadonlyMap<string, Occupant> {
  const occupants = new Map<string, Occupant>(ended.map((one) => [one.pod.uid, one]));
  for (const { pod } of snapshot.running.pods())
    if (pod.nodeName !== undefined) occupants.set(pod.uid, { pod, end: undefined });
  for (const [uid, { pod, end }] of touched) {
    if (pod !== undefined) occupants.set(uid, { pod, end });
  }
  return occupants;
}
