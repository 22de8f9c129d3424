import type { Policy, Snapshot } from '../../core/snapshot/index.ts';
import {
  splitAt,
  type Entry,
  type HolderKey,
  type Holding,
  type OpenInterval,
  type Tally,
} from '../../ledger/index.ts';
import { Attribution } from './attribution.ts';
import { guaranteeOf, holdingsOf, termsOf, type Accounts, type ClassHolding } from './holdings.ts';
import type { Touched } from './touched.ts';

/** What a pod had open of a class, and when that ended. */
export interface Ended extends HolderKey {
  readonly end: number;
}

/**
 * Turns what the fleet shows into entries of the ledger (DESIGN.md section 4.4): an interval opens when a pod is bound
 * and closes when it is gone; it is split where guaranteed turns into borrowed, where another quota begins to pay, and
 * where a budget period ends. One for each term of leading.
 *
 * | operation | cost |
 * |---|---|
 * | follow | O(pods touched), O(pods) after the policy has changed |
 * | settle | O(holdings of the quotas in which something guaranteed has ended) |
 */
export class Bookkeeper {
  readonly #tally: Tally;
  readonly #accounts: Accounts;
  readonly #attribution = new Attribution();
  /** Classes of which a pod has an open interval, by uid. */
  readonly #classesOf = new Map<string, readonly string[]>();
  /**
   * Pods that exist and have nothing open of a class of which they had, by uid and class: when that ended, or Infinity for
   * those that nobody pays for. What opens again begins then, or now: from the binding on it would be charged twice, or be
   * taken for what the ledger has already.
   */
  readonly #ended = new Map<string, Map<string, number>>();
  #policy: Policy | undefined;
  #entries: Entry[] = [];

  /**
   * @param tally with what is open already
   * @param ended what pods that exist had open before, and have no more
   */
  constructor(tally: Tally, accounts: Accounts, ended: Iterable<Ended> = []) {
    this.#tally = tally;
    this.#accounts = accounts;
    for (const { podUid, class: accelerator, end } of ended) this.#noteEnd(podUid, accelerator, end);
    for (const { podUid, class: accelerator } of tally.values()) this.#addClass(podUid, accelerator);
  }

  /** What has been decided since the last call, in the order in which it happened. */
  takeEntries(): readonly Entry[] {
    const entries = this.#entries;
    this.#entries = [];
    return entries;
  }

