import { at } from '../ds/index.ts';
import type { PoolState } from '../snapshot/index.ts';
import type { Holding } from './holdings.ts';

/** What many workloads hold together, by quota and class, so that the tree is charged once for all of them. */
export class QuotaSums {
  readonly #pool: PoolState;
  readonly #devices: Float64Array;
  /** Of those, what budgets admitted as borrowers. */
  readonly #apart: Float64Array;

  constructor(pool: PoolState) {
    this.#pool = pool;
    this.#devices = new Float64Array(pool.quotas.length * pool.classes.length);
    this.#apart = new Float64Array(this.#devices.length);
  }

  add({ quota, charges, workload }: Holding): void {
    for (const { classIndex, devices } of charges) {
      const slot = quota.index * this.#pool.classes.length + classIndex;
      this.#devices[slot] = at(this.#devices, slot) + devices;
      if (workload.borrower) this.#apart[slot] = at(this.#apart, slot) + devices;
    }
  }

  /** Charges the tree with it all, or, negative, gives it back. O(quotas x (classes + depth)). */
  charge(sign: 1 | -1): void {
    const classes = this.#pool.classes.length;
    for (let slot = 0; slot < this.#devices.length; slot++) {
      const devices = at(this.#devices, slot);
      const apart = at(this.#apart, slot);
      const [quota, classIndex] = [Math.floor(slot / classes), slot % classes];
      if (devices !== 0) this.#pool.tree.charge(quota, classIndex, sign * devices);
      if (apart !== 0) this.#pool.tree.setApart(quota, classIndex, sign * apart);
    }
  }
}
