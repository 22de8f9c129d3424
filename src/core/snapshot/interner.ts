/**
 * Hands out one value for each key, so that equal things are one object and may be compared by identity.
 *
 * It remembers at least the last `capacity` keys that were asked for and at most twice as many, fewer where they are
 * long: a full generation becomes the old one, and what is not asked for during the next is forgotten. A forgotten key
 * gets another, equal value.
 *
 * | operation | cost |
 * |---|---|
 * | intern | O(1) |
 */
export class Interner<T> {
  readonly #capacity: number;
  readonly #mostCharacters: number;
  /** Of the keys of the recent generation, together. */
  #characters = 0;
  #recent = new Map<string, T>();
  #older = new Map<string, T>();

  /** @param mostCharacters of the keys of one generation, together: whoever makes keys of a mebibyte fills no memory */
  constructor(capacity: number, mostCharacters = 2 ** 22) {
    this.#capacity = capacity;
    this.#mostCharacters = mostCharacters;
  }

  get size(): number {
    return this.#recent.size + this.#older.size;
  }

  /** The value known for `key`, else what `make` returns for it. */
  intern(key: string, make: () => T): T {
    const recent = this.#recent.get(key);
    if (recent !== undefined) return recent;
    const value = this.#older.get(key) ?? make();
    if (this.#recent.size >= this.#capacity || this.#characters >= this.#mostCharacters) {
      this.#older = this.#recent;
      this.#recent = new Map();
      this.#characters = 0;
    }
    this.#characters += key.length;
    this.#older.delete(key);
    this.#recent.set(key, value);
    return value;
  }
}
