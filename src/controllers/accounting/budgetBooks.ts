import type { ResearchQuotaStatus } from '../../api/v1alpha1/index.ts';
import {
  addCharges,
  carriedOver,
  chargeFor,
  chargeOfHours,
  endAt,
  historyAfter,
  noCharge,
  noHours,
  parseGpuHours,
  type BudgetSpec,
  type Charge,
  type ChargeRate,
  type MilliGpuHours,
  type Period,
  type PeriodHistory,
} from '../../core/budget/index.ts';
import type { Policy } from '../../core/snapshot/index.ts';
import { keptPeriods, type BudgetBook } from '../../core/status/index.ts';
import type { Store, Tally, UsageRow } from '../../ledger/index.ts';
import type { Bookkeeper } from './bookkeeper.ts';

/** What a budget needs of the ledger. */
interface Book {
  spec: BudgetSpec;
  timeZone: string;
  history: PeriodHistory;
  /** The period in which use is counted. */
  period: Period;
  /** What was last known, from the status at first: it holds until the ledger has answered. */
  shown: { readonly used: Charge; readonly carriedOver: MilliGpuHours };
  /** When the store was last to be asked. */
  watchedAt: number;
  /** From when the tally counts; the store is asked for what came before. */
  watchedFrom: number;
  /** The store has said what was used of the period, and of the last. */
  settled: boolean;
  carriedOver: MilliGpuHours;
}

/** A budget's quota, and its status when this process began to lead. */
export type StatusOfQuota = (name: string) => ResearchQuotaStatus | undefined;

/**
 * What the ledger says of the budgets: what was used of each period, and what came over from the last. One for each term
 * of leading. What the store has not been asked yet is as the status last showed it.
 */
export class BudgetBooks {
  readonly #tally: Tally;
  readonly #bookkeeper: Bookkeeper;
  readonly #statusOf: StatusOfQuota;
  readonly #books = new Map<string, Book>();
  #policy: Policy | undefined;
  #lastAt: number | undefined;

  constructor(tally: Tally, bookkeeper: Bookkeeper, statusOf: StatusOfQuota) {
    this.#tally = tally;
    this.#bookkeeper = bookkeeper;
    this.#statusOf = statusOf;
  }

