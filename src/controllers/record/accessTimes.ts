import { WaitReason } from '../../api/v1alpha1/constants/index.ts';
import type { Waiting } from '../../core/plan/index.ts';
import type { Policy, QuotaState, Workload } from '../../core/snapshot/index.ts';
import { countedReclaims, type AccessRecord, type Reclaim } from '../../core/status/index.ts';

/** A workload that waits, or waited until now, for what was lent. */
export interface AccessWait {
  /** Key of the workload. */
  readonly workload: string;
  readonly quota: QuotaState;
  /** Epoch milliseconds. */
  readonly since: number;
}

/** A wait of an investor that is over: the ledger keeps it for the account of the investment. */
export interface InvestorReclaim extends Reclaim {
  /** Name of the MatchingInvestment. */
  readonly investment: string;
  /** The quota that receives its entitlement. */
  readonly investor: QuotaState;
  /** Key of the workload. */
  readonly workload: string;
}

/** A workload that got what had been lent. */
interface Access {
  readonly pool: string;
  readonly seconds: number;
}

/**
 * Measures how fast lent capacity comes back: for each workload from the moment when it is seen to wait for it, within
 * its guarantee, until it starts, whatever it is told in between. The reclaims of an investor's quota, and of the quotas
 * below it, count for each of its investments.
 */
export class AccessTimes {
  /** By key of the workload. */
  readonly #waits = new Map<string, AccessWait>();
  /** Whether a plan was observed: the first shows what was told before this process led. */
  #hasObserved = false;
  /** By uid of the investment; undefined until its status was asked for what it had kept. */
  readonly #reclaims = new Map<string, readonly Reclaim[]>();
  /** Reclaims of investments whose status was not asked for yet, by name. */
  readonly #fresh = new Map<string, Reclaim[]>();
  /** What the ledger has not been told. */
  #untold: InvestorReclaim[] = [];

  /**
   * Takes what waits by the latest plan.
   *
   * @param isGone whether a workload that does not wait any more was deleted, and is not about to start
   * @param now epoch milliseconds
   */
  observe(waiting: readonly Waiting[], policy: Policy, now: number, isGone: (key: string) => boolean): void {
    for (const { owed, workloads } of waiting) {
      if (!owed && this.#hasObserved) continue;
      for (const workload of workloads) {
        if (!owed && !toldBefore(workload)) continue;
        const quota = policy.quotaOfNamespace.get(workload.namespace);
        if (quota === undefined || this.#waits.has(workload.key)) continue;
        this.#waits.set(workload.key, { workload: workload.key, quota, since: waitingSince(workload, now) });
      }
    }
    this.#hasObserved = true;
    for (const [key, wait] of this.#waits) {
      if (!isGone(key)) continue;
      this.#waits.delete(key);
      // Given up after the promise was broken: that it never started does not mend it.
      this.#record(wait, policy, now, (promise) => now - wait.since > promise);
    }
  }

  /** Those that wait now, by the latest plan that was observed. */
  waits(): Iterable<AccessWait> {
    return this.#waits.values();
  }

  /**
   * The workload is about to start. One that was told before this process led, and starts with its first plan, has
   * waited too: what was lent came back while nobody led.
   */
  admitted(workload: Workload, { quotaOfNamespace }: Policy): void {
    if (this.#hasObserved || !toldBefore(workload) || this.#waits.has(workload.key)) return;
    const quota = quotaOfNamespace.get(workload.namespace);
    if (quota !== undefined)
      this.#waits.set(workload.key, { workload: workload.key, quota, since: workload.createdAt });
  }

  /** All pods of the workload are bound. @returns undefined when it had not waited for what was lent */
  started(workload: Workload, policy: Policy, now: number): Access | undefined {
    const wait = this.#waits.get(workload.key);
    if (wait === undefined) return undefined;
    this.#waits.delete(workload.key);
    this.#record(wait, policy, now, () => true);
    return { pool: wait.quota.spec.poolName, seconds: Math.max(0, now - wait.since) / 1000 };
  }

  /**
   * What is known of an investor's access.
   *
   * @param kept what the status of the investment has kept: asked for once, for whatever happened before this process led
   */
  recordOf(
    investment: { readonly uid: string; readonly name: string; readonly investor: string },
    now: number,
    kept: () => readonly Reclaim[],
  ): AccessRecord {
    const { uid, name, investor } = investment;
    const known = this.#reclaims.get(uid) ?? kept();
    const reclaims = countedReclaims([...known, ...(this.#fresh.get(name) ?? [])], now);
    this.#fresh.delete(name);
    this.#reclaims.set(uid, reclaims);
    const waits = [...this.#waits.values()].filter(({ quota }) => isInvestor(quota, investor));
    return { reclaims, waitingSince: waits.map(({ since }) => since) };
  }

  /** Waits of investors that were over since the last call. */
  takeReclaims(): readonly InvestorReclaim[] {
    const untold = this.#untold;
    this.#untold = [];
    return untold;
  }

  #record(
    { workload, quota, since }: AccessWait,
    policy: Policy,
    now: number,
    counts: (promise: number) => boolean,
  ): void {
    for (const { spec } of policy.investments.values()) {
      const promise = spec.guaranteedAccessWithin ?? Infinity;
      if (!isInvestor(quota, spec.investorName) || !counts(promise)) continue;
      const waited = Math.max(0, now - since);
      const reclaim = { at: now, seconds: Math.ceil(waited / 1000), breach: waited > promise };
      const investor = policy.quotas.get(spec.investorName);
      if (investor !== undefined) this.#untold.push({ ...reclaim, investment: spec.name, investor, workload });
      const fresh = this.#fresh.get(spec.name);
      if (fresh === undefined) this.#fresh.set(spec.name, [reclaim]);
      else fresh.push(reclaim);
    }
  }
}

/** A workload that was told so before this process led has waited for longer than we can know: since it was created. */
function waitingSince(workload: Workload, now: number): number {
  return toldBefore(workload) ? Math.min(workload.createdAt, now) : now;
}

function toldBefore({ pods }: Workload): boolean {
  return pods[0]?.explained?.startsWith(WaitReason.WaitingForReclaim) === true;
}

function isInvestor({ chain }: QuotaState, investor: string): boolean {
  return chain.some(({ spec }) => spec.name === investor);
}
