import type { TraceJob } from './job.ts';

const header =
  'name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time';
const row = /^([a-z0-9-]+),\d+,\d+,(\d+),(\d+),[^,]*,([A-Za-z]+),[A-Za-z]+,(\d+),(\d+),(\d*)$/;

/** Whether a file begins as the pods of the Alibaba 2023 GPU trace do. */
export function isOpenb(csv: string): boolean {
  return csv.startsWith(header);
}

/**
 * Reads the pods of the Alibaba 2023 GPU trace (`openb_pod_list_*.csv`) as jobs: those with GPUs that ran, a part of one
 * device as a fraction. The trace tells no owner: the class of service stands for the institution. Processors, memory
 * and models are left out.
 *
 * @returns the jobs by time of submission, in seconds since the trace began
 * @throws Error that names the first line that is not a pod
 */
export function readOpenbJobs(csv: string): TraceJob[] {
  const jobs: TraceJob[] = [];
  for (const [index, line] of csv.split(/\r?\n/).entries()) {
    if (index === 0 || line === '') continue;
    const [, id, count, milli, qos, created, deleted, scheduled] = row.exec(line) ?? [];
    if (id === undefined || qos === undefined) {
      throw new Error(`line ${index + 1} of the trace is not a pod (${header}): ${line.slice(0, 80)}`);
    }
    const gpus = count === '1' ? Number(milli) / 1000 : Number(count);
    const durationSeconds = scheduled === '' ? 0 : Number(deleted) - Number(scheduled);
    if (gpus === 0 || durationSeconds <= 0) continue;
    jobs.push({ id, submitSeconds: Number(created), durationSeconds, gpus, institution: qos.toLowerCase() });
  }
  return jobs.sort((a, b) => a.submitSeconds - b.submitSeconds);
}
