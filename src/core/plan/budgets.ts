import { WaitReason } from '../../api/v1alpha1/constants/index.ts';
import {
  addCharges,
  admission,
  chargeOver,
  describeVerdict,
  leastCost,
  noCharge,
  rateFor,
  type BudgetLine,
  type BudgetVerdict,
  type Charge,
  type ChargeRate,
} from '../budget/index.ts';
import type { QuotaState, Snapshot } from '../snapshot/index.ts';
import { oneMicro } from '../units/index.ts';
import { refuse, type Refusal } from './refusal.ts';
import type { Option } from './request.ts';

/** Who pays for a way to run a workload, and for how long. */
export interface Spender {
  readonly quota: QuotaState | undefined;
  /** Milliseconds. */
  readonly walltime: number;
}

const full: BudgetVerdict = { outcome: 'Full' };

/**
 * The budgets as a cycle goes on (DESIGN.md section 4.4): what it admits, or evicts others for, counts as reserved at
 * once, so that no burst outruns a budget. Each quota's figures are asked for once a cycle.
 *
 * Every operation: O(depth) for a quota whose chain has budgets, O(1) for one whose chain has none.
 */
export class CycleBudgets {
  readonly #snapshot: Snapshot;
  readonly #now: number;
  /** By quota, the budgets of its chain, nearest first; empty = none. */
  readonly #lines = new Map<QuotaState, readonly BudgetLine[]>();
  /** By quota name, what the cycle has given away. */
  readonly #spent = new Map<string, Charge>();

  constructor(snapshot: Snapshot, now: number) {
    this.#snapshot = snapshot;
    this.#now = now;
  }

  /** Why nothing of a quota may start now whatever it asks for: a period of its chain is over or has not begun. */
  outsidePeriod(quota: QuotaState): Refusal | undefined {
    const verdict = this.#verdict(quota, leastCost);
    const { outcome } = verdict;
    if (outcome !== WaitReason.BudgetNotStarted && outcome !== WaitReason.BudgetExpired) return undefined;
    return refuse(outcome, () => describeVerdict(verdict));
  }

  /** How the budgets admit a way to run a workload. */
  verdictOn({ quota, walltime }: Spender, option: Option): BudgetVerdict {
    if (quota === undefined || this.#linesOf(quota).length === 0) return full;
    return this.#verdict(quota, costOf(quota, option, walltime));
  }

  /** Counts a way to run a workload as reserved from now on. */
  spend({ quota, walltime }: Spender, option: Option): void {
    if (quota === undefined) return;
    const lines = this.#linesOf(quota);
    if (lines.length === 0) return;
    const cost = costOf(quota, option, walltime);
    for (const { quotaName } of lines) this.#spent.set(quotaName, addCharges(this.#spentOf(quotaName), cost));
  }

  #verdict(quota: QuotaState, cost: Charge): BudgetVerdict {
    const lines = this.#linesOf(quota);
    if (lines.length === 0) return full;
    const present = lines.map((line) => {
      const spent = this.#spentOf(line.quotaName);
      return spent === noCharge ? line : { ...line, reserved: addCharges(line.reserved, spent) };
    });
    return admission(present, cost, this.#now);
  }

  #spentOf(quotaName: string): Charge {
    return this.#spent.get(quotaName) ?? noCharge;
  }

  #linesOf(quota: QuotaState): readonly BudgetLine[] {
    let lines = this.#lines.get(quota);
    if (lines === undefined) {
      const { budgets } = this.#snapshot;
      lines = quota.chain.flatMap((above) => budgets.lineOf(above, this.#now) ?? []);
      this.#lines.set(quota, lines);
    }
    return lines;
  }
}

/** Weight x devices x walltime, without `borrowedChargeFactor` (DESIGN.md section 7, Budget). */
function costOf({ pool }: QuotaState, { request }: Option, walltime: number): Charge {
  let rate = 0n;
  for (const { classIndex, devices } of request) {
    const weight = pool?.classes[classIndex]?.spec.weight;
    if (weight !== undefined) rate += rateFor(Math.round(devices * 1000), { weight, chargeFactor: oneMicro });
  }
  return chargeOver(rate as ChargeRate, Math.ceil(walltime));
}
