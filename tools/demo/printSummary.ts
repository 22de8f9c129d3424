import type { Summary } from './summary.ts';
import { table } from './table.ts';

/** A summary for people, in lines. */
export function summaryLines(summary: Summary): string[] {
  const { jobs, waits, api } = summary;
  const simulated = (seconds: number | undefined) =>
    seconds === undefined ? 'none' : `${seconds} s (${((seconds * summary.speedup) / 3600).toFixed(1)} h of the trace)`;
  const errors = Object.entries(api.errors).map(([code, count]) => `${code}: ${count}`);
  const figures = [
    [
      'jobs',
      `${jobs.submitted} submitted = ${jobs.done} done + ${jobs.failed} failed + ${jobs.running} running + ${jobs.pending} pending`,
    ],
    [
      'GPU-hours',
      `${summary.gpuHours.toFixed(1)} of the trace, ${summary.gpuSeconds} GPU-seconds as run in ${summary.wallSeconds} s`,
    ],
    [
      'utilization',
      `${(100 * summary.utilization).toFixed(1)} % of ${summary.gpus} GPUs on ${summary.nodes} nodes, while jobs were being submitted`,
    ],
    [
      'waits',
      `p50 ${simulated(waits.p50Seconds)}, p95 ${simulated(waits.p95Seconds)}, ${waits.pods} pods, whole seconds`,
    ],
    [
      'API errors',
      `${errors.length === 0 ? '0' : errors.join(', ')} in ${api.requests} requests of Moa; besides ${api.conflicts} conflicts, ${api.notFound} not found; the demo sent ${api.retriesOfDemo} again`,
    ],
    ['investment', investmentText(summary)],
  ];
  return [
    `Summary: ${summary.source}, ${summary.speedup} times as fast`,
    ...figures.map(([name = '', text = '']) => `  ${name.padEnd(12)} ${text}`),
    '',
    ...table(
      ['institution', 'jobs', 'GPU-hours', 'GPU-seconds as run'],
      summary.use.map(({ institution, jobs: count, gpuHours, gpuSeconds }) => [
        institution,
        String(count),
        gpuHours.toFixed(1),
        String(gpuSeconds),
      ]),
    ).map((line) => `  ${line}`),
    '',
    ...summary.checks.map(({ rule, holds, found }) => `  ${holds ? 'ok    ' : 'WRONG '} ${rule}: ${found}`),
  ];
}

function investmentText({ investment }: Summary): string {
  if (investment === undefined) return 'none';
  const { name, phase, contributed, matched, entitlement, effectiveEntitlement } = investment;
  return `${name} ${phase}: contributed ${contributed}, matched ${matched}, entitlement ${entitlement}, in effect ${effectiveEntitlement}`;
}
