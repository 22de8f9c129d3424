/**
 * A set of small integers with a fast "next member", as bitmaps of bitmaps: each level has one bit for every word of
 * the level below.
 *
 * | operation | cost |
 * |---|---|
 * | add, delete, has | O(log32 capacity) |
 * | next | O(log32 capacity) |
 * | memory | capacity / 8 bytes and 3 % |
 */
export class BitSet {
  readonly #levels: Uint32Array[] = [];

  constructor(capacity: number) {
    let words = capacity;
    do {
      words = Math.max(1, Math.ceil(words / 32));
      this.#levels.push(new Uint32Array(words));
    } while (words > 1);
  }

  has(value: number): boolean {
    const level = this.#levels[0] as Uint32Array;
    return ((level[value >>> 5] as number) & (1 << (value & 31))) !== 0;
  }

  add(value: number): void {
    let i = value;
    for (const level of this.#levels) {
      const word = level[i >>> 5] as number;
      level[i >>> 5] = word | (1 << (i & 31));
      if (word !== 0) return;
      i >>>= 5;
    }
  }

  delete(value: number): void {
    let i = value;
    for (const level of this.#levels) {
      const word = (level[i >>> 5] as number) & ~(1 << (i & 31));
      level[i >>> 5] = word;
      if (word !== 0) return;
      i >>>= 5;
    }
  }

  /** The least member that is `from` or more; -1 when there is none. */
  next(from: number): number {
    let i = from;
    for (let depth = 0; depth < this.#levels.length; depth++) {
      const level = this.#levels[depth] as Uint32Array;
      const index = i >>> 5;
      if (index >= level.length) return -1;
      const word = (level[index] as number) & (-1 << (i & 31));
      if (word !== 0) return this.#descend(depth, (index << 5) | lowestBit(word));
      i = index + 1;
    }
    return -1;
  }

  #descend(depth: number, position: number): number {
    let i = position;
    for (let d = depth - 1; d >= 0; d--) {
      const level = this.#levels[d] as Uint32Array;
      i = (i << 5) | lowestBit(level[i] as number);
    }
    return i;
  }
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
