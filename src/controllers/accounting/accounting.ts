import { nothingUsed, type BudgetUse, type Fleet, type QuotaState, type Snapshot } from '../../core/snapshot/index.ts';
import type { BudgetNow, Figures, LedgerState } from '../../core/status/index.ts';
import type { Clock, Transport } from '../../kube/index.ts';
import {
  InvestmentMeter,
  Journal,
  LedgerWriter,
  ThreadStore,
  type Entry,
  type InvestorWait,
  type Store,
} from '../../ledger/index.ts';
import type { Logger, Metrics } from '../../observe/index.ts';
import type { InvestorReclaim } from '../record/index.ts';
import { BudgetBooks, type StatusOfQuota } from './budgetBooks.ts';
import { EarlyHoldings } from './earlyHoldings.ts';
import { Accounts } from './holdings.ts';
import { openBooks, type Books } from './openBooks.ts';
import { ShownBudgets } from './shownBudgets.ts';
import { standingsOf } from './standings.ts';
import { TouchedPods } from './touched.ts';

export interface AccountingOptions {
  /** `sqlite:PATH` or `postgres://...` */
  readonly url: string;
  /** File for what the store has not taken yet, of this process alone. */
  readonly journal: string;
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Called when statuses should tell something that no watch brings: a mark of a budget, a ledger that is behind. */
  readonly onNews: () => void;
}

/** What a time of leading brings. */
export interface Term {
  readonly transport: Transport;
  /** Status of a quota as the API server has it. */
  readonly statusOf: StatusOfQuota;
  /** Waits of investors that were over since it was last called. */
  readonly takeReclaims: () => readonly InvestorReclaim[];
  readonly signal: AbortSignal;
}

/** A store that does not answer is asked again after so long, doubling. */
const firstRetryMs = 500;
const lastRetryMs = 15_000;
/** How often the ledger is told that what is open is alive: so much is lost of what nobody saw end. */
const seenEveryMs = 10_000;
/** What no cycle has taken into the books is looked at this often. */
const lookEveryMs = 1000;
/** For so long the end of a term waits for the store. */
const lastWriteMs = 1000;
/** The ledger says that it is behind when something has waited for so long. */
const behindMs = 10_000;
/** After the pods are watched again, what happened meanwhile arrives within this time. */
const catchUpMs = 1000;

/**
 * Keeps the ledger (DESIGN.md section 4.4) while this process leads, and says what it tells of the budgets. Nothing waits
 * for it: entries go to a local journal at once and to the store from there; while the store is away the budgets stand
 * as it, or else the statuses, last told.
 */
export class Accounting {
  readonly #options: AccountingOptions;
  readonly #touched: TouchedPods;
  readonly #shown = new ShownBudgets();
  #journal: Journal | undefined;
  #early: EarlyHoldings | undefined;
  #store: Store | undefined;
  #writer: LedgerWriter | undefined;
  #books: Books | undefined;
  #meter = new InvestmentMeter();
  #statusOf: StatusOfQuota = () => undefined;
  #takeReclaims: Term['takeReclaims'] = () => [];
  /** The last moment at which the pods were watched, while they are not. */
  #blindSince: number | undefined;
  #seesAgainAt: number | undefined;
  /** Since when this process leads, on the monotonic clock. */
  #ledSince = 0;
  #behindSince: number | undefined;
  #problem: string | undefined;

