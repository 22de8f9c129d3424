import type { PlacementRequest } from '../place/index.ts';
import type { ClassRequest } from '../quota/index.ts';
import type { QuotaState } from '../snapshot/index.ts';

/** The blocked workload that others are to make way for, and one way to run it. */
export interface Taker {
  readonly quota: QuotaState;
  readonly priority: number;
  /** Its budget admits it as a borrower only: it has no right to reclaim. */
  readonly borrower: boolean;
  /** Devices of each class that it would be charged for. */
  readonly cost: readonly ClassRequest[];
  readonly placement: PlacementRequest;
  /** The limits beside the quota tree, class and user limits: asked with the victims taken out of the snapshot. */
  readonly admissible: () => boolean;
}
