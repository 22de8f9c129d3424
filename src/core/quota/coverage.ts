import { at } from '../ds/index.ts';
import type { MilliGpus } from '../units/index.ts';
import { chargeFor } from './tree.ts';

/** What a quota guarantees its own pods. */
export interface Guarantee {
  /** Of any class, entitlements included. */
  readonly flexible: MilliGpus;
  /** Devices of each class, in the order of the pool's classes. */
  readonly classes: readonly number[];
  /** Worth of one device of each class. */
  readonly weights: readonly MilliGpus[];
}

/** Devices of one class that one pod holds. */
export interface Hold {
  readonly classIndex: number;
  readonly devices: number;
  /** Its budget admitted the pod as a borrower only. */
  readonly asBorrower: boolean;
}

/** A guarantee that is handed out to pods one after the other, the oldest first. */
export class Coverage {
  readonly #guarantee: Guarantee;
  readonly #classes: number[];
  #flexible: number;

  constructor(guarantee: Guarantee) {
    this.#guarantee = guarantee;
    this.#classes = [...guarantee.classes];
    this.#flexible = guarantee.flexible;
  }

  /**
   * Whether what is left of the guarantee covers a further pod's devices, all of them; then they use it up. Devices of a
   * class draw on that class's guarantee first. Never covered are what a budget admitted as a borrower, and a class that
   * the guarantee does not know, as after its pool has gone. O(1).
   */
  cover({ classIndex, devices, asBorrower }: Hold): boolean {
    const weight = this.#guarantee.weights[classIndex];
    if (asBorrower || weight === undefined) return false;
    const ofClass = Math.min(devices, at(this.#classes, classIndex));
    const rest = chargeFor(devices - ofClass, weight);
    if (rest > this.#flexible) return false;
    this.#classes[classIndex] = at(this.#classes, classIndex) - ofClass;
    this.#flexible -= rest;
    return true;
  }
}
