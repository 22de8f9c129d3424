import type { IntervalKey, OpenInterval } from './interval.ts';

/** A pod holds devices from now on. */
export interface Opening {
  readonly type: 'open';
  readonly interval: OpenInterval;
}

/** It holds them no longer. */
export interface Closing {
  readonly type: 'close';
  readonly key: IntervalKey;
  /** Epoch milliseconds. */
  readonly end: number;
  readonly unobserved: boolean;
}

/** Everything that is open was alive at that moment: whoever writes this has a fresh view of the pods. */
export interface Sighting {
  readonly type: 'seen';
  /** Epoch milliseconds. */
  readonly at: number;
}

/** One line of the ledger's history. Every entry may arrive any number of times; the first of its kind and key counts. */
export type Entry = Opening | Closing | Sighting;
