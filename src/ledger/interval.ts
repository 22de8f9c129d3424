import { oneMicro, type Micro, type MilliGpus } from '../core/units/index.ts';

/** Who pays: the quota that selects the pod's namespace and every quota above it. */
export interface Account {
  readonly pool: string;
  /** `accounting.timeZone` of the pool: where its days and months begin. */
  readonly timeZone: string;
  /** Names of the quotas, the pod's own first, the topmost last. */
  readonly quotas: readonly string[];
}

/** Whether the devices were held within the quota's guarantee or lent to it. */
export type HoldingKind = 'Guaranteed' | 'Borrowed';

/** Who holds devices: a pod, which has one interval of a class at a time. */
export interface HolderKey {
  readonly podUid: string;
  /** Name of the accelerator class. */
  readonly class: string;
}

/** What names an interval for ever. */
export interface IntervalKey extends HolderKey {
  /** Epoch milliseconds. */
  readonly start: number;
}

/**
 * A time in which a pod held devices of one class on unchanging terms (DESIGN.md section 4.4). What holds at the start
 * is pinned: an account, a weight or a factor that changes later changes no interval that exists.
 */
export interface Interval extends IntervalKey {
  /** First moment after it, not before `start`; undefined while the pod holds the devices. */
  readonly end: number | undefined;
  /** The end was not seen: it is the last moment at which the pod was known to be alive. */
  readonly unobserved: boolean;
  readonly account: Account;
  /** The workload's key: namespace and gang, or the uid of the pod. */
  readonly workload: string;
  /** Label `moa.dev/user`. */
  readonly user: string | undefined;
  readonly node: string;
  /** Thousandths of devices: 8000 is eight whole ones. */
  readonly milliDevices: number;
  /** Worth of one device. */
  readonly weight: MilliGpus;
  readonly kind: HoldingKind;
  /** What the charge is multiplied with: the pool's `borrowedChargeFactor` for what is borrowed, else one. */
  readonly chargeFactor: Micro;
}

/** An interval that has not ended. */
export type OpenInterval = Interval & { readonly end: undefined };

/** An interval that has ended. It never changes again. */
export type ClosedInterval = Interval & { readonly end: number };

/** The interval as it ended. A clock that went back ends it where it began: no charge is ever negative. */
export function closedAt(interval: Interval, end: number, unobserved = false): ClosedInterval {
  return { ...interval, end: Math.max(end, interval.start), unobserved };
}

/** On which terms devices are held. */
export interface Terms {
  readonly kind: HoldingKind;
  /** The pool's `borrowedChargeFactor`. */
  readonly borrowedChargeFactor: Micro;
}

/** The factor that the terms put on the charge: what is guaranteed is never marked up or down. */
export function chargeFactorOf({ kind, borrowedChargeFactor }: Terms): Micro {
  return kind === 'Borrowed' ? borrowedChargeFactor : oneMicro;
}

/**
 * Ends an interval and goes on in another from the same moment: where guaranteed turns into borrowed or back, or where a
 * budget period ends. Without `terms` the second goes on as the first.
 *
 * A split at or before the start moves to a millisecond after it, so that the second never takes the key of the first.
 */
export function splitAt(interval: Interval, at: number, terms?: Terms): readonly [ClosedInterval, OpenInterval] {
  const moment = Math.max(at, interval.start + 1);
  const next = terms === undefined ? {} : { kind: terms.kind, chargeFactor: chargeFactorOf(terms) };
  return [closedAt(interval, moment), { ...interval, ...next, start: moment, end: undefined, unobserved: false }];
}

/** Text that is the same for the same pod and class, and for no other. */
export function holderKey({ podUid, class: accelerator }: HolderKey): string {
  return `${podUid} ${accelerator}`;
}

/** Text that is the same for the same account, and for no other. Names of quotas hold no slash. */
export function accountKey({ pool, timeZone, quotas }: Account): string {
  return `${pool} ${timeZone} ${quotas.join('/')}`;
}
