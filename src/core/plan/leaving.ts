import type { Ask } from '../backfill/index.ts';
import type { PodFacts, Snapshot } from '../snapshot/index.ts';
import { freeDevices } from './room.ts';

/**
 * Devices on their way out that no one was promised yet, by resource: an upper bound that spares most workloads a
 * closer look at whether it would be enough for them.
 */
export class Leaving {
  readonly #snapshot: Snapshot;
  readonly #devices = new Map<string, number>();

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
    for (const { held } of snapshot.running.endings().leaving()) this.#count(held.pod, 1);
  }

  /** Counts pods that the cycle evicts. */
  add(pods: readonly PodFacts[]): void {
    for (const pod of pods) this.#count(pod, 1);
  }

  /** Counts pods that were promised a place among what leaves. */
  take(pods: readonly PodFacts[]): void {
    for (const pod of pods) this.#count(pod, -1);
  }

  /** False: not even everything that leaves would be enough. O(profiles x sizes). */
  mayHold({ request, placement }: Ask): boolean {
    const leaving = placement.roles
      .flatMap(({ pods: [first] }) => (first === undefined ? [] : this.#snapshot.acceleratorsOf(first.shape)))
      .reduce((most, { resourceName }) => Math.max(most, this.#devices.get(resourceName) ?? 0), 0);
    if (leaving <= 0) return false;
    const asked = request.reduce((sum, { devices }) => sum + devices, 0);
    return freeDevices(this.#snapshot, placement).total + leaving >= asked;
  }

  #count(pod: PodFacts, sign: 1 | -1): void {
    for (const { resourceName, devices } of this.#snapshot.acceleratorsOf(pod.shape)) {
      this.#devices.set(resourceName, (this.#devices.get(resourceName) ?? 0) + sign * devices);
    }
  }
}
