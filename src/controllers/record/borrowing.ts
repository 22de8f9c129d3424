import type { ResearchQuotaStatus } from '../../api/v1alpha1/index.ts';
import type { BorrowHistory } from '../../core/quota/index.ts';
import type { DecayedUse } from '../../core/status/index.ts';
import { parseMilliGpus, type MilliGpus } from '../../core/units/index.ts';

/** A value that moved by more than this fraction, or by as much of a GPU, is shown after a minute, any other after five. */
const noticeable = 0.01;
const soonestMs = 60_000;
const latestMs = 300_000;

/**
 * What each quota borrowed on average (DESIGN.md section 4.2): taken up from the statuses when this process begins to
 * lead, and shown there in steps, so that a value that never rests does not write the status without end.
 */
export class Borrowing {
  readonly #history: BorrowHistory;
  readonly #shown = new Map<string, DecayedUse>();

  /** @param history kept up to date by the fleet */
  constructor(history: BorrowHistory) {
    this.#history = history;
  }

  /** Takes up what the statuses have kept. At most five minutes before a restart are lost. */
  takeUp(quotas: Iterable<{ readonly name: string; readonly status: ResearchQuotaStatus | undefined }>): void {
    for (const { name, status } of quotas) {
      const { decayedUsage, asOf } = status?.fairShare ?? {};
      const decayed = decayedUsage === undefined ? undefined : parseMilliGpus(decayedUsage);
      if (decayed === undefined || asOf === undefined) continue;
      const seen = { decayed, asOf: Date.parse(asOf) };
      this.#history.seed(name, seen.decayed, seen.asOf);
      this.#shown.set(name, seen);
    }
  }

  /** The average as a status should show it. */
  shownOf(quota: string, now: number): DecayedUse {
    const decayed = this.#history.valueOf(quota);
    const shown = this.#shown.get(quota);
    if (shown !== undefined && !isDue(shown, decayed, now)) return shown;
    const next = { decayed, asOf: now };
    this.#shown.set(quota, next);
    return next;
  }
}

function isDue(shown: DecayedUse, decayed: MilliGpus, now: number): boolean {
  const moved = Math.abs(decayed - shown.decayed);
  const soon = moved > noticeable * Math.max(1000, shown.decayed);
  return moved > 0 && now - shown.asOf >= (soon ? soonestMs : latestMs);
}
