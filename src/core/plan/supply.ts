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
  readonly #devices = new Map<string, number>();
  #some = false;

  constructor(snapshot: Snapshot, pods: Iterable<Ending>) {
    this.#snapshot = snapshot;
    this.add(Array.from(pods, ({ held }) => held.pod));
  }

  /** Counts more pods in. */
  add(pods: readonly PodFacts[]): void {
    for (const pod of pods) this.#count(pod, 1);
    this.#some ||= pods.length > 0;
  }

  /** Takes out what was promised. */
  take(pods: readonly PodFacts[]): void {
    for (const pod of pods) this.#count(pod, -1);
  }

  /** False: not even all of it, with what is free, would be enough. O(profiles x sizes). */
  mayHold({ request, placement }: Ask): boolean {
    const supply = placement.roles
      .flatMap(({ pods: [first] }) => (first === undefined ? [] : this.#snapshot.acceleratorsOf(first.shape)))
      .reduce((most, { resourceName }) => Math.max(most, this.#devices.get(resourceName) ?? 0), 0);
    if (!this.#some) return false;
    const asked = request.reduce((sum, { devices }) => sum + devices, 0);
    return freeDevices(this.#snapshot, placement).total + Math.max(0, supply) >= asked;
  }

  #count(pod: PodFacts, sign: 1 | -1): void {
    for (const { resourceName, devices } of this.#snapshot.acceleratorsOf(pod.shape)) {
      this.#devices.set(resourceName, (this.#devices.get(resourceName) ?? 0) + sign * devices);
    }
  }
}
