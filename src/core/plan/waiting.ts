import type { WaitReason } from '../../api/v1alpha1/constants/index.ts';
import type { Workload } from '../snapshot/index.ts';
import { sentenceOf, type Refusal } from './refusal.ts';

/** Workloads that wait for the same reason. */
export interface Waiting {
  readonly reason: WaitReason;
  readonly message: string;
  /** They stay within their guarantee while others borrow in the pool: what they wait for is lent. */
  readonly owed: boolean;
  readonly workloads: readonly Workload[];
}

/** The sentence is put together when it is first read: most of 100,000 are not read before the next plan. */
export class WaitingWorkloads implements Waiting {
  readonly workloads: readonly Workload[];
  readonly owed: boolean;
  readonly #refusal: Refusal;
  #message: string | undefined;

  constructor(refusal: Refusal, workloads: readonly Workload[], owed: boolean) {
    this.#refusal = refusal;
    this.workloads = workloads;
    this.owed = owed;
  }

  get reason(): WaitReason {
    return this.#refusal.reason;
  }

  get message(): string {
    return (this.#message ??= sentenceOf(this.#refusal));
  }
}
