import type { WaitReason } from '../../api/v1alpha1/constants/index.ts';

/**
 * Why a workload cannot start now: the reason token and one sentence with the numbers and the next step. The sentence
 * is put together when someone reads it, from numbers that were taken when the refusal was made.
 */
export interface Refusal {
  readonly reason: WaitReason;
  readonly describe: () => string;
}

export function refuse(reason: WaitReason, describe: () => string): Refusal {
  return { reason, describe };
}
