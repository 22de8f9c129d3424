import { at } from '../ds/index.ts';
import type { PoolState } from '../snapshot/index.ts';
import type { Holding } from './holdings.ts';

/** What many workloads hold together, by quota and class, so that the tree is charged once for all of them. */
export class QuotaSums {
  readonly #pool: PoolState;
  readonly #devices: Float64Array;

  constructor(pool: PoolState) {
    this.#pool = pool;
    this.#devices = new Float64Array(pool.quotas.length * pool.classes.length);
  }

  add({ quota, charges }: Holding): void {
    for (const { classIndex, devices } of charges) {
      const slot = quota.index * this.#pool.classes.length + classIndex;
      this.#devices[slot] = at(this.#devices, slot) + devices;
    }
  }

  /** Charges the tree with it all, or, negative, gives it back. O(quotas x (classes + depth)). */
  charge(sign: 1 | -1): void {
    const classes = this.#pool.classes.length;
    for (let slot = 0; slot < this.#devices.length; slot++) {
      const devices = at(this.#devices, slot);
      if (devices !== 0) this.#pool.tree.charge(Math.floor(slot / classes), slot % classes, sign * devices);
    }
  }
}
