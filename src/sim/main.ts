import { readFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { parseDuration } from '../core/units/index.ts';
import { comparePooling, replayShared, variants, type ComparisonInput } from './comparison.ts';
import { summaryOf } from './summary.ts';
import { comparisonHead, comparisonLegend, comparisonRow, gainOfPooling, poolingTable } from './tables.ts';
import {
  busyWindow,
  institutionsOf,
  isOpenb,
  peakGpus,
  readOpenbJobs,
  readPhilly,
  sampleDay,
  type TraceJob,
} from './traces/index.ts';
import { parseWalltimes } from './walltimes.ts';

const help = `Replays a trace through the planner on a virtual clock, no cluster needed: the same jobs on the same nodes with
every institution fenced into its guarantee, and pooled.

usage: npm run simulate -- [FLAGS]

  --trace FILE       A CSV with timestamp,duration,num_gpus,gpu_time,cluster (Microsoft Philly as ElasticFlow publishes
                     it), or the pods of Alibaba's 2023 GPU trace (openb_pod_list_*.csv). Without it: a day that Moa's
                     own generator makes.
  --hours H          The busiest H hours of the trace. Default: 24.
  --days D           The same in days. As many as the trace has: all of it.
  --nodes N          Nodes of eight GPUs. Default: what 80 % of the GPUs asked for at the peak need.
  --compare          Not only fenced and pooled: one row for each thing that pooling is made of.
  --walltime W       What users declare: exact, xN (N times the truth, in whole hours) or a duration. Default: x2.
  --checkpoint D     How often jobs save what they have done, such as 30m. Without it an evicted job begins anew.
  --seed S           Of the generator. Default: 1.
  --help             Print this.
`;

function main(args: readonly string[]): number {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        trace: { type: 'string' },
        hours: { type: 'string' },
        days: { type: 'string' },
        nodes: { type: 'string' },
        compare: { type: 'boolean', default: false },
        walltime: { type: 'string', default: 'x2' },
        checkpoint: { type: 'string' },
        seed: { type: 'string', default: '1' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(help);
      return 0;
    }
    const assumed = {
      walltimes: parseWalltimes(values.walltime),
      checkpoint: values.checkpoint === undefined ? undefined : span('--checkpoint', values.checkpoint),
    };
    const jobs = jobsOf(values.trace, hoursOf(values), whole('--seed', values.seed));
    const peak = Math.ceil(peakGpus(jobs));
    const nodes =
      values.nodes === undefined ? Math.max(1, Math.ceil((peak * 0.8) / 8)) : whole('--nodes', values.nodes);
    const institutions = institutionsOf(jobs).length;
    process.stdout.write(
      `${jobs.length} jobs of ${institutions} institutions, ${nodes} nodes of 8 GPUs; ` +
        `started on arrival they would need ${peak} GPUs\n\n`,
    );
    const input = { jobs, nodes, ...assumed };
    if (values.compare) compareVariants(input, institutions);
    else compareTwo(input);
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
}

function compareTwo(input: ComparisonInput): void {
  const began = process.hrtime.bigint();
  const { fenced, pooled } = comparePooling(input);
  process.stdout.write(poolingTable(fenced, pooled));
  process.stdout.write(`\nreplayed twice in ${secondsSince(began).toFixed(1)} s\n`);
}

/** Row by row, as each is done. */
function compareVariants(input: ComparisonInput, institutions: number): void {
  process.stdout.write(comparisonHead());
  const summaries = variants.map((variant) => {
    const began = process.hrtime.bigint();
    const summary = summaryOf(replayShared(input, variant.sharing));
    process.stdout.write(comparisonRow(variant, summary, secondsSince(began)));
    return { name: variant.name, summary };
  });
  process.stdout.write(`\n${comparisonLegend(variants)}`);
  const fenced = summaries.find(({ name }) => name === 'fenced + backfill')?.summary;
  const pooled = summaries.find(({ name }) => name === '+ backfill')?.summary;
  if (fenced === undefined || pooled === undefined) return;
  process.stdout.write(`\n${gainOfPooling(fenced, pooled, institutions)}`);
}

function secondsSince(began: bigint): number {
  return Number(process.hrtime.bigint() - began) / 1e9;
}

function jobsOf(path: string | undefined, hours: number, seed: number): readonly TraceJob[] {
  const all = path === undefined ? sampleDay({ seed, jobs: 4000 }) : readTrace(readFileSync(path, 'utf8'));
  const jobs = busyWindow(all, { hours, maxJobs: all.length });
  if (jobs === undefined) throw new Error('the trace has no jobs; give --trace a file with at least one');
  return jobs;
}

function readTrace(csv: string): readonly TraceJob[] {
  return isOpenb(csv) ? readOpenbJobs(csv) : readPhilly(csv);
}

function hoursOf({ hours, days }: { readonly hours?: string | undefined; readonly days?: string | undefined }): number {
  if (days !== undefined) return 24 * whole('--days', days);
  return hours === undefined ? 24 : whole('--hours', hours);
}

function whole(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${flag} "${text}": write a whole number, 1 or more`);
  return value;
}

/** Milliseconds, above 0. */
function span(flag: string, text: string): number {
  const value = parseDuration(text);
  if (value === undefined || value <= 0) throw new Error(`${flag} "${text}": write a duration such as 30m`);
  return value;
}

process.exitCode = main(process.argv.slice(2));
