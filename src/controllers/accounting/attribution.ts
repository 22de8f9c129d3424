import { Coverage, type Guarantee, type Hold } from '../../core/quota/index.ts';
import type { Snapshot } from '../../core/snapshot/index.ts';
import { holderKey, type HolderKey, type Holding } from '../../ledger/index.ts';
import { guaranteeOf, holdingsOf, termsOf, type Accounts, type ClassHolding, type Occupant } from './holdings.ts';

/** What a pod holds of a class, as far as its quota's guarantee is concerned. */
interface Held {
  readonly holder: HolderKey;
  hold: Hold;
  /** As it was last told. */
  covered: boolean;
  /** As it is to be told, unless the book is stale. */
  due: boolean;
}

interface QuotaBook {
  /** The oldest first. */
  readonly holds: Map<string, Held>;
  coverage: Coverage;
  /** Something that was covered is gone, or the guarantee has changed: what is covered has to be worked out anew. */
  stale: boolean;
  /** It has been, and what has turned was not told yet. */
  untold: boolean;
}

/** A holding that is covered from now on, or is no longer. */
export interface Turn {
  readonly holder: HolderKey;
  readonly covered: boolean;
}

/**
 * Says of everything that quotas hold whether their own guarantee covers it, the oldest first, or it is borrowed. A
 * holding is one or the other as a whole: one that a guarantee covers in part is borrowed.
 *
 * | operation | cost |
 * |---|---|
 * | remove | O(1) |
 * | put | O(1); O(holdings of the quota) for the first after something covered has ended |
 * | turned | O(holdings of the quotas in which something covered has ended) |
 */
export class Attribution {
  readonly #books = new Map<string, QuotaBook>();
  #guaranteeOf: (quota: string) => Guarantee | undefined = () => undefined;

  /** Takes the guarantees of a policy: everything is judged anew by {@link turned}. */
  setGuarantees(guaranteeOf: (quota: string) => Guarantee | undefined): void {
    this.#guaranteeOf = guaranteeOf;
    for (const book of this.#books.values()) book.stale = true;
  }

  /** Adds what a pod begins to hold, or takes its latest terms. Whether it is covered, as far as is known. */
  put(quota: string, { podUid, class: accelerator }: HolderKey, hold: Hold): boolean {
    const holder = { podUid, class: accelerator };
    let book = this.#books.get(quota);
    if (book === undefined) {
      book = { holds: new Map<string, Held>(), coverage: this.#coverageFor(quota), stale: false, untold: false };
      this.#books.set(quota, book);
    }
    const key = holderKey(holder);
    const known = book.holds.get(key);
    if (known !== undefined) {
      if (known.hold.asBorrower !== hold.asBorrower || known.hold.devices !== hold.devices) book.stale = true;
      known.hold = hold;
      return known.covered;
    }
    if (book.stale) this.#refresh(quota, book);
    const covered = book.coverage.cover(hold);
    book.holds.set(key, { holder, hold, covered, due: covered });
    return covered;
  }

  remove(quota: string, holder: HolderKey): void {
    const book = this.#books.get(quota);
    const key = holderKey(holder);
    const held = book?.holds.get(key);
    if (book === undefined || held === undefined) return;
    book.holds.delete(key);
    if (book.holds.size === 0) this.#books.delete(quota);
    else if (held.due) book.stale = true;
  }

  /** What has turned since the last call. While a quota is not in force, what it held stays what it was. */
  *turned(): Iterable<Turn> {
    for (const [quota, book] of this.#books) {
      if (this.#guaranteeOf(quota) === undefined) continue;
      if (book.stale) this.#refresh(quota, book);
      if (!book.untold) continue;
      book.untold = false;
      for (const held of book.holds.values()) {
        if (held.due === held.covered) continue;
        held.covered = held.due;
        yield { holder: held.holder, covered: held.covered };
      }
    }
  }

  /** Hands out the guarantee anew. */
  #refresh(quota: string, book: QuotaBook): void {
    book.stale = false;
    book.untold = true;
    book.coverage = this.#coverageFor(quota);
    for (const held of book.holds.values()) held.due = book.coverage.cover(held.hold);
  }

  /** Of a quota that is not in force nothing is guaranteed. */
  #coverageFor(quota: string): Coverage {
    return new Coverage(this.#guaranteeOf(quota) ?? nothing);
  }
}

/** Who holds devices, or held them. */
export interface Holders {
  readonly occupants: Iterable<Occupant>;
  /** Of pods that are known by nothing else. */
  readonly early?: readonly ClassHolding[];
  readonly now: number;
}

/** What pods hold, or held until they ended, each as covered or borrowed: for a ledger that knows nothing of them. */
export function attributedHoldings(
  snapshot: Snapshot,
  accounts: Accounts,
  { occupants, early = [], now }: Holders,
): readonly Holding[] {
  const { quotas } = snapshot.policy;
  const attribution = new Attribution();
  attribution.setGuarantees((name) => guaranteeOf(quotas.get(name)));
  const held = Array.from(occupants, (one) => holdingsOf(snapshot, accounts, { ...one, now }) ?? []).flat();
  const all = [...held, ...early.map((one) => ({ ...one, holding: shared(one.holding, accounts) }))];
  const ending = all
    .map(({ holding }) => holding)
    .filter(({ end }) => end !== undefined)
    .sort((a, b) => (b.end ?? 0) - (a.end ?? 0));
  return all
    .sort((a, b) => a.holding.start - b.holding.start)
    .map(({ holding, hold }) => {
      // What has ended by then has made room.
      for (let over = ending.at(-1); over?.end !== undefined && over.end <= holding.start; over = ending.at(-1)) {
        ending.pop();
        attribution.remove(over.account.quotas[0] ?? '', over);
      }
      const name = holding.account.quotas[0] ?? '';
      const quota = quotas.get(name);
      // A class that the pool no longer has is guaranteed to nobody.
      const isOfPool = quota?.pool?.classes[hold.classIndex]?.spec.name === holding.class;
      const covered = isOfPool && attribution.put(name, holding, hold);
      return covered ? { ...holding, ...termsOf(quota, 'Guaranteed') } : holding;
    });
}

function shared(holding: Holding, accounts: Accounts): Holding {
  return { ...holding, account: accounts.shared(holding.account) };
}

const nothing: Guarantee = { flexible: 0 as Guarantee['flexible'], classes: [], weights: [] };
