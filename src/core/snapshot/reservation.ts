import type { PodFacts } from './facts.ts';
import type { Workload } from './workloads.ts';

/** Space that is kept for a waiting workload. */
export interface Reservation {
  readonly workload: Workload;
  /** When it can start at the latest, by what is known now. Epoch milliseconds. */
  readonly at: number;
  readonly pods: readonly { readonly pod: PodFacts; readonly nodeName: string }[];
  /**
   * All that it waits for is being deleted already: its space is closed to every other workload, however short. False:
   * who ends before `at` may use the space until then.
   */
  readonly closed: boolean;
}

/** A place in what others have to give back, held from the plan that evicted them until the workload starts. */
export interface Nomination {
  /** Order in which places were given. */
  readonly rank: number;
  /** Until when it is held, epoch milliseconds. */
  readonly until: number;
  /** Node name by the uid of the pod. */
  readonly nodes: ReadonlyMap<string, string>;
}
