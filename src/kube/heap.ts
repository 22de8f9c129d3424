/**
 * A binary heap: the element that comes before all others is at hand.
 *
 * | operation | cost |
 * |---|---|
 * | peek, size | O(1) |
 * | push, pop | O(log n) |
 */
export class Heap<T> {
  readonly #elements: T[] = [];
  readonly #before: (one: T, other: T) => boolean;

  /** @param before a strict order: false for equals */
  constructor(before: (one: T, other: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#elements.length;
  }

  /** The first element; undefined when empty. */
  peek(): T | undefined {
    return this.#elements[0];
  }

  push(element: T): void {
    let hole = this.#elements.length;
    this.#elements.push(element);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const above = this.#elements[parent];
      if (above === undefined || !this.#before(element, above)) break;
      this.#elements[hole] = above;
      hole = parent;
    }
    this.#elements[hole] = element;
  }

  /** Removes and returns the first element; undefined when empty. */
  pop(): T | undefined {
    const first = this.#elements[0];
    const last = this.#elements.pop();
    if (last !== undefined && this.#elements.length > 0) this.#sink(last);
    return first;
  }

  /** Puts the element where it belongs, from the top, whose place is free. */
  #sink(element: T): void {
    let hole = 0;
    for (;;) {
      const left = 2 * hole + 1;
      const right = this.#elements[left + 1];
      let child = this.#elements[left];
      if (child === undefined) break;
      let place = left;
      if (right !== undefined && this.#before(right, child)) {
        child = right;
        place = left + 1;
      }
      if (!this.#before(child, element)) break;
      this.#elements[hole] = child;
      hole = place;
    }
    this.#elements[hole] = element;
  }
}
