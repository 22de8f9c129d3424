/**
 * The nodes that changed last, in a ring: whoever keeps figures about nodes catches up from where it stopped, or starts
 * over when it is too far behind. A change costs one store, however many look on.
 */
export class ChangeLog {
  /** Changes so far. */
  #position = 0;
  readonly #ring: Int32Array;

  /** Starting over costs about as much as catching up with a change for every fourth node. */
  constructor(nodes: number) {
    this.#ring = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(64, nodes / 4))));
  }

  get position(): number {
    return this.#position;
  }

  add(node: number): void {
    this.#ring[this.#position & (this.#ring.length - 1)] = node;
    this.#position++;
  }

  /** Whether all changes since `position` are still known. */
  reaches(position: number): boolean {
    return this.#position - position <= this.#ring.length;
  }

  /** The node of change number `position`. */
  nodeAt(position: number): number {
    return this.#ring[position & (this.#ring.length - 1)] as number;
  }
}
