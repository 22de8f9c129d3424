import { at } from './arrays.ts';

/**
 * A binary heap: the least element is at hand. An element whose rank changes while it is the least is put right with
 * {@link settleTop}.
 *
 * | operation | cost |
 * |---|---|
 * | top, size | O(1) |
 * | push, pop, settleTop | O(log size) |
 */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #compare: (a: T, b: T) => number;

  /** @param compare negative when `a` comes before `b` */
  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The least element; undefined when there is none. */
  get top(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    const items = this.#items;
    let i = items.length;
    items.push(item);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = at(items, parent);
      if (this.#compare(above, item) <= 0) break;
      items[i] = above;
      i = parent;
    }
    items[i] = item;
  }

  /** Removes the least element. */
  pop(): T | undefined {
    const top = this.#items[0];
    const last = this.#items.pop();
    if (last !== undefined && this.#items.length > 0) {
      this.#items[0] = last;
      this.settleTop();
    }
    return top;
  }

  /** Restores the order after the rank of the least element has grown. */
  settleTop(): void {
    const items = this.#items;
    const { length } = items;
    if (length < 2) return;
    const item = at(items, 0);
    let i = 0;
    for (let child = 1; child < length; child = 2 * i + 1) {
      if (child + 1 < length && this.#compare(at(items, child + 1), at(items, child)) < 0) child++;
      const below = at(items, child);
      if (this.#compare(item, below) <= 0) break;
      items[i] = below;
      i = child;
    }
    items[i] = item;
  }
}
