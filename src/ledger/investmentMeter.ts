import { dayAt } from '../core/units/index.ts';
import type { InvestmentEntry } from './entry.ts';
import { accountKey } from './interval.ts';
import {
  investmentMeasures,
  type InvestmentMeasure,
  type InvestmentStanding,
  type InvestmentStretch,
} from './investment.ts';

const hourMs = 3_600_000;

/** What has been seen of a stretch that goes on is recorded this often: so much a crash may lose. */
const recordMs = 60_000;

/** Who looks more seldom than that was frozen: what happened meanwhile is not known, and not counted. */
const longestGapMs = 5 * 60_000;

/** A stretch that goes on. */
interface Running {
  standing: InvestmentStanding;
  readonly start: number;
  /** When the hour ends in which it lies, counted from midnight of the pool. */
  readonly hourEnd: number;
  recordedAt: number;
  readonly sums: Record<InvestmentMeasure, bigint>;
}

/**
 * Adds up how investments stand from one look to the next, hour by hour, so that their accounts can be told for any time
 * in the past. Times that nobody saw (before the first look, after the last, while the clock was set back) are in no
 * stretch. One meter for each term of leading.
 *
 * `observe` costs O(investments).
 */
export class InvestmentMeter {
  /** By investment and account. */
  readonly #running = new Map<string, Running>();
  #now = -Infinity;

  /**
   * What it has seen by now. Without standings all that goes on is closed: to be called so when the term of leading ends.
   *
   * @param standings of every investment in force and within its term: what is left out has ended
   * @param now epoch milliseconds
   * @returns entries to be recorded
   */
  observe(standings: readonly InvestmentStanding[], now: number): readonly InvestmentEntry[] {
    const entries: InvestmentEntry[] = [];
    const since = this.#now;
    this.#now = Math.max(since, now);
    if (now < since) return entries;
    const wasFrozen = now - since > longestGapMs;
    for (const key of this.#running.keys()) {
      if (wasFrozen) this.#end(key, since, entries);
      else this.#advance(key, { from: since, to: now }, entries);
    }
    const seen = new Set<string>();
    for (const standing of standings) {
      const key = `${standing.investment} ${accountKey(standing.account)}`;
      seen.add(key);
      const running = this.#running.get(key);
      if (running === undefined) this.#running.set(key, begun(standing, now));
      else running.standing = standing;
    }
    for (const key of this.#running.keys()) if (!seen.has(key)) this.#end(key, now, entries);
    return entries;
  }

  /** Counts a stretch up to `to`; the hours that end on the way are recorded whole. */
  #advance(key: string, { from, to }: { from: number; to: number }, entries: InvestmentEntry[]): void {
    for (let moment = from; ;) {
      const running = this.#running.get(key);
      if (running === undefined) return;
      const until = Math.min(to, running.hourEnd);
      add(running, until - moment);
      moment = until;
      if (running.hourEnd > to) {
        if (to - running.recordedAt < recordMs) return;
        entries.push(entryOf(running, to));
        running.recordedAt = to;
        return;
      }
      entries.push(entryOf(running, until));
      this.#running.set(key, begun(running.standing, until));
    }
  }

  #end(key: string, at: number, entries: InvestmentEntry[]): void {
    const running = this.#running.get(key);
    this.#running.delete(key);
    if (running !== undefined && at > running.start) entries.push(entryOf(running, at));
  }
}

function begun(standing: InvestmentStanding, start: number): Running {
  const day = dayAt(start, standing.account.timeZone);
  const hourEnd = day.start + (Math.floor((start - day.start) / hourMs) + 1) * hourMs;
  const sums = { contributed: 0n, delivered: 0n, entitled: 0n, effective: 0n, used: 0n, lent: 0n };
  return { standing, start, hourEnd: Math.min(hourEnd, day.end), recordedAt: start, sums };
}

function add({ standing, sums }: Running, milliseconds: number): void {
  for (const measure of investmentMeasures) sums[measure] += BigInt(standing.levels[measure]) * BigInt(milliseconds);
}

function entryOf({ standing, start, sums }: Running, end: number): InvestmentEntry {
  const { account, investment } = standing;
  const texts = Object.fromEntries(investmentMeasures.map((measure) => [measure, String(sums[measure])]));
  return {
    type: 'invested',
    stretch: { account, investment, start, end, sums: texts as InvestmentStretch['sums'] },
  };
}
