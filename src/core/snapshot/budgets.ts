import {
  limitsAt,
  noCharge,
  rateFor,
  ReservedTime,
  type BudgetLine,
  type Charge,
  type ChargeRate,
  type MilliGpuHours,
} from '../budget/index.ts';
import { oneMicro } from '../units/index.ts';
import type { HeldPod } from './heldPod.ts';
import type { QuotaState } from './policy.ts';
import { walltimeOf } from './walltime.ts';

/** What the ledger knows of a budget's period at a moment, children included. */
export interface BudgetUsed {
  readonly used: Charge;
  readonly carriedOver: MilliGpuHours;
}

/** How the budget of a quota stands at a moment, epoch milliseconds. */
export type BudgetUse = (quota: string, at: number) => BudgetUsed;

/** As long as nobody keeps a ledger. */
export const nothingUsed: BudgetUse = () => ({ used: noCharge, carriedOver: 0 as MilliGpuHours });

/** Devices that a pod holds of one class. */
export interface HeldDevices {
  readonly className: string;
  /** Index of the class in its pool. */
  readonly classIndex: number;
  /** Thousandths where it holds a part of one. */
  readonly devices: number;
}

/**
 * The budgets of all quotas: what is used, as someone else says, and what is reserved for the pods that run, worked out
 * here from their walltimes.
 *
 * | operation | cost |
 * |---|---|
 * | start, stop | O(depth + log pods) for a pod whose quotas have a budget, else O(depth) |
 * | lineOf | O(adjustments), and O(depth) for each walltime that ended since the last call |
 */
export class Budgets {
  readonly #reserved = new ReservedTime();
  readonly #use: BudgetUse;

  constructor(use: BudgetUse) {
    this.#use = use;
  }

  /** Counts the walltime of a pod that begins to hold devices, or takes its latest facts. */
  start({ pod, since, deletionAt }: HeldPod, quota: QuotaState, held: readonly HeldDevices[]): void {
    const quotas = quota.chain.filter(({ spec }) => spec.budget !== undefined).map(({ spec }) => spec.name);
    if (quotas.length === 0) return;
    let rate = 0n;
    for (const { classIndex, devices } of held) {
      const weight = quota.pool?.classes[classIndex]?.spec.weight;
      if (weight !== undefined) rate += rateFor(Math.round(devices * 1000), { weight, chargeFactor: oneMicro });
    }
    const endsAt = Math.min(since + walltimeOf(pod.walltime, quota), deletionAt ?? Infinity);
    this.#reserved.begin({ id: pod.uid, quotas, rate: rate as ChargeRate, endsAt });
  }

  stop(uid: string): void {
    this.#reserved.finish(uid);
  }

  /** The quota's own budget at a moment; undefined = it has none. */
  lineOf({ spec }: QuotaState, now: number): BudgetLine | undefined {
    if (spec.budget === undefined) return undefined;
    const { used, carriedOver } = this.#use(spec.name, now);
    const limits = limitsAt(spec.budget, carriedOver, now);
    return { quotaName: spec.name, limits, used, reserved: this.#reserved.at(spec.name, Math.floor(now)) };
  }
}
