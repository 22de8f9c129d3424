import type { Holding } from './holdings.ts';
import type { Right } from './rights.ts';

/** Why a running workload may be taken (DESIGN.md section 4.2); `Overdue` = it is past its walltime. */
export type VictimCause = 'Overdue' | 'Reclaim' | 'Priority' | 'Fairness';

/** A running workload that the taker may have. */
export interface Claim {
  readonly holding: Holding;
  readonly cause: VictimCause;
  /** What must still hold when it is taken; undefined = nothing, it may be taken whatever else is. */
  readonly right: Right | undefined;
}
