import type { ConditionReason } from '../../api/v1alpha1/constants/index.ts';

/** Why a resource is not as its owner meant it: a condition reason and a sentence. */
export interface Problem {
  readonly reason: ConditionReason;
  readonly message: string;
}