  /**
   * Follows the manifests and the time; a policy changes with both. Intervals are split where a period has ended since the
   * last call. O(1) while the policy is the same.
   */
  follow(policy: Policy, now: number): void {
    if (policy === this.#policy) return;
    this.#policy = policy;
    const lastAt = this.#lastAt;
    if (lastAt !== undefined) this.#splitAtEnds(lastAt, now);
    this.#lastAt = now;
    for (const { spec, pool } of policy.quotas.values()) {
      if (spec.budget === undefined) this.#drop(spec.name);
      else if (pool !== undefined) this.#take(spec.name, spec.budget, { timeZone: pool.spec.timeZone, now });
    }
    for (const name of this.#books.keys()) if (!policy.quotas.has(name)) this.#drop(name);
    // Periods that ended while nobody led.
    if (lastAt === undefined) this.#splitAtEnds(-Infinity, now);
  }

  /** What is used of a budget, and what came over. */
  of(quota: string, at: number): BudgetBook {
    const book = this.#books.get(quota);
    const used = this.#tally.used(quota, at) ?? book?.shown.used ?? noCharge;
    const history = book?.history;
    return { used, carriedOver: book?.carriedOver ?? noHours, rate: this.#tally.rate(quota), history };
  }

  /** What a status tells of its budget, while the ledger is not known. */
  static shown(status: ResearchQuotaStatus | undefined): BudgetBook {
    const { budget } = status ?? {};
    const used = chargeOfHours(parseGpuHours(budget?.used ?? '0') ?? noHours);
    const over = parseGpuHours(budget?.carriedOver ?? '0') ?? noHours;
    return { used, carriedOver: over, rate: 0n as ChargeRate, history: keptPeriods(status) };
  }

  /** Whether the store is still to be asked about some budget. */
  get unsettled(): boolean {
    for (const { settled } of this.#books.values()) if (!settled) return true;
    return false;
  }

  /**
   * Asks the store, once for all budgets whose periods begin together. All entries must have been written to it.
   *
   * @returns the quotas whose figures are known from now on
   */
  async settle(store: Store): Promise<readonly string[]> {
    const answered: string[] = [];
    const open = [...this.#books].flatMap(([name, book]) => {
      const { period, watchedFrom, settled } = book;
      return settled ? [] : [{ name, book, watchedFrom, asked: { ...period, end: Math.min(watchedFrom, period.end) } }];
    });
    const groups = Map.groupBy(open, ({ asked }) => `${asked.start} ${asked.end}`);
    for (const group of groups.values()) {
      const [first] = group;
      if (first === undefined) continue;
      const used = await usedByQuota(store, first.asked);
      for (const { name, book, watchedFrom } of group) {
        if (this.#books.get(name) !== book || book.watchedFrom !== watchedFrom) continue;
        this.#tally.settle(name, watchedFrom, used.get(name) ?? noCharge);
        const last = book.history.previous;
        const spent = last === undefined ? undefined : await this.#spentOf(store, name, last, book);
        const lastPeriod = last === undefined || spent === undefined ? undefined : { terms: last, used: spent };
        book.carriedOver = carriedOver(book.spec, lastPeriod, book.timeZone);
        book.settled = true;
        answered.push(name);
      }
    }
    return answered;
  }

  #take(name: string, spec: BudgetSpec, { timeZone, now }: { timeZone: string; now: number }): void {
    const known = this.#books.get(name);
    const status = known === undefined ? this.#statusOf(name) : undefined;
    const history = historyAfter(known?.history ?? keptPeriods(status), spec);
    const period = { start: spec.period.start, end: endAt(spec, now) };
    const samePeriod = known?.period.start === period.start && known.period.end === period.end;
    if (known !== undefined && samePeriod && known.timeZone === timeZone) {
      const sameTerms = JSON.stringify(known.history) === JSON.stringify(history);
      Object.assign(known, { spec, history });
      // Until the last period is over, what it leaves unused is not known for good.
      const begins = known.watchedAt < period.start && period.start <= now;
      if (!sameTerms || begins) {
        known.shown = this.#knownOf(name, known, now);
        this.#watch(name, known, now);
      }
      return;
    }
    const shown = known === undefined ? shownBy(status, spec) : this.#shownOfNext(name, known, { period, now });
    const book: Book = {
      ...{ spec, timeZone, history, period, shown },
      ...{ watchedAt: now, watchedFrom: now, settled: false, carriedOver: known?.carriedOver ?? shown.carriedOver },
    };
    this.#books.set(name, book);
    this.#watch(name, book, now);
  }

  /** The figures of a budget before it is watched anew. */
  #knownOf(name: string, { shown, carriedOver }: Book, now: number): Book['shown'] {
    return { used: this.#tally.used(name, now) ?? shown.used, carriedOver };
  }

  /** Of a period that was moved on nothing is known yet; one that begins when it did, or earlier, has used no less. */
  #shownOfNext(name: string, known: Book, { period, now }: { period: Period; now: number }): Book['shown'] {
    return period.start > known.period.start ? nothingShown : this.#knownOf(name, known, now);
  }

  /** What is before the period's end and after `now` is counted here, all else is the store's. */
  #watch(name: string, book: Book, now: number): void {
    // Before its time nothing has been used of a period.
    book.watchedAt = now;
    book.watchedFrom = Math.max(now, book.period.start);
    book.settled = false;
    this.#tally.watch(name, book.period, book.watchedFrom);
  }

  #drop(name: string): void {
    if (this.#books.delete(name)) this.#tally.unwatch(name);
  }

  #splitAtEnds(last: number, now: number): void {
    for (const [name, { period, history }] of this.#books)
      for (const { end } of [history.previous?.period ?? period, period])
        if (end > last && end <= now) this.#bookkeeper.endPeriod(name, end);
  }

  async #spentOf(store: Store, name: string, { period }: Pick<BudgetSpec, 'period'>, book: Book): Promise<Charge> {
    const { start } = book.period;
    const end = Math.min(endAt({ ...book.spec, period }, start - 1), start, book.watchedAt);
    return (await usedByQuota(store, { start: period.start, end })).get(name) ?? noCharge;
  }
}

const nothingShown = { used: noCharge, carriedOver: noHours };

/** What a status said of the same period. */
function shownBy(status: ResearchQuotaStatus | undefined, { period }: BudgetSpec): Book['shown'] {
  const start = status?.budget?.currentPeriod?.start;
  return start !== undefined && Date.parse(start) === period.start ? BudgetBooks.shown(status) : nothingShown;
}

/** What every quota used within a time, children included. */
async function usedByQuota(store: Store, { start, end }: Period): Promise<ReadonlyMap<string, Charge>> {
  const used = new Map<string, Charge>();
  if (start >= end) return used;
  for (const row of await store.usage({ from: start, to: end, at: end }))
    for (const quota of row.account.quotas) used.set(quota, addCharges(used.get(quota) ?? noCharge, chargeOf(row)));
  return used;
}

function chargeOf(row: UsageRow): Charge {
  return chargeFor(row.deviceMs, row);
}
