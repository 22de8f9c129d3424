import type { PodFacts } from './facts.ts';

/** A pod that holds its resources on a node. */
export interface HeldPod {
  readonly pod: PodFacts;
  /** Id of the node. */
  readonly node: number;
  /** When it was bound, or its binding decided. Epoch milliseconds. */
  readonly since: number;
  /** When it is killed at the latest, once it is being deleted. Epoch milliseconds. */
  readonly deletionAt: number | undefined;
  /** Its budget admitted it as a borrower only. */
  readonly borrower: boolean;
}
