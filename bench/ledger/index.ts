import type { Benchmark } from '../benchmark.ts';
import type { FlagSet } from '../flags.ts';
import { engineNames, measure, reports, type Measurement } from './measure.ts';

const flags = {
  history: {
    type: 'number',
    default: 10_000_000,
    least: 1000,
    most: 50_000_000,
    meaning: 'closed intervals of a year',
  },
  writes: { type: 'number', default: 100_000, least: 100, most: 10_000_000, meaning: 'intervals written on top' },
  open: { type: 'number', default: 100_000, least: 1, most: 1_000_000, meaning: 'intervals open at the restart' },
  engines: { type: 'names', names: engineNames, meaning: 'where the ledger is kept' },
} as const satisfies FlagSet;

/** Limits that the ledger has to keep, in seconds. */
const reportLimit = 2;
const restartLimit = 5;

/** What the ledger's books cost: writing, restarting, reporting. */
export const ledger: Benchmark<typeof flags> = {
  name: 'ledger',
  summary: 'intervals written per second, restart with open intervals, reports over a year',
  flags,
  async run({ history, writes, open, engines }, signal) {
    const measurements: Measurement[] = [];
    for (const engine of engineNames) {
      if (!engines.includes(engine)) continue;
      measurements.push(await measure(engine, { history, writes, open }, signal));
    }
    const names = Object.keys(reports);
    return {
      table: {
        columns: ['engine', 'intervals/s', 'record us', 'restart s', ...names.map((name) => `${name} s`)],
        rows: measurements.map((m) => [
          m.engine,
          m.intervalsPerSecond,
          m.recordMicroseconds.toFixed(1),
          m.restartSeconds.toFixed(2),
          ...names.map((name) => (m.reportSeconds[name] ?? NaN).toFixed(2)),
        ]),
      },
      notes: [
        `${history} closed intervals of 500 quotas with 20 users each in a year; ${writes} more written; ${open} open.`,
        'The year of 100 investments, hour by hour, beside them.',
        'intervals/s: begun and ended, through journal and writer. record: cost of one to the thread that schedules.',
        'PostgreSQL runs without fsync, as in the tests: on a disk of its own each batch waits for that disk. SQLite syncs.',
        'restart: from opening the ledger to books that fit the pods. Reports are over the year, open ones included.',
      ],
      details: { measurements },
      failures: measurements.flatMap(tooSlow),
    };
  },
};

function tooSlow({ engine, restartSeconds, reportSeconds }: Measurement): string[] {
  const late = Object.entries(reportSeconds)
    .filter(([, seconds]) => seconds > reportLimit)
    .map(([name, seconds]) => `${engine}: ${name} took ${seconds.toFixed(2)} s, limit ${reportLimit} s`);
  if (restartSeconds > restartLimit)
    late.push(`${engine}: restart took ${restartSeconds.toFixed(2)} s, limit ${restartLimit} s`);
  return late;
}
