import { Coverage, type Guarantee, type Hold } from '../../core/quota/index.ts';
import { holderKey, type HolderKey } from '../../ledger/index.ts';

/** What a pod holds of a class, as far as its quota's guarantee is concerned. */
interface Held {
  readonly holder: HolderKey;
  hold: Hold;
  covered: boolean;
}

interface QuotaBook {
  /** The oldest first. */
  readonly holds: Map<string, Held>;
  coverage: Coverage;
  /** Something that was covered is gone, or the guarantee has changed. */
  stale: boolean;
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
 * | put, remove | O(1) |
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
      book = { holds: new Map<string, Held>(), coverage: this.#coverageFor(quota), stale: false };
      this.#books.set(quota, book);
    }
    const key = holderKey(holder);
    const known = book.holds.get(key);
    if (known !== undefined) {
      if (known.hold.asBorrower !== hold.asBorrower || known.hold.devices !== hold.devices) book.stale = true;
      known.hold = hold;
      return known.covered;
    }
    const covered = book.coverage.cover(hold);
    book.holds.set(key, { holder, hold, covered });
    return covered;
  }

  remove(quota: string, holder: HolderKey): void {
    const book = this.#books.get(quota);
    const key = holderKey(holder);
    const held = book?.holds.get(key);
    if (book === undefined || held === undefined) return;
    book.holds.delete(key);
    if (book.holds.size === 0) this.#books.delete(quota);
    else if (held.covered) book.stale = true;
  }

  /** What has turned since the last call. */
  *turned(): Iterable<Turn> {
    for (const [quota, book] of this.#books) {
      if (!book.stale) continue;
      book.stale = false;
      book.coverage = this.#coverageFor(quota);
      for (const held of book.holds.values()) {
        const covered = book.coverage.cover(held.hold);
        if (covered === held.covered) continue;
        held.covered = covered;
        yield { holder: held.holder, covered };
      }
    }
  }

  /** Of a quota that is not in force nothing is guaranteed. */
  #coverageFor(quota: string): Coverage {
    return new Coverage(this.#guaranteeOf(quota) ?? nothing);
  }
}

const nothing: Guarantee = { flexible: 0 as Guarantee['flexible'], classes: [], weights: [] };
