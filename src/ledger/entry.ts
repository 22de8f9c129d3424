import type { IntervalKey, OpenInterval } from './interval.ts';
import type { InvestmentStretch, InvestorWait } from './investment.ts';

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

/** An investment stood, and was used, like that for a while. */
export interface Investing {
  readonly type: 'invested';
  readonly stretch: InvestmentStretch;
}

/** An investor had to wait for what was lent. */
export interface Awaiting {
  readonly type: 'waited';
  readonly wait: InvestorWait;
}

/** What pods hold. */
export type HoldingEntry = Opening | Closing | Sighting;

/** What comes of investments. */
export type InvestmentEntry = Investing | Awaiting;

/** One line of the ledger's history. Every entry may arrive any number of times; the first of its kind and key counts. */
export type Entry = HoldingEntry | InvestmentEntry;

/** Types of entries, for reading what an earlier process wrote. */
export const entryTypes: readonly string[] = ['open', 'close', 'seen', 'invested', 'waited'] satisfies Entry['type'][];
