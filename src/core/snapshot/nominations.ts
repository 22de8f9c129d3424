import type { PendingSet } from './pending.ts';
import type { Nomination, Reservation } from './reservation.ts';

/** How long a place is held beyond the time that was given for it, milliseconds: kubelets kill a little late. */
const grace = 300_000;

/** The places that plans have given away in what others have to give back. Every operation: O(1) for each place. */
export class Nominations {
  readonly #pending: PendingSet;
  readonly #byWorkload = new Map<string, Nomination>();
  #given = 0;

  /** @param pending hears of each workload that has a place, and that has none any more */
  constructor(pending: PendingSet) {
    this.#pending = pending;
  }

  /** By key of the workload. */
  get byWorkload(): ReadonlyMap<string, Nomination> {
    return this.#byWorkload;
  }

  /**
   * Holds the places that a plan reserved in what is being freed: their workloads go before all others. Until a while
   * after the time they were given; what keeps them from starting then is not who was evicted for them.
   */
  add(reservations: readonly Reservation[]): void {
    for (const { workload, at, pods, closed } of reservations) {
      if (!closed || this.#byWorkload.has(workload.key)) continue;
      const nodes = new Map(pods.map(({ pod, nodeName }) => [pod.uid, nodeName]));
      this.#byWorkload.set(workload.key, { rank: this.#given++, until: at + grace, nodes });
      this.#pending.setApart(workload.key, true);
    }
  }

  /** Gives up the places of workloads that no longer wait, and those that were held for long enough. */
  expire(now: number): void {
    for (const [key, { until }] of this.#byWorkload) if (until <= now || !this.#pending.has(key)) this.#end(key);
  }

  clear(): void {
    for (const key of [...this.#byWorkload.keys()]) this.#end(key);
  }

  #end(workloadKey: string): void {
    this.#byWorkload.delete(workloadKey);
    this.#pending.setApart(workloadKey, false);
  }
}
