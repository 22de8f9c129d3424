import type { HoldingEntry } from './entry.ts';
import { holderKey, type HolderKey, type Interval, type OpenInterval } from './interval.ts';
import type { OpenState, Store } from './store.ts';

/** What a pod that exists says of its devices: where the ledger knows nothing of them, they are charged on these terms. */
export type Holding = Omit<OpenInterval, 'end' | 'unobserved'> & {
  /** When it ended, as far as the pod tells; undefined = it holds them still. */
  readonly end: number | undefined;
  /** Nobody saw the end, it is the last moment at which the pod was known: the ledger knows better if it has it as open. */
  readonly unobserved?: boolean;
};

/** What the ledger knows before it is reconciled. */
export interface Known extends OpenState {
  /** When the last interval of a holding that has none open ended, by `holderKey`. */
  readonly lastEnds: ReadonlyMap<string, number>;
}

/** What a reconciliation comes to. */
export interface Recovery {
  /** To be recorded before anything else. */
  readonly entries: readonly HoldingEntry[];
  /** What is open afterwards. */
  readonly open: readonly OpenInterval[];
}

/**
 * Brings the ledger and the pods together at the start of a term.
 *
 * @param holdings one for each pod and class that the pods of now show, ended ones included
 */
export async function recover(store: Store, holdings: readonly Holding[], now: number): Promise<Recovery> {
  const state = await store.open();
  const open = new Set(state.intervals.map(holderKey));
  const unmatched: HolderKey[] = holdings.filter((holding) => !open.has(holderKey(holding)));
  const keys = unmatched.map(({ podUid, class: accelerator }) => ({ podUid, class: accelerator }));
  const ends = await store.lastEnds(keys);
  const lastEnds = new Map<string, number>();
  for (const [i, key] of keys.entries()) {
    const end = ends[i];
    if (end !== undefined) lastEnds.set(holderKey(key), end);
  }
  return reconcile({ ...state, lastEnds }, holdings, now);
}

/**
 * What to write so that the ledger fits the pods. Writing it twice changes nothing. O(intervals + holdings).
 *
 * | ledger | pod | then |
 * |---|---|---|
 * | open | holds | stays open, on the terms it began with |
 * | open | ended | ends then |
 * | open | gone, or known to have ended before the interval began | ends when it was last known to be alive, and is marked |
 * | nothing open | holds | begins when the pod was bound, or where its last interval ended |
 * | nothing open | ended | the same, and ends then |
 */
export function reconcile({ intervals, seenAt, lastEnds }: Known, holdings: readonly Holding[], now: number): Recovery {
  const pods = new Map(holdings.map((holding) => [holderKey(holding), holding]));
  const entries: HoldingEntry[] = [];
  const open: OpenInterval[] = [];
  const close = (interval: Interval, end: number, unobserved: boolean): void => {
    const { podUid, class: accelerator, start } = interval;
    entries.push({ type: 'close', key: { podUid, class: accelerator, start }, end, unobserved });
  };
  for (const interval of intervals) {
    const key = holderKey(interval);
    const holding = pods.get(key);
    pods.delete(key);
    if (holding === undefined) close(interval, Math.min(seenAt, now), true);
    else if (holding.unobserved === true) close(interval, Math.min(Math.max(seenAt, holding.end ?? 0), now), true);
    else if (holding.end === undefined) open.push(interval);
    else if (holding.end < interval.start) close(interval, Math.min(seenAt, now), true);
    else close(interval, holding.end, false);
  }
  for (const [key, { end, unobserved = false, ...holding }] of pods) {
    const start = Math.max(holding.start, lastEnds.get(key) ?? holding.start);
    if (end !== undefined && end <= start) continue;
    const interval: OpenInterval = { ...holding, start, end: undefined, unobserved: false };
    entries.push({ type: 'open', interval });
    if (end === undefined) open.push(interval);
    else close(interval, end, unobserved);
  }
  entries.push({ type: 'seen', at: now });
  return { entries, open };
}
