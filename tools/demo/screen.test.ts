import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Progress } from './progress.ts';
import { progressLine, progressPicture } from './screen.ts';

const quota = (name: string) => ({
  uid: name,
  namespace: '',
  name,
  resourceVersion: '1',
  selectsNamespaces: true,
  guaranteed: '64',
  used: '70.5',
  borrowed: '6.5',
  lent: '0',
  pending: 3,
});

const progress: Progress = {
  phase: 'replay',
  jobs: 200,
  submitted: 100,
  counts: { done: 50, failed: 0, running: 30, pending: 20 },
  elapsedSeconds: 65,
  leftSeconds: 85,
  gpusInUse: 75,
  gpus: 100,
  waiting: [
    { reason: 'WaitingForQuota', jobs: 15 },
    { reason: 'NoCapacity', jobs: 5 },
  ],
  quotas: ['a', 'b', 'c', 'd'].map(quota),
  investments: [],
};

test('a line tells the time, the jobs, the GPUs and the reasons for waiting', () => {
  assert.equal(
    progressLine(progress),
    '1:05 replay | jobs 100/200 submitted, 30 running, 20 pending, 50 done | GPUs 75/100 | ' +
      'waiting: WaitingForQuota 15, NoCapacity 5',
  );
});

test('failed jobs are mentioned when there are any, and reasons beyond the fourth are summed', () => {
  const waiting = ['A', 'B', 'C', 'D', 'E', 'F'].map((reason) => ({ reason, jobs: 2 }));
  const line = progressLine({ ...progress, counts: { ...progress.counts, failed: 7 }, waiting });
  assert.match(line, /50 done, 7 failed/);
  assert.match(line, /waiting: A 2, B 2, C 2, D 2, others 4$/);
});

test('a picture has a bar for the jobs and one for the GPUs, and a row for each institution', () => {
  const lines = progressPicture(progress, { rows: 40, columns: 120 });
  assert.match(lines[0]!, /^Jobs {2}\[#{8}\.{22}\] 100\/200 submitted/);
  assert.match(lines[1]!, /75\/100 in use \(75 %\)/);
  assert.match(lines[2]!, /1:05 elapsed, 1:25 left/);
  assert.match(lines.at(-1)!, /^d +64 +70\.5 +6\.5 +0 +3$/);
});

test('a picture fits the terminal, and says how many rows it leaves out', () => {
  const lines = progressPicture(progress, { rows: 9, columns: 20 });
  assert.equal(lines.length, 8);
  assert.equal(lines.at(-1), '... 3 more');
  assert.ok(lines.every((line) => line.length <= 20));
});

test('a fleet that has no node yet has an empty bar', () => {
  const lines = progressPicture({ ...progress, gpus: 0, gpusInUse: 0 }, { rows: 40, columns: 120 });
  assert.match(lines[1]!, /\[\.{30}\] 0\/0 in use \(0 %\)/);
});
