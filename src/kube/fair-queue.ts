/**
 * A queue in which everyone who waits has turns of their own: `take` goes round the owners and gives the oldest item of
 * each, so that whoever adds thousands waits behind their own only.
 *
 * | operation | cost |
 * |---|---|
 * | add, take, size, sizeOf | O(1) |
 * | dropFromLongest | O(owners) |
 */
export class FairQueue<T> {
  /** By owner, in the order of their turns; no empty ones. */
  readonly #queues = new Map<string, Set<T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** How many items of one owner wait. */
  sizeOf(owner: string): number {
    return this.#queues.get(owner)?.size ?? 0;
  }

  add(owner: string, item: T): void {
    const own = this.#queues.get(owner);
    if (own === undefined) this.#queues.set(owner, new Set([item]));
    else if (own.has(item)) return;
    else own.add(item);
    this.#size++;
  }

  /** Removes the oldest item of the owner whose turn it is; undefined when there is none. */
  take(): T | undefined {
    for (const [owner, own] of this.#queues) {
      const item = this.#removeOldest(owner, own);
      this.#queues.delete(owner);
      if (own.size > 0) this.#queues.set(owner, own);
      return item;
    }
    return undefined;
  }

  /** Removes the oldest item of whoever has most; undefined when there is none. */
  dropFromLongest(): T | undefined {
    let longest: [owner: string, own: Set<T>] | undefined;
    for (const entry of this.#queues) if (longest === undefined || entry[1].size > longest[1].size) longest = entry;
    return longest === undefined ? undefined : this.#removeOldest(...longest);
  }

  #removeOldest(owner: string, own: Set<T>): T | undefined {
    const [oldest] = own;
    if (oldest === undefined) return undefined;
    own.delete(oldest);
    this.#size--;
    if (own.size === 0) this.#queues.delete(owner);
    return oldest;
  }
}
