import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isOpenb, peakGpus, readOpenbJobs } from './index.ts';

const header =
  'name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time';
const published = fileURLToPath(new URL('../../../../shared/data/openb_pod_list_default.csv', import.meta.url));
const absent = existsSync(published) ? false : `${published} is not here`;

test('a pod of the Alibaba trace is a job of its class of service, for as long as it ran, a part of a device a fraction', () => {
  const jobs = readOpenbJobs(
    `${header}\nb,12000,16384,8,1000,,LS,Running,7,90,10\na,6000,12288,1,460,T4|P100,BE,Failed,5,65,6\n`,
  );
  assert.deepEqual(jobs, [
    { id: 'a', submitSeconds: 5, durationSeconds: 59, gpus: 0.46, institution: 'be' },
    { id: 'b', submitSeconds: 7, durationSeconds: 80, gpus: 8, institution: 'ls' },
  ]);
});

test('pods without GPUs and pods that never ran are left out', () => {
  const csv = `${header}\na,1,1,0,0,,LS,Running,1,9,2\nb,1,1,1,1000,,LS,Pending,1,9,\nc,1,1,1,1000,,LS,Failed,1,2,2\n`;
  assert.deepEqual(readOpenbJobs(csv), []);
});

test('a line that is no pod is refused, and named', () => {
  assert.throws(() => readOpenbJobs(`${header}\na,1,1,one,0,,LS,Running,1,9,2\n`), /line 2 of the trace is not a pod/);
});

test(
  'the published pods are told from other traces, and those with GPUs that ran hold 65 GPUs at the peak',
  { skip: absent },
  () => {
    const csv = readFileSync(published, 'utf8');
    assert.ok(isOpenb(csv));
    assert.ok(!isOpenb('timestamp,duration,num_gpus,gpu_time,cluster'));
    const jobs = readOpenbJobs(csv);
    assert.equal(jobs.filter(({ gpus }) => gpus < 1).length > 1000, true);
    assert.equal(Math.ceil(peakGpus(jobs)), 65);
  },
);
