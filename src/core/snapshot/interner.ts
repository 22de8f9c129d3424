/**
 * Hands out one value for each key, so that equal things are one object and may be compared by identity.
 *
 * It remembers at least the last `capacity` keys that were asked for and at most twice as many: a full generation
 * becomes the old one, and what is not asked for during the next is forgotten. A forgotten key gets another, equal value.
 *
 * | operation | cost |
 * |---|---|
 * | intern | O(1) |
 */
export class Interner<T> {
  readonly #capacity: number;
  #recent = new Map<string, T>();
  #older = new Map<string, T>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#recent.size + this.#older.size;
  }

  /** The value known for `key`, else what `make` returns for it. */
  intern(key: string, make: () => T): T {
    const recent = this.#recent.get(key);
    if (recent !== undefined) return recent;
    const value = this.#older.get(key) ?? make();
    if (this.#recent.size >= this.#capacity) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#older.delete(key);
    this.#recent.set(key, value);
    return value;
  }
}
