import { readFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { formatDuration } from '../core/units/index.ts';
import { comparePooling, type Summary } from './comparison.ts';
import { busyWindow, peakGpus, readPhilly, sampleDay, type TraceJob } from './traces/index.ts';

const help = `Replays a trace through the planner on a virtual clock, no cluster needed: the same jobs on the same nodes with
every institution fenced into its guarantee, and pooled.

usage: npm run simulate -- [FLAGS]

  --trace FILE   A CSV with timestamp,duration,num_gpus,gpu_time,cluster (Microsoft Philly as ElasticFlow publishes it).
                 Without it: a day that Moa's own generator makes.
  --hours H      The busiest H hours of the trace. Default: 24.
  --nodes N      Nodes of eight GPUs. Default: what 80 % of the GPUs asked for at the peak need.
  --seed S       Of the generator. Default: 1.
  --help         Print this.
`;

function main(args: readonly string[]): number {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        trace: { type: 'string' },
        hours: { type: 'string', default: '24' },
        nodes: { type: 'string' },
        seed: { type: 'string', default: '1' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(help);
      return 0;
    }
    const jobs = jobsOf(values.trace, whole('--hours', values.hours), whole('--seed', values.seed));
    const peak = peakGpus(jobs);
    const nodes =
      values.nodes === undefined ? Math.max(1, Math.ceil((peak * 0.8) / 8)) : whole('--nodes', values.nodes);
    process.stdout.write(
      `${jobs.length} jobs, ${nodes} nodes of 8 GPUs; started on arrival they would need ${peak} GPUs\n\n`,
    );
    const began = process.hrtime.bigint();
    const { fenced, pooled } = comparePooling({ jobs, nodes });
    process.stdout.write(table(fenced, pooled));
    process.stdout.write(`\nreplayed twice in ${(Number(process.hrtime.bigint() - began) / 1e9).toFixed(1)} s\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
}

function jobsOf(path: string | undefined, hours: number, seed: number): readonly TraceJob[] {
  const all = path === undefined ? sampleDay({ seed, jobs: 4000 }) : readPhilly(readFileSync(path, 'utf8'));
  const jobs = busyWindow(all, { hours, maxJobs: all.length });
  if (jobs === undefined) throw new Error('the trace has no jobs; give --trace a file with at least one');
  return jobs;
}

function whole(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${flag} "${text}": write a whole number, 1 or more`);
  return value;
}

function table(fenced: Summary, pooled: Summary): string {
  const time = (seconds: number): string => formatDuration(seconds * 1000);
  const rows: [string, (s: Summary) => string][] = [
    ['jobs started', (s) => `${s.started} of ${s.jobs}`],
    ['jobs that waited', (s) => String(s.waited)],
    ['wait, mean', (s) => time(s.waitMean)],
    ['wait, median', (s) => time(s.waitP50)],
    ['wait, 95th percentile', (s) => time(s.waitP95)],
    ['GPU-hours', (s) => s.gpuHours.toFixed(0)],
    ['first arrival to last end', (s) => `${s.makespanHours.toFixed(1)} h`],
  ];
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(i === 0 ? 27 : 16))
      .join('')
      .trimEnd();
  return [line(['', 'fenced', 'pooled']), ...rows.map(([name, cell]) => line([name, cell(fenced), cell(pooled)]))]
    .map((text) => `${text}\n`)
    .join('');
}

process.exitCode = main(process.argv.slice(2));
