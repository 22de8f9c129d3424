import { micros, milli } from '../../src/core/units/index.ts';
import type { ClosedInterval, HoldingEntry, Interval, OpenInterval } from '../../src/ledger/index.ts';

export const kaist = { pool: 'national', timeZone: 'Asia/Seoul', quotas: ['kaist', 'alliance'] };

/** An interval that is open since the beginning of 2026 in UTC, of eight whole devices; the rest as given. */
export function openInterval(given: Partial<Omit<OpenInterval, 'end'>> = {}): OpenInterval {
  return {
    podUid: 'pod-1',
    class: 'h200',
    start: Date.parse('2026-01-01T00:00:00Z'),
    end: undefined,
    unobserved: false,
    account: kaist,
    workload: 'kaist/train',
    user: 'kim',
    node: 'node-1',
    milliDevices: 8000,
    weight: milli(1000),
    kind: 'Guaranteed',
    chargeFactor: micros(1_000_000),
    ...given,
  };
}

/** The entry that begins an interval. */
export function opening(interval: OpenInterval): HoldingEntry {
  return { type: 'open', interval };
}

/** The entry that ends an interval. */
export function closing(
  { podUid, class: accelerator, start }: Interval,
  end: number,
  unobserved = false,
): HoldingEntry {
  return { type: 'close', key: { podUid, class: accelerator, start }, end, unobserved };
}

/** The entries that a split leaves. */
export function splitting([first, second]: readonly [ClosedInterval, OpenInterval]): HoldingEntry[] {
  return [closing(first, first.end), opening(second)];
}