  constructor(options: AccountingOptions) {
    this.#options = options;
    const { clock } = options;
    this.#touched = new TouchedPods(
      () => clock.now(),
      () => this.#blindSince,
    );
  }

  /** Hears that the watch of the pods has failed, or that it brings something again. */
  podsWatched(isWatched: boolean): void {
    const { clock } = this.#options;
    if (!isWatched) {
      this.#blindSince ??= clock.now();
      this.#seesAgainAt = undefined;
    } else if (this.#blindSince !== undefined) this.#seesAgainAt ??= clock.now() + catchUpMs;
  }

  /**
   * Keeps the books until the signal aborts.
   *
   * @throws LedgerError when another process keeps them by now, or the store is one of a later version; the system's error
   *   when there is no journal to be had
   */
  async lead(term: Term): Promise<void> {
    const { url, fleet, clock, metrics, logger } = this.#options;
    const { signal } = term;
    this.#statusOf = term.statusOf;
    this.#takeReclaims = term.takeReclaims;
    const journal = (this.#journal ??= new Journal(this.#options.journal));
    const early = (this.#early ??= new EarlyHoldings(`${this.#options.journal}.early`, (line) =>
      logger.error('a note of what was held before the ledger had answered cannot be read; it is left out', {
        key: line.slice(0, 200),
      }),
    ));
    early.beginTerm();
    const store = (this.#store ??= new ThreadStore(url, clock));
    const writer = new LedgerWriter({
      store,
      journal,
      clock,
      onWritten: (entries) => metrics.ledgerEntries.inc(entries),
      onLag: ({ error }) => this.#noteLag(error),
      onBadLine: (line) =>
        logger.error('the journal of the ledger holds a line that is no entry; it is left out', {
          key: line.slice(0, 200),
        }),
    });
    this.#writer = writer;
    this.#ledSince = clock.monotonic();
    this.#meter = new InvestmentMeter();
    const running = [...fleet.snapshot(clock.now()).running.pods()].map(({ pod }) => pod);
    this.#touched.begin(running.filter(({ nodeName }) => nodeName !== undefined));
    fleet.onHolding = (uid) => this.#touched.note(fleet, uid);
    fleet.budgetUse = this.#budgetUse;
    try {
      const budgets = await this.#begin({ writer, store, early }, term);
      await Promise.all([
        writer.run(signal),
        this.#lookAround(writer, signal),
        this.#settleBudgets({ budgets, writer, store, signal }),
      ]);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#behindSince = undefined;
      await this.#writeLast(writer);
      fleet.onHolding = undefined;
      fleet.budgetUse = nothingUsed;
      this.#books = undefined;
      this.#writer = undefined;
    }
  }

  /** At the end of a term: what the store takes now needs no journal to get there. */
  async #writeLast(writer: LedgerWriter): Promise<void> {
    const { clock } = this.#options;
    if (this.#books === undefined) return;
    this.#recordWaits();
    this.#record(this.#meter.observe([], clock.now()));
    const patience = new AbortController();
    await Promise.race([writer.flush(), clock.sleep(lastWriteMs, patience.signal)]).catch(() => undefined);
    patience.abort();
  }

  #recordWaits(): void {
    this.#record(this.#takeReclaims().map((reclaim) => ({ type: 'waited', wait: waitOf(reclaim) })));
  }

  /** Ends what is open, at the end of the process. */
  async close(): Promise<void> {
    await this.#store?.close().catch(() => undefined);
    this.#journal?.close();
    this.#early?.close();
  }

  /** Takes into the books what has happened; to be called after every cycle. */
  settle(snapshot: Snapshot, now: number): void {
    const books = this.#books;
    if (books === undefined) {
      // As long as the ledger has not answered, what begins and ends would be lost with this process.
      if (this.#writer !== undefined)
        this.#early?.follow(this.#touched.news(), snapshot, { now, isWatched: this.#blindSince === undefined });
      this.#seeAgain(now);
      return;
    }
    books.budgets.follow(snapshot.policy, now);
    books.keeper.follow(this.#touched.take(), snapshot, now);
    books.keeper.settle(snapshot, now);
    this.#record(books.keeper.takeEntries());
    this.#recordWaits();
    this.#seeAgain(now);
  }

  #seeAgain(now: number): void {
    if (this.#seesAgainAt !== undefined && now >= this.#seesAgainAt) this.#blindSince = this.#seesAgainAt = undefined;
  }

  /** Takes a picture into the accounts of investments. */
  observeInvestments(figures: Figures): void {
    if (this.#books !== undefined) this.#record(this.#meter.observe(standingsOf(figures), this.#options.clock.now()));
  }

  /** How the budgets stand that a quota draws on, for its status; undefined while no one leads. */
  budgetOf(snapshot: Snapshot, quota: QuotaState, now: number): BudgetNow | undefined {
    if (this.#writer === undefined) return undefined;
    const lines = quota.chain.flatMap((above) => snapshot.budgets.lineOf(above, now) ?? []);
    const { name, budget: spec } = quota.spec;
    const own = lines.find(({ quotaName }) => quotaName === name);
    const book = this.#bookOf(name, now);
    const view = { lines, now, own: spec === undefined || own === undefined ? undefined : { spec, line: own, book } };
    return this.#shown.shownOf(name, view);
  }

  /** How far the ledger is behind; undefined before that is known. */
  state(): LedgerState | undefined {
    if (this.#books === undefined && this.#behindSince === undefined) return undefined;
    return { behindSince: this.#behindSince, problem: this.#behindSince === undefined ? undefined : this.#problem };
  }

  /** Brings the gauges up to date. */
  showLag(): void {
    const { metrics } = this.#options;
    metrics.ledgerLag.set(this.#lagMs() / 1000);
    metrics.ledgerLagBytes.set(this.#writer?.lag().bytes ?? 0);
  }

  /** A store that has not answered yet lacks all since this process leads. */
  #lagMs(): number {
    if (this.#writer === undefined) return 0;
    const { milliseconds } = this.#writer.lag();
    return this.#books === undefined ? this.#options.clock.monotonic() - this.#ledSince : milliseconds;
  }

  readonly #budgetUse: BudgetUse = (quota, at) => this.#bookOf(quota, at);

  /** Before the ledger is known, as the status has it. */
  #bookOf(quota: string, at: number) {
    return this.#books?.budgets.of(quota, at) ?? BudgetBooks.shown(this.#statusOf(quota));
  }

  /** Opens the books, as soon as the store answers. */
  async #begin(
    { writer, store, early }: { writer: LedgerWriter; store: Store; early: EarlyHoldings },
    term: Term,
  ): Promise<BudgetBooks> {
    const { clock, fleet, logger } = this.#options;
    const { signal, transport, statusOf } = term;
    for (let retryMs = firstRetryMs; ; retryMs = Math.min(2 * retryMs, lastRetryMs)) {
      signal.throwIfAborted();
      try {
        await writer.begin();
        const touched = this.#touched;
        const { books, open, mended } = await openBooks({
          ...{ store, fleet, touched, early, transport, statusOf, clock, signal },
        });
        this.#record(mended);
        this.#books = books;
        this.settle(fleet.snapshot(clock.now()), clock.now());
        // Not before what was heard meanwhile is in the journal as well.
        early.clear();
        this.#options.onNews();
        logger.info(`the ledger is ours: ${open} intervals are open, ${mended.length - 1} entries bring it up to date`);
        return books.budgets;
      } catch (error) {
        if (signal.aborted || !isPassing(error)) throw error;
        this.#noteLag(error);
        logger.warn('the ledger cannot be read, it is tried again; scheduling goes on', { error });
        await clock.sleep(retryMs, signal);
      }
    }
  }

  /** Says again and again that what is open is alive, and looks at what no cycle has taken in. */
  async #lookAround(writer: LedgerWriter, signal: AbortSignal): Promise<void> {
    const { clock, fleet } = this.#options;
    let seenAt = clock.monotonic();
    for (;;) {
      await clock.sleep(lookEveryMs, signal);
      const now = clock.now();
      this.settle(fleet.snapshot(now), now);
      this.#noteLag(writer.lag().error);
      if (this.#shown.someCrossed((quota) => this.#bookOf(quota, now).used)) this.#options.onNews();
      if (this.#blindSince !== undefined || clock.monotonic() - seenAt < seenEveryMs) continue;
      seenAt = clock.monotonic();
      writer.record([{ type: 'seen', at: now }]);
    }
  }

  /** Asks the store for what was used of budgets that are watched since they, or their periods, have changed. */
  async #settleBudgets(parts: {
    readonly budgets: BudgetBooks;
    readonly writer: LedgerWriter;
    readonly store: Store;
    readonly signal: AbortSignal;
  }): Promise<void> {
    const { budgets, writer, store, signal } = parts;
    const { clock, logger } = this.#options;
    let retryMs = firstRetryMs;
    while (!signal.aborted) {
      if (budgets.unsettled) {
        try {
          await writer.flush();
          const answered = await budgets.settle(store);
          for (const quota of answered) this.#shown.forget(quota);
          if (answered.length > 0) this.#options.onNews();
          retryMs = firstRetryMs;
        } catch (error) {
          if (!isPassing(error)) throw error;
          logger.debug('what budgets have used is not known yet', { error });
          retryMs = Math.min(2 * retryMs, lastRetryMs);
        }
      }
      await clock.sleep(retryMs, signal).catch(() => undefined);
    }
  }

  #record(entries: readonly Entry[]): void {
    this.#writer?.record(entries);
  }

  #noteLag(error: unknown): void {
    const { clock, onNews } = this.#options;
    const milliseconds = this.#lagMs();
    this.#problem = error instanceof Error ? error.message : undefined;
    const wasBehind = this.#behindSince !== undefined;
    if (milliseconds < behindMs) this.#behindSince = undefined;
    else this.#behindSince ??= clock.now() - milliseconds;
    if (wasBehind !== (this.#behindSince !== undefined)) onNews();
  }
}

function waitOf({ investor, investment, workload, at, seconds, breach }: InvestorReclaim): InvestorWait {
  return { account: new Accounts().of(investor), investment, workload, at, seconds, breach };
}

/** Whether the same call may succeed later. */
function isPassing(error: unknown): boolean {
  return (error as { readonly retryable?: unknown } | undefined)?.retryable === true;
}
