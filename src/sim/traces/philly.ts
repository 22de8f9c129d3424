import type { TraceJob } from './job.ts';

const header = 'timestamp,duration,num_gpus,gpu_time,cluster';
const row = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d),(\d+(?:\.\d+)?),(\d+),[\d.]+,([a-z0-9]+)$/;

/**
 * Reads the Microsoft Philly trace in the form in which ElasticFlow publishes it: one job a line, in no order, times
 * without a zone (taken as UTC). The virtual cluster is the institution; the id tells the line.
 *
 * @returns the jobs by time of submission
 * @throws Error that names the first line that is not a job
 */
export function readPhilly(csv: string): TraceJob[] {
  const lines = csv.split(/\r?\n/);
  if (lines[0] !== header) throw new Error(`line 1 of the trace is not the header "${header}"`);
  const jobs: TraceJob[] = [];
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line === '') continue;
    jobs.push(readJob(line, index + 1));
  }
  return jobs.sort((a, b) => a.submitSeconds - b.submitSeconds);
}

function readJob(line: string, number: number): TraceJob {
  const [, date, time, duration, gpus, institution] = row.exec(line) ?? [];
  const submitSeconds = Date.parse(`${date}T${time}Z`) / 1000;
  const durationSeconds = Number(duration);
  const isJob = institution !== undefined && submitSeconds > 0 && durationSeconds > 0 && Number(gpus) > 0;
  if (!isJob) throw new Error(`line ${number} of the trace is not a job (${header}): ${line.slice(0, 80)}`);
  return { id: `philly-${number}`, submitSeconds, durationSeconds, gpus: Number(gpus), institution };
}
