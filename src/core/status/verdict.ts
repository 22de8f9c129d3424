import type { ConditionType } from '../../api/v1alpha1/index.ts';
import { ConditionReason } from '../../api/v1alpha1/constants/index.ts';
import type { Problem, Unreadable } from '../snapshot/index.ts';

/** A condition without its times. */
export interface ConditionValue {
  readonly type: ConditionType;
  readonly status: 'True' | 'False';
  readonly reason: ConditionReason;
  /** One sentence, with the numbers and the next step. */
  readonly message: string;
}

/** What a resource's status should say. A condition or figure that can't be told now is left out. */
export interface Verdict<Status> {
  /** Generation of the spec that was judged. */
  readonly generation: number;
  readonly conditions: readonly ConditionValue[];
  readonly figures: Omit<Status, 'conditions' | 'observedGeneration'>;
}

/** The status of a resource that could not be read at all: what is wrong, and no figures. */
export function unreadableStatus(unreadable: Unreadable): Verdict<object> {
  return { generation: unreadable.generation, conditions: [unreadableCondition(unreadable)], figures: {} };
}

/** The Ready condition of a resource that could not be read. */
export function unreadableCondition({ problem }: Unreadable): ConditionValue {
  return { type: 'Ready', status: 'False', reason: ConditionReason.InvalidSpec, message: problem };
}

/**
 * The Ready condition: False with what keeps the resource out of force, else True. Remarks leave it True: the first
 * gives the reason, all are told.
 */
export function readyCondition(
  problem: Problem | undefined,
  remarks: readonly Problem[],
  otherwise: string,
): ConditionValue {
  if (problem !== undefined) {
    return { type: 'Ready', status: 'False', reason: problem.reason, message: sentences([problem, ...remarks]) };
  }
  const [first] = remarks;
  if (first === undefined) return { type: 'Ready', status: 'True', reason: ConditionReason.Ready, message: otherwise };
  return { type: 'Ready', status: 'True', reason: first.reason, message: sentences(remarks) };
}

/** A condition that holds for one of two reasons. */
export function condition(
  type: ConditionType,
  holds: boolean,
  reason: ConditionReason,
  message: string,
): ConditionValue {
  return { type, status: holds ? 'True' : 'False', reason, message };
}

function sentences(problems: readonly Problem[]): string {
  return problems.map(({ message }) => message).join('. ');
}
