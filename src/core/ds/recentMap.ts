/**
 * Values by key, made when first asked for; of more than `limit` the one unused longest is forgotten.
 *
 * | operation | cost |
 * |---|---|
 * | get | O(1), and what making a value costs |
 */
export class RecentMap<V> {
  readonly #limit: number;
  /** Least recently used first. */
  readonly #values = new Map<string, V>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: string, make: () => V): V {
    const value = this.#values.get(key) ?? make();
    this.#values.delete(key);
    this.#values.set(key, value);
    for (const oldest of this.#values.keys()) {
      if (this.#values.size <= this.#limit) break;
      this.#values.delete(oldest);
    }
    return value;
  }
}
