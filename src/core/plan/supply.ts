import type { Ask } from '../backfill/index.ts';
import type { Ending, PodFacts, Snapshot } from '../snapshot/index.ts';
import { freeDevices } from './room.ts';

/**
 * Devices of running pods that may come to be free and that no one was promised yet, by resource: an upper bound that
 * spares most workloads a closer look at whether it would be enough for them. What is promised to someone may still
 * free the quota of another.
 */
export class Supply {
  readonly #snapshot: Snapshot;
  readonly #read: () => Iterable<Ending>;
  /** Undefined until someone asks. */
  #devices: Map<string, number> | undefined;
  #some = false;

  /** @param read the pods that are there to begin with; called once, when first asked */
  constructor(snapshot: Snapshot, read: () => Iterable<Ending>) {
    this.#snapshot = snapshot;
    this.#read = read;
  }

  /** Nothing is left that was not promised. */
  get isSpent(): boolean {
    for (const devices of this.#counts().values()) if (devices > 0) return false;
    return true;
  }

  /** Counts more pods in. */
  add(pods: Iterable<PodFacts>): void {
    for (const pod of pods) this.#count(pod, 1);
  }

  /** Takes out what was promised. */
  take(pods: Iterable<PodFacts>): void {
    for (const pod of pods) this.#count(pod, -1);
  }

  /** False: not even all of it, with what is free, would be enough. O(profiles x sizes). */
  mayHold({ request, placement }: Ask): boolean {
    const devices = this.#counts();
    if (!this.#some) return false;
    const supply = placement.roles
      .flatMap(({ pods: [first] }) => (first === undefined ? [] : this.#snapshot.acceleratorsOf(first.shape)))
      .reduce((most, { resourceName }) => Math.max(most, devices.get(resourceName) ?? 0), 0);
    const asked = request.reduce((sum, { devices: each }) => sum + each, 0);
    return freeDevices(this.#snapshot, placement).total + Math.max(0, supply) >= asked;
  }

  #counts(): Map<string, number> {
    if (this.#devices === undefined) {
      this.#devices = new Map();
      for (const { held } of this.#read()) this.#count(held.pod, 1);
    }
    return this.#devices;
  }

  #count(pod: PodFacts, sign: 1 | -1): void {
    const counts = this.#counts();
    this.#some ||= sign > 0;
    for (const { resourceName, devices } of this.#snapshot.acceleratorsOf(pod.shape)) {
      counts.set(resourceName, (counts.get(resourceName) ?? 0) + sign * devices);
    }
  }
}
