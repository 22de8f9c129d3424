import { formatMicro, formatMilliGpus } from '../../core/units/index.ts';
import { chargeFor, milliGpuHours } from '../../core/budget/index.ts';
import type { Interval } from '../interval.ts';
import { csvLine, type Cell } from './csv.ts';

/** The time of a listing. Epoch milliseconds. */
export interface ListedTime {
  readonly from: number;
  readonly to: number;
  /** What is open counts until then. */
  readonly at: number;
}

const columns = [
  'pool',
  'quota',
  'parents',
  'user',
  'workload',
  'podUid',
  'node',
  'class',
  'devices',
  'weight',
  'kind',
  'chargeFactor',
  'start',
  'end',
  'state',
  'hours',
  'charged',
] as const;

export const intervalsHead = csvLine(columns);

/**
 * An interval as a line of CSV. Start and end are its own; `hours` is how long it lies within the time, and `charged`
 * what it costs there: devices x weight x hours x chargeFactor, rounded down. `state` says whether it is still open, and
 * whether its end was seen.
 */
export function intervalLine(interval: Interval, { from, to, at }: ListedTime): string {
  const { account, start, end, milliDevices } = interval;
  const milliseconds = Math.max(0, Math.min(end ?? at, to) - Math.max(start, from));
  const charged = chargeFor(BigInt(milliseconds) * BigInt(milliDevices), interval);
  const [quota, ...parents] = account.quotas;
  const cells: readonly Cell[] = [
    account.pool,
    quota,
    parents.join('/'),
    interval.user,
    interval.workload,
    interval.podUid,
    interval.node,
    interval.class,
    formatMilliGpus(milliDevices),
    formatMilliGpus(interval.weight),
    interval.kind,
    formatMicro(interval.chargeFactor),
    instant(start),
    end === undefined ? undefined : instant(end),
    end === undefined ? 'open' : interval.unobserved ? 'ended unobserved' : 'ended',
    (milliseconds / 3_600_000).toFixed(6),
    formatMilliGpus(milliGpuHours(charged)),
  ];
  return csvLine(cells);
}

function instant(at: number): string {
  return new Date(at).toISOString();
}
