import { at } from '../ds/index.ts';
import type { Trial } from './trial.ts';

/** What a set of victims has to free at the least, and what each claim frees. */
export interface Deficit {
  /** Milli-GPUs that the quota lacks. */
  readonly amount: number;
  /** Devices that the nodes lack. */
  readonly devices: number;
  /** By claim number. */
  readonly amounts: Float64Array;
  readonly devicesOf: Float64Array;
  readonly mostAmount: number;
  readonly mostDevices: number;
}

/** Claims taken in vain, at the most, in the search for a smaller set: some milliseconds. */
const budget = 4096;

/** No set of fewer claims covers the deficit, not even of the largest. At least 1. */
export function leastVictims({ amount, devices, mostAmount, mostDevices }: Deficit): number {
  const toCover = (need: number, most: number) => (need <= 0 ? 0 : Math.ceil(need / most));
  return Math.max(1, toCover(amount, mostAmount), toCover(devices, mostDevices));
}

/**
 * The first set, in the stated order, of at most `most` claims that makes room, fewest first; undefined when there is
 * none or looking at all sets of a size would take too long. Nothing is taken when it returns.
 *
 * Cost: O(min(sets of that many claims, budget)) takes.
 */
export function smallestSet(trial: Trial, deficit: Deficit, most: number): readonly number[] | undefined {
  const search = new SubsetSearch(trial, deficit);
  const n = trial.claims.length;
  let sets = 0;
  for (let size = leastVictims(deficit); size <= Math.min(most, n); size++) {
    sets += choose(n, size);
    // One at a time nearly all are passed over by their size alone.
    if (size > 1 && sets > budget) return undefined;
    const found = search.ofSize(size);
    if (found !== undefined || search.left <= 0) return found;
  }
  return undefined;
}

class SubsetSearch {
  /** Takes that are still allowed. */
  left = budget;
  readonly #trial: Trial;
  readonly #deficit: Deficit;

  constructor(trial: Trial, deficit: Deficit) {
    this.#trial = trial;
    this.#deficit = deficit;
  }

  ofSize(size: number): readonly number[] | undefined {
    const ids: number[] = [];
    return this.#extend(ids, size, this.#deficit.amount, this.#deficit.devices) ? ids : undefined;
  }

  /** Takes `more` claims after the last of `ids`; `amount` and `devices` are what is lacking then. */
  #extend(ids: number[], more: number, amount: number, devices: number): boolean {
    if (more === 0) {
      if (!this.#trial.mayFit()) return false;
      this.left -= this.#trial.lookCost - 1;
      return this.#trial.fits();
    }
    const { amounts, devicesOf, mostAmount, mostDevices } = this.#deficit;
    const leastAmount = amount - (more - 1) * mostAmount;
    const leastDevices = devices - (more - 1) * mostDevices;
    for (let id = (ids.at(-1) ?? -1) + 1; id <= amounts.length - more; id++) {
      if (at(amounts, id) < leastAmount || at(devicesOf, id) < leastDevices) continue;
      if (this.left-- <= 0) return false;
      const before = this.#trial.size;
      if (!this.#trial.take(id)) continue;
      if (this.#trial.size !== before + 1) {
        // Taking it sent smaller ones back: that is another set, and its turn comes by itself.
        this.#restore(ids);
        continue;
      }
      ids.push(id);
      const found = this.#extend(ids, more - 1, amount - at(amounts, id), devices - at(devicesOf, id));
      this.#trial.putBack(id);
      if (found) return true;
      ids.pop();
    }
    return false;
  }

  /** Back to exactly these. */
  #restore(ids: readonly number[]): void {
    for (const id of this.#trial.taken()) if (!ids.includes(id)) this.#trial.putBack(id);
    for (const id of ids) if (!this.#trial.has(id)) this.#trial.take(id);
  }
}

/** Sets of `k` out of `n`; rounded, and Infinity where it overflows. */
function choose(n: number, k: number): number {
  let sets = 1;
  for (let i = 1; i <= k; i++) sets = (sets * (n - k + i)) / i;
  return sets;
}
