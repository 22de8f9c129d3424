import { gangKeyOf, type PodFacts, type QuotaState, type Snapshot } from '../../core/snapshot/index.ts';
import type { Guarantee, Hold } from '../../core/quota/index.ts';
import { milli } from '../../core/units/index.ts';
import { accountKey, chargeFactorOf, type Account, type Holding, type HoldingKind } from '../../ledger/index.ts';

/** Devices of one class that a pod holds: as the ledger has it, and as the quota's guarantee sees it. */
export interface ClassHolding {
  readonly holding: Holding;
  readonly hold: Hold;
}

/** A pod that holds, or held, devices. */
export interface Occupant {
  readonly pod: PodFacts;
  /** When it ended, epoch milliseconds; undefined = it has not. */
  readonly end: number | undefined;
}

/**
 * What a pod holds of its quota's pool, class by class, on the terms of now: as borrowed, until the guarantee is known to
 * cover it. Undefined where that can't be told: its node is not known (any more), or its quota is not in force.
 *
 * @param now what began later, by another clock, began now
 */
export function holdingsOf(
  snapshot: Snapshot,
  accounts: Accounts,
  { pod, end, now }: Occupant & { readonly now: number },
): readonly ClassHolding[] | undefined {
  const nodeName = pod.nodeName ?? '';
  const node = snapshot.nodes.idOf(nodeName);
  if (node === undefined) return undefined;
  const quota = snapshot.policy.quotaOfNamespace.get(pod.namespace);
  if (quota === undefined) return [];
  const { pool } = quota;
  if (pool === undefined) return undefined;
  return snapshot.devicesOf({ pod, node }).flatMap(({ className, classIndex, devices }) => {
    const weight = pool.classes[classIndex]?.spec.weight;
    if (weight === undefined) return [];
    const holding: Holding = {
      podUid: pod.uid,
      class: className,
      start: Math.min(pod.boundAt ?? now, now),
      end,
      account: accounts.of(quota),
      workload: gangKeyOf(pod) ?? pod.uid,
      user: pod.user,
      node: nodeName,
      milliDevices: Math.round(devices * 1000),
      weight,
      ...termsOf(quota, 'Borrowed'),
    };
    return [{ holding, hold: { classIndex, devices, asBorrower: pod.borrower } }];
  });
}

/** Kind and charge factor of what a quota holds. */
export function termsOf({ pool }: QuotaState, kind: HoldingKind): Pick<Holding, 'kind' | 'chargeFactor'> {
  const borrowedChargeFactor = pool?.spec.borrowedChargeFactor;
  if (borrowedChargeFactor === undefined) throw new Error('a quota that is not in force holds nothing');
  return { kind, chargeFactor: chargeFactorOf({ kind, borrowedChargeFactor }) };
}

/** What a quota guarantees its own pods: its own guarantee and its entitlements. Undefined = it is not in force. */
export function guaranteeOf(quota: QuotaState | undefined): Guarantee | undefined {
  if (quota?.pool === undefined) return undefined;
  const { spec, entitled, pool } = quota;
  return {
    flexible: milli(spec.guaranteed + entitled),
    classes: pool.classes.map((c) => spec.classes.find(({ name }) => name === c.spec.name)?.guaranteed ?? 0),
    weights: pool.classes.map((c) => c.spec.weight),
  };
}

/** Accounts of quotas, equal ones being one object. */
export class Accounts {
  readonly #byKey = new Map<string, Account>();
  #ofQuota = new WeakMap<QuotaState, Account>();

  of(quota: QuotaState): Account {
    let account = this.#ofQuota.get(quota);
    if (account === undefined) {
      const { name: pool = '', timeZone = 'UTC' } = quota.pool?.spec ?? {};
      account = this.shared({ pool, timeZone, quotas: quota.chain.map(({ spec }) => spec.name) });
      this.#ofQuota.set(quota, account);
    }
    return account;
  }

  shared(account: Account): Account {
    const key = accountKey(account);
    const known = this.#byKey.get(key);
    if (known === undefined) this.#byKey.set(key, account);
    return known ?? account;
  }
}
