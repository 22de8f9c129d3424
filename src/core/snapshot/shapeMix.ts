import type { PodShape } from './facts.ts';

/** Arrivals after which an older one counts half. */
const halfLife = 4096;
/** What counts less than this fraction of the latest arrival is forgotten. */
const forgotten = 2 ** -8;
/** Shapes that count as typical at the most: a mix of more has nothing typical. */
const mostShapes = 1024;
/** Characters of a shape's key: what takes more to say is an exception, and is not kept after its pod. */
const longestKey = 4096;

/**
 * What pods have asked for so far: arrivals by shape, older ones counting less, so that what is typical follows the
 * workload. It stands for what will be asked for next.
 *
 * | operation | cost |
 * |---|---|
 * | note | O(1), amortized |
 * | memory | O(shapes among the last 8 half-lives), of which the 1,024 most frequent are kept |
 */
export class ShapeMix {
  readonly #weights = new Map<PodShape, number>();
  /** The weight of one arrival now: it grows instead of all others fading. */
  #unit = 1;
  #arrivals = 0;
  #refreshAt = 1;
  #generation = 0;

  /** Counts a pod that has arrived. */
  note(shape: PodShape): void {
    if (shape.key.length > longestKey) return;
    this.#unit *= 2 ** (1 / halfLife);
    this.#weights.set(shape, (this.#weights.get(shape) ?? 0) + this.#unit);
    this.#arrivals++;
    if (this.#arrivals < this.#refreshAt) return;
    this.#refreshAt = this.#arrivals + Math.min(halfLife / 4, Math.ceil(this.#arrivals / 10));
    this.#generation++;
    this.#forget();
  }

  /**
   * Grows whenever the mix may have changed enough to be read again: when a tenth has been added, at the latest after a
   * quarter of a half-life.
   */
  get generation(): number {
    return this.#generation;
  }

  /** Shapes and their weights, which mean something in proportion to each other only. */
  entries(): Iterable<readonly [PodShape, number]> {
    return this.#weights;
  }

  #forget(): void {
    for (const [shape, weight] of this.#weights) {
      const scaled = weight / this.#unit;
      if (scaled < forgotten) this.#weights.delete(shape);
      else this.#weights.set(shape, scaled);
    }
    this.#unit = 1;
    if (this.#weights.size <= mostShapes) return;
    const rarest = [...this.#weights].sort(([, a], [, b]) => a - b).slice(0, this.#weights.size - mostShapes);
    for (const [shape] of rarest) this.#weights.delete(shape);
  }
}
