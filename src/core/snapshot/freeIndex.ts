import { BitSet } from '../ds/index.ts';

/** How free amounts are sorted into buckets: `exact` = a bucket for each amount, `coarse` = four for each doubling. */
type Scale = 'exact' | 'coarse';

/** Amounts above this share the last exact bucket. */
const lastExact = 1024;

/** Devices and pods have a bucket each; cpu and bytes coarse ones, which bounds their number. */
export function scaleFor(resource: string): Scale {
  const measured = resource === 'cpu' || resource === 'memory' || resource === 'ephemeral-storage';
  return measured || resource.startsWith('hugepages-') ? 'coarse' : 'exact';
}

/**
 * Nodes in buckets of equal or similar free amount.
 *
 * | operation | cost |
 * |---|---|
 * | add, move, next | O(log32 nodes) |
 * | size | O(1) |
 */
export class FreeIndex {
  readonly #buckets: (BitSet | undefined)[] = [];
  readonly #sizes: number[] = [];
  readonly #nodes: number;
  readonly #exact: boolean;

  constructor(nodes: number, scale: Scale) {
    this.#nodes = nodes;
    this.#exact = scale === 'exact';
  }

  add(node: number, free: number): void {
    this.#addTo(this.bucketFor(free), node);
  }

  move(node: number, before: number, after: number): void {
    const from = this.bucketFor(before);
    const to = this.bucketFor(after);
    if (from === to) return;
    this.#buckets[from]?.delete(node);
    this.#sizes[from] = this.size(from) - 1;
    this.#addTo(to, node);
  }

  /** Number of nodes in a bucket. */
  size(bucket: number): number {
    return this.#sizes[bucket] ?? 0;
  }

  /** Number of buckets; bucket numbers grow with the free amount. */
  get bucketCount(): number {
    return this.#buckets.length;
  }

  /** The lowest bucket that can hold a node with this free amount. */
  bucketFor(amount: number): number {
    if (amount <= 0) return 0;
    if (this.#exact) return amount >= lastExact ? lastExact : Math.floor(amount);
    return 1 + Math.floor(4 * Math.log2(amount + 1));
  }

  /** The first node of a bucket at or after `from`; -1 when there is none. */
  next(bucket: number, from: number): number {
    return this.#buckets[bucket]?.next(from) ?? -1;
  }

  #addTo(bucket: number, node: number): void {
    // Filled from below, so that the arrays stay packed.
    for (let b = this.#buckets.length; b <= bucket; b++) {
      this.#buckets.push(undefined);
      this.#sizes.push(0);
    }
    (this.#buckets[bucket] ??= new BitSet(this.#nodes)).add(node);
    this.#sizes[bucket] = this.size(bucket) + 1;
  }
}
