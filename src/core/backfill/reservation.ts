import type { PlacedPod, PlacementRequest } from '../place/index.ts';
import type { ClassRequest, QuotaTree } from '../quota/index.ts';
import type { QuotaState, Reservation, Workload } from '../snapshot/index.ts';
import type { MilliGpus } from '../units/index.ts';

/** A workload and one way to run it. */
export interface Ask {
  readonly workload: Workload;
  /** Who pays; undefined = the workload needs no quota. */
  readonly quota: QuotaState | undefined;
  /** Devices that the quota would be charged with, and what they are worth. */
  readonly request: readonly ClassRequest[];
  readonly cost: MilliGpus;
  readonly placement: PlacementRequest;
  /** Milliseconds. */
  readonly walltime: number;
  /** It stays within guarantee: no borrower's reservation holds it back. */
  readonly guaranteed: boolean;
  /** The limits beside {@link QuotaTree.available} that ending workloads can open up: those of classes. */
  readonly admissible: (tree: QuotaTree) => boolean;
}

/** A reservation with everything that keeping it takes. */
export interface Booking {
  readonly reservation: Reservation;
  readonly ask: Ask;
  readonly placed: readonly PlacedPod[];
  /** First moment after its walltime. Epoch milliseconds. */
  readonly endsAt: number;
  /** The quotas as they will be at its time, everything that holds devices then charged, it itself not. */
  readonly forecast: QuotaTree | undefined;
}

/** Whether quota and class limits admit what is asked for, as the tree stands. */
export function admits(tree: QuotaTree | undefined, { quota, cost, admissible }: Ask): boolean {
  return tree === undefined || quota === undefined || (tree.available(quota.index) >= cost && admissible(tree));
}

/** Charges a tree with what is asked for; `count` -1 gives it back. */
export function charge(tree: QuotaTree | undefined, { quota, request }: Ask, count: 1 | -1): void {
  if (tree === undefined || quota === undefined) return;
  for (const { classIndex, devices } of request) tree.charge(quota.index, classIndex, devices * count);
}
