import type { WaitReason } from '../../api/v1alpha1/constants/index.ts';

/**
 * Why a workload cannot start now: the reason token and one sentence with the numbers and the next step. The sentence
 * is put together when someone reads it, from numbers that were taken when the refusal was made.
 */
export interface Refusal {
  readonly reason: WaitReason;
  readonly describe: () => string;
}

/** Characters of a sentence at the most: selectors that it repeats may be as long as a pod. */
const longest = 1000;

/** The sentence of a refusal as people get it. */
export function sentenceOf({ describe }: Refusal): string {
  const sentence = describe();
  return sentence.length <= longest ? sentence : `${Array.from(sentence).slice(0, longest).join('')}…`;
}

export function refuse(reason: WaitReason, describe: () => string): Refusal {
  return { reason, describe };
}
