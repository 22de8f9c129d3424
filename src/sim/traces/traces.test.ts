import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import {
  busyWindow,
  gpuSecondsWithin,
  institutionsOf,
  peakGpus,
  readPhilly,
  sampleDay,
  type TraceJob,
} from './index.ts';

const header = 'timestamp,duration,num_gpus,gpu_time,cluster';
const published = fileURLToPath(new URL('../../../../shared/data/philly.csv', import.meta.url));
const absent = existsSync(published) ? false : `${published} is not here`;

function job(submitSeconds: number, options: Partial<TraceJob> = {}): TraceJob {
  return { id: `at-${submitSeconds}`, submitSeconds, durationSeconds: 60, gpus: 1, institution: 'a', ...options };
}

test('a line of the Philly trace is a job of its virtual cluster, with UTC times, ordered by submission', () => {
  const jobs = readPhilly(
    `${header}\n2017-10-09 07:01:55,66.0,4,264.0,11cb48\n2017-10-09 07:01:54,2951.5,1,2951.5,6214e9\n`,
  );
  assert.deepEqual(jobs, [
    { id: 'philly-3', submitSeconds: 1_507_532_514, durationSeconds: 2951.5, gpus: 1, institution: '6214e9' },
    { id: 'philly-2', submitSeconds: 1_507_532_515, durationSeconds: 66, gpus: 4, institution: '11cb48' },
  ]);
});

const notTraces: Record<string, { csv: string; want: RegExp }> = {
  'a file with another header is refused': { csv: 'a,b\n1,2\n', want: /line 1 of the trace is not the header/ },
  'a job without a cluster is refused, and its line named': {
    csv: `${header}\n2017-10-09 07:01:55,66.0,1,66.0,\n`,
    want: /line 2 of the trace is not a job/,
  },
  'a job without GPUs is refused': { csv: `${header}\n2017-10-09 07:01:55,66.0,0,0.0,a\n`, want: /line 2/ },
  'a job that took no time is refused': { csv: `${header}\n2017-10-09 07:01:55,0.0,1,0.0,a\n`, want: /line 2/ },
  'a day that does not exist is refused': { csv: `${header}\n2017-13-09 07:01:55,6.0,1,6.0,a\n`, want: /line 2/ },
};
for (const [rule, { csv, want }] of Object.entries(notTraces)) {
  test(rule, () => assert.throws(() => readPhilly(csv), want));
}

test('the published Philly trace has its 82,247 jobs and 15 virtual clusters', { skip: absent }, () => {
  const jobs = readPhilly(readFileSync(published, 'utf8'));
  assert.equal(jobs.length, 82_247);
  assert.equal(institutionsOf(jobs).length, 15);
  assert.equal(peakGpus(jobs), 1243);
  const gpuHours = jobs.reduce((sum, { gpus, durationSeconds }) => sum + (gpus * durationSeconds) / 3600, 0);
  assert.equal(Math.round(gpuHours), 978_078);
});

test('a job that ends makes room for one that begins in the same second', () => {
  assert.equal(peakGpus([job(0, { gpus: 3 }), job(60, { gpus: 2 }), job(90, { gpus: 2 })]), 4);
});

test('GPU-seconds within a window end with it', () => {
  assert.equal(gpuSecondsWithin([job(0, { gpus: 3 }), job(80, { gpus: 2 })], 100), 3 * 60 + 2 * 20);
});

test('institutions are ordered by the GPU-seconds that they ask for, then by name', () => {
  const jobs = [
    job(0, { institution: 'c' }),
    job(1, { institution: 'b' }),
    job(2, { institution: 'a', durationSeconds: 61 }),
  ];
  assert.deepEqual(institutionsOf(jobs), ['a', 'b', 'c']);
});

const hour = 3600;
const windows: Record<string, { jobs: TraceJob[]; maxJobs: number; want: TraceJob[] | undefined }> = {
  'the busiest window is the one in which most GPUs are asked for, its times counted from its beginning': {
    jobs: [job(0), job(10 * hour, { gpus: 8 }), job(10 * hour + 5), job(20 * hour)],
    maxJobs: 10,
    want: [job(1800, { id: `at-${10 * hour}`, gpus: 8 }), job(1805, { id: `at-${10 * hour + 5}` })],
  },
  'a job that runs when the window begins is part of it with the rest of its duration': {
    jobs: [job(0, { durationSeconds: 10 * hour }), job(5 * hour, { gpus: 2 })],
    maxJobs: 10,
    want: [job(0, { durationSeconds: 5.5 * hour }), job(1800, { id: `at-${5 * hour}`, gpus: 2 })],
  },
  'a window with more jobs than allowed is passed over, those that it begins with included': {
    jobs: [job(0, { durationSeconds: 10 * hour }), job(5 * hour, { gpus: 2 })],
    maxJobs: 1,
    want: [job(0, { durationSeconds: 10 * hour })],
  },
  'there is no window when every one has too many jobs': { jobs: [job(0), job(1)], maxJobs: 1, want: undefined },
  'there is no window in an empty trace': { jobs: [], maxJobs: 1, want: undefined },
};
for (const [rule, { jobs, maxJobs, want }] of Object.entries(windows)) {
  test(rule, () => {
    // The first window begins with the first job, the next ones half an hour apart each.
    const got = busyWindow(jobs, { hours: 1, maxJobs });
    assert.deepEqual(got, want);
  });
}

test('a sample day is the same for the same seed, another for another, and has what was asked for', () => {
  const day = sampleDay({ seed: 7, jobs: 500 });
  assert.deepEqual(sampleDay({ seed: 7, jobs: 500 }), day);
  assert.notDeepEqual(sampleDay({ seed: 8, jobs: 500 }), day);
  assert.equal(day.length, 500);
  assert.equal(new Set(day.map(({ id }) => id)).size, 500);
  const ordered = day.toSorted((a, b) => a.submitSeconds - b.submitSeconds);
  assert.deepEqual(day, ordered);
  for (const { submitSeconds, durationSeconds, gpus } of day) {
    assert.ok(submitSeconds >= 0 && submitSeconds < 86_400);
    assert.ok(durationSeconds >= 1 && gpus >= 1);
  }
});
