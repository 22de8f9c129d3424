import type { WaitReason } from '../../api/v1alpha1/constants/index.ts';

/** Why a workload cannot start now: the reason token and one sentence with the numbers and the next step. */
export interface Refusal {
  readonly reason: WaitReason;
  readonly message: string;
}
