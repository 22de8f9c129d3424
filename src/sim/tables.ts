import { formatDuration } from '../core/units/index.ts';
import type { Variant } from './comparison.ts';
import type { Summary } from './summary.ts';

const hours = (milliseconds: number): string => `${(milliseconds / 3_600_000).toFixed(1)} h`;

/** Two ways to share a pool, side by side. */
export function poolingTable(fenced: Summary, pooled: Summary): string {
  const rows: [string, (s: Summary) => string][] = [
    ['jobs started', (s) => `${s.started} of ${s.jobs}`],
    ['jobs that waited', (s) => String(s.waited)],
    ['wait, mean', (s) => formatDuration(s.waitMean)],
    ['wait, median', (s) => formatDuration(s.waitP50)],
    ['wait, 95th percentile', (s) => formatDuration(s.waitP95)],
    ['evictions', (s) => String(s.evictions)],
    ['GPU-hours', (s) => s.gpuHours.toFixed(0)],
    ['lost GPU-hours', (s) => s.lostGpuHours.toFixed(0)],
    ['first arrival to last end', (s) => hours(s.makespan)],
  ];
  const line = (cells: readonly string[]): string =>
    `${cells
      .map((cell, i) => cell.padEnd(i === 0 ? 27 : 16))
      .join('')
      .trimEnd()}\n`;
  return [line(['', 'fenced', 'pooled']), ...rows.map(([name, cell]) => line([name, cell(fenced), cell(pooled)]))].join(
    '',
  );
}

const columns: readonly { readonly title: string; readonly width: number; readonly cell: (s: Summary) => string }[] = [
  { title: 'never ran', width: 10, cell: (s) => String(s.jobs - s.started) },
  { title: 'mean wait', width: 10, cell: (s) => formatDuration(s.waitMean) },
  { title: 'median', width: 8, cell: (s) => formatDuration(s.waitP50) },
  { title: 'p95', width: 9, cell: (s) => formatDuration(s.waitP95) },
  { title: 'p99', width: 9, cell: (s) => formatDuration(s.waitP99) },
  { title: 'gangs p95', width: 11, cell: (s) => formatDuration(s.gangWaitP95) },
  { title: 'owed jobs', width: 10, cell: (s) => String(s.guaranteed) },
  { title: 'access p95', width: 11, cell: (s) => formatDuration(s.accessP95) },
  { title: 'worst', width: 9, cell: (s) => formatDuration(s.accessWorst) },
  { title: 'short', width: 9, cell: (s) => `${s.contendedHours.toFixed(0)} h` },
  { title: 'in use', width: 8, cell: (s) => `${(100 * s.useWhenContended).toFixed(1)} %` },
  { title: 'promised', width: 10, cell: (s) => String(s.promised) },
  { title: 'late', width: 6, cell: (s) => String(s.late) },
  { title: 'evicted', width: 8, cell: (s) => String(s.evictions) },
  { title: 'lost GPUh', width: 10, cell: (s) => s.lostGpuHours.toFixed(0) },
  { title: 'Jain', width: 6, cell: (s) => s.jainIndex.toFixed(2) },
  { title: 'least', width: 6, cell: (s) => s.leastServed.toFixed(2) },
];

const nameWidth = 19;

export function comparisonHead(): string {
  const titles = columns.map(({ title, width }) => title.padStart(width)).join('');
  return `${''.padEnd(nameWidth)}${titles}${'jobs/s'.padStart(8)}\n`;
}

/** @param seconds that the replay took */
export function comparisonRow({ name }: Variant, summary: Summary, seconds: number): string {
  const cells = columns.map(({ cell, width }) => cell(summary).padStart(width)).join('');
  return `${name.padEnd(nameWidth)}${cells}${(summary.jobs / seconds).toFixed(0).padStart(8)}\n`;
}

/** What the columns and the rows mean. */
export function comparisonLegend(variants: readonly Variant[]): string {
  const differences = variants.map(({ name, differs }) => `  ${name.padEnd(nameWidth)}${differs}\n`).join('');
  return `Each row adds one thing:
${differences}
  never ran   jobs too large for what their institution may ever use
  wait        from submission to end, beyond what the work itself takes: queue and lost attempts
  gangs       waits of the jobs that need more than one node
  owed jobs   their institution was entitled to them on arrival, beside all that it held and waited for;
              access: from their submission to their start, 95th percentile and worst
  short       hours in which more GPUs were asked for than there are; in use: part of the GPUs held meanwhile
  promised    jobs that were told a time while they waited; late: those that started after the first one told
  lost GPUh   GPU-hours of evicted jobs that had to be done again
  Jain        how evenly institutions that wanted more while GPUs were short were served for their shares (1: alike);
              least: GPU-hours of the worst served over its share (below 1: it got less than it is entitled to)
`;
}

/** What pooling is worth, in one sentence. */
export function gainOfPooling(fenced: Summary, pooled: Summary, institutions: number): string {
  const less = fenced.waitMean === 0 ? 0 : 1 - pooled.waitMean / fenced.waitMean;
  return (
    `Pooled instead of fenced into ${institutions} clusters, the same jobs on the same nodes wait ` +
    `${formatDuration(pooled.waitMean)} on average instead of ${formatDuration(fenced.waitMean)} ` +
    `(${(100 * less).toFixed(0)} % less), 95 % of them less than ${formatDuration(pooled.waitP95)} instead of ` +
    `${formatDuration(fenced.waitP95)}, ${fenced.waited - pooled.waited} fewer of ${pooled.jobs} wait at all, and the ` +
    `worst served institution has ${pooled.leastServed.toFixed(2)} of its share while it wants more.\n`
  );
}
