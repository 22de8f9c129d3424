import { at } from './arrays.ts';

/** Chunks are split at twice this size: short enough to shift quickly, long enough that there are few of them. */
const chunkSize = 256;

/**
 * Items in order, kept so while they come and go: sorted chunks of a few hundred.
 *
 * | operation | cost |
 * |---|---|
 * | build | O(n log n), O(n) when nearly in order |
 * | add, delete | O(log n + chunk + n / chunk), about a microsecond at 50,000 |
 * | from | O(log n), then O(1) an item |
 */
export class SortedList<T> {
  readonly #chunks: T[][] = [];
  readonly #compare: (a: T, b: T) => number;

  /** @param compare negative when `a` comes before `b`; 0 for the same item only */
  constructor(items: Iterable<T>, compare: (a: T, b: T) => number) {
    this.#compare = compare;
    const sorted = [...items].sort(compare);
    for (let i = 0; i < sorted.length; i += chunkSize) this.#chunks.push(sorted.slice(i, i + chunkSize));
  }

  add(item: T): void {
    const index = Math.min(this.#chunkOf(item), this.#chunks.length - 1);
    const chunk = this.#chunks[index];
    if (chunk === undefined) {
      this.#chunks.push([item]);
      return;
    }
    chunk.splice(this.#position(chunk, item), 0, item);
    if (chunk.length >= 2 * chunkSize) this.#chunks.splice(index + 1, 0, chunk.splice(chunkSize));
  }

  /** Takes the item out that compares as equal; without one nothing changes. */
  delete(item: T): void {
    const index = this.#chunkOf(item);
    const chunk = this.#chunks[index];
    if (chunk === undefined) return;
    const position = this.#position(chunk, item);
    if (this.#compare(at(chunk, position), item) !== 0) return;
    chunk.splice(position, 1);
    if (chunk.length === 0) this.#chunks.splice(index, 1);
  }

  /**
   * The items in order, from the first that `isBefore` is false for. `isBefore` must hold for a first part of the
   * list and for nothing after it. The list must not change while it is read.
   */
  *from(isBefore: (item: T) => boolean): Generator<T, void> {
    let chunk = firstFalse(this.#chunks.length, (i) => isBefore(lastOf(at(this.#chunks, i))));
    for (let first = true; chunk < this.#chunks.length; chunk++, first = false) {
      const items = at(this.#chunks, chunk);
      const start = first ? firstFalse(items.length, (i) => isBefore(at(items, i))) : 0;
      for (let i = start; i < items.length; i++) yield at(items, i);
    }
  }

  /** The first chunk whose last item is not before `item`. */
  #chunkOf(item: T): number {
    return firstFalse(this.#chunks.length, (i) => this.#compare(lastOf(at(this.#chunks, i)), item) < 0);
  }

  #position(chunk: readonly T[], item: T): number {
    return firstFalse(chunk.length, (i) => this.#compare(at(chunk, i), item) < 0);
  }
}

/** The first of 0 ... n - 1 that the test fails for; n when it holds for all. The test holds for a first part only. */
function firstFalse(n: number, test: (i: number) => boolean): number {
  let low = 0;
  let high = n;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (test(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function lastOf<T>(chunk: readonly T[]): T {
  return at(chunk, chunk.length - 1);
}