  /** Brings the books up to what a snapshot shows. */
  follow(touched: ReadonlyMap<string, Touched>, snapshot: Snapshot, now: number): void {
    if (snapshot.policy !== this.#policy) {
      const first = this.#policy === undefined;
      this.#policy = snapshot.policy;
      const { quotas } = snapshot.policy;
      this.#attribution.setGuarantees((name) => guaranteeOf(quotas.get(name)));
      // By the time of binding, since the oldest are guaranteed first.
      const held = [...snapshot.running.pods()].filter(({ pod }) => pod.nodeName !== undefined);
      if (first) held.sort((a, b) => a.since - b.since);
      for (const { pod } of held) if (!touched.has(pod.uid)) this.#followPod(snapshot, { pod, end: undefined, now });
    }
    // What has ended makes room first: what begins at the same time is then guaranteed from its beginning.
    for (const [uid, { pod, end, unobserved }] of touched) {
      if (end === undefined) continue;
      if (pod !== undefined && !this.#classesOf.has(uid)) this.#followPod(snapshot, { pod, end: undefined, now: end });
      this.#closePod(uid, end, unobserved);
    }
    for (const { pod, end } of touched.values())
      if (end === undefined && pod !== undefined) this.#followPod(snapshot, { pod, end, now });
  }

  /** Splits what has turned from guaranteed into borrowed or back. */
  settle({ policy }: Snapshot, now: number): void {
    for (const { holder, covered } of this.#attribution.turned()) {
      const interval = this.#tally.get(holder);
      const quota = policy.quotas.get(interval?.account.quotas[0] ?? '');
      if (interval === undefined || quota?.pool === undefined) continue;
      const terms = termsOf(quota, covered ? 'Guaranteed' : 'Borrowed');
      if (terms.kind !== interval.kind) this.#split(interval, now, terms);
    }
  }

  /** Splits what a quota and those below it hold at the moment at which its budget period ends. */
  endPeriod(quota: string, at: number): void {
    for (const interval of [...this.#tally.values()])
      if (interval.start < at && interval.account.quotas.includes(quota)) this.#split(interval, at, {});
  }

  #followPod(snapshot: Snapshot, occupant: Parameters<typeof holdingsOf>[2]): void {
    const holdings = holdingsOf(snapshot, this.#accounts, occupant);
    // On a node that is not known, or while its quota is not in force, it holds what it held.
    if (holdings === undefined) return;
    const { uid } = occupant.pod;
    const classes = new Set(holdings.map(({ holding }) => holding.class));
    for (const accelerator of this.#classesOf.get(uid) ?? [])
      if (!classes.has(accelerator)) {
        this.#close(uid, accelerator, occupant.now);
        this.#noteEnd(uid, accelerator, Infinity);
      }
    for (const one of holdings) this.#followHolding(snapshot, one, occupant.now);
  }

  #followHolding(snapshot: Snapshot, { holding, hold }: ClassHolding, now: number): void {
    const { podUid, account } = holding;
    const known = this.#tally.get(holding);
    if (known !== undefined && known.account !== account) this.#attribution.remove(quotaOf(known), known);
    const covered = this.#attribution.put(quotaOf(holding), holding, hold);
    const quota = snapshot.policy.quotas.get(quotaOf(holding));
    const terms = covered && quota !== undefined ? termsOf(quota, 'Guaranteed') : {};
    const { kind, chargeFactor } = { ...holding, ...terms };
    if (known === undefined) {
      const ended = this.#ended.get(podUid)?.get(holding.class) ?? -Infinity;
      const start = Math.max(holding.start, Math.min(ended, now));
      this.#open({ ...holding, start, kind, chargeFactor, end: undefined, unobserved: false });
      this.#addClass(podUid, holding.class);
    } else if (known.account !== account || known.kind !== kind) {
      this.#split(known, now, { account, kind, chargeFactor });
    }
  }

  #closePod(uid: string, end: number, unobserved: boolean): void {
    for (const accelerator of this.#classesOf.get(uid) ?? []) this.#close(uid, accelerator, end, unobserved);
    this.#ended.delete(uid);
  }

  #close(podUid: string, accelerator: string, end: number, unobserved = false): void {
    const interval = this.#tally.get({ podUid, class: accelerator });
    if (interval === undefined) return;
    this.#attribution.remove(quotaOf(interval), interval);
    const left = (this.#classesOf.get(podUid) ?? []).filter((one) => one !== accelerator);
    if (left.length === 0) this.#classesOf.delete(podUid);
    else this.#classesOf.set(podUid, left);
    const { start } = interval;
    this.#tally.close(interval, Math.max(end, start));
    const key = { podUid, class: accelerator, start };
    this.#entries.push({ type: 'close', key, end: Math.max(end, start), unobserved });
  }

  #split(
    interval: OpenInterval,
    at: number,
    changes: Partial<Pick<OpenInterval, 'account' | 'kind' | 'chargeFactor'>>,
  ): void {
    const [{ podUid, class: accelerator, start, end }, next] = splitAt(interval, at);
    this.#tally.close(interval, end);
    this.#entries.push({ type: 'close', key: { podUid, class: accelerator, start }, end, unobserved: false });
    this.#open({ ...next, ...changes });
  }

  #open(interval: OpenInterval): void {
    this.#tally.open(interval);
    this.#entries.push({ type: 'open', interval });
  }

  #noteEnd(uid: string, accelerator: string, end: number): void {
    this.#ended.set(uid, (this.#ended.get(uid) ?? new Map<string, number>()).set(accelerator, end));
  }

  #addClass(uid: string, accelerator: string): void {
    this.#classesOf.set(uid, [...(this.#classesOf.get(uid) ?? []), accelerator]);
  }
}

/** The quota whose namespaces the holder is in. */
function quotaOf({ account }: Pick<Holding, 'account'>): string {
  return account.quotas[0] ?? '';
}
