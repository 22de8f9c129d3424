import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  countJobs,
  gpuSecondsByNamespace,
  heldGpus,
  offeredGpuSeconds,
  overcommittedNodes,
  quantile,
  waitingByReason,
  waitSeconds,
} from './accounts.ts';
import type { JobView, NodeView, PodView } from './views.ts';

let counter = 0;

/** Times in seconds, for short. */
interface PodTimes {
  readonly created?: number;
  readonly scheduled?: number;
  readonly started?: number;
  readonly finished?: number;
}

function pod(
  { created = 0, scheduled, started = scheduled, finished }: PodTimes,
  fields: Partial<PodView> = {},
): PodView {
  counter += 1;
  const ms = (seconds: number | undefined) => (seconds === undefined ? undefined : seconds * 1000);
  return {
    uid: `u${counter}`,
    namespace: 'a',
    name: `p${counter}`,
    resourceVersion: '1',
    job: 'j',
    gpus: 1,
    createdAt: created * 1000,
    nodeName: scheduled === undefined ? undefined : 'n',
    scheduledAt: ms(scheduled),
    startedAt: ms(started),
    finishedAt: ms(finished),
    waitsFor: undefined,
    ...fields,
  };
}

function job(name: string, fields: Partial<JobView> = {}): JobView {
  return { uid: name, namespace: 'a', name, resourceVersion: '1', state: 'active', pods: 1, ...fields };
}

function node(name: string, gpus: number, createdSeconds = 0): NodeView {
  return { uid: name, namespace: '', name, resourceVersion: '1', gpus, createdAt: createdSeconds * 1000 };
}

const counts: Record<string, { jobs: JobView[]; pods: PodView[]; want: Partial<ReturnType<typeof countJobs>> }> = {
  'a job is done or failed when its status says so, whatever its pods do': {
    jobs: [job('x', { state: 'done' }), job('y', { state: 'failed' })],
    pods: [pod({ scheduled: 1 }, { job: 'x' })],
    want: { done: 1, failed: 1 },
  },
  'a job runs once all of its pods are bound': {
    jobs: [job('x', { pods: 2 })],
    pods: [pod({ scheduled: 1 }, { job: 'x' }), pod({ scheduled: 1 }, { job: 'x' })],
    want: { running: 1 },
  },
  'a gang of which a pod is missing is pending': {
    jobs: [job('x', { pods: 2 })],
    pods: [pod({ scheduled: 1 }, { job: 'x' }), pod({}, { job: 'x' })],
    want: { pending: 1 },
  },
  'a job without pods is pending': { jobs: [job('x')], pods: [], want: { pending: 1 } },
  'a job is told from one of the same name elsewhere': {
    jobs: [job('x'), job('x', { namespace: 'b' })],
    pods: [pod({ scheduled: 1 }, { job: 'x', namespace: 'b' })],
    want: { running: 1, pending: 1 },
  },
};
for (const [rule, { jobs, pods, want }] of Object.entries(counts)) {
  test(rule, () => {
    assert.deepEqual(countJobs(jobs, pods), { done: 0, failed: 0, running: 0, pending: 0, ...want });
  });
}

test('GPU-seconds run from start to end, what still runs counts to the end of the accounts, what never ran counts nothing', () => {
  const pods = [
    pod({ scheduled: 10, started: 12, finished: 20 }, { gpus: 8 }),
    pod({ scheduled: 90 }, { namespace: 'b', gpus: 2 }),
    pod({ created: 5 }, { namespace: 'c' }),
  ];
  assert.deepEqual(
    [...gpuSecondsByNamespace(pods, 0, 100_000)],
    [
      ['a', 64],
      ['b', 20],
    ],
  );
});

test('GPU-seconds before and after the accounts do not count', () => {
  const pods = [pod({ scheduled: 0, finished: 50 }), pod({ scheduled: 40, finished: 45 })];
  assert.deepEqual([...gpuSecondsByNamespace(pods, 10_000, 30_000)], [['a', 20]]);
});

test('a node that arrives during the run offers its GPUs from then on', () => {
  assert.equal(offeredGpuSeconds([node('n', 8), node('m', 4, 75)], 50_000, 100_000), 8 * 50 + 4 * 25);
});

const nodesOverTime: Record<string, { pods: PodView[]; want: string[] }> = {
  'a full node is not over-committed': {
    pods: [pod({ scheduled: 1 }, { gpus: 6 }), pod({ scheduled: 2 }, { gpus: 2 })],
    want: [],
  },
  'a node that held too much for a while is found, even when that is long over': {
    pods: [pod({ scheduled: 1, finished: 9 }, { gpus: 8 }), pod({ scheduled: 8, finished: 9 })],
    want: ['n'],
  },
  'a pod may take the place of one that ends in the same second': {
    pods: [pod({ scheduled: 1, finished: 9 }, { gpus: 8 }), pod({ scheduled: 9 }, { gpus: 8 })],
    want: [],
  },
  'a pod holds its GPUs from being bound, not from being started': {
    pods: [pod({ scheduled: 1, finished: 9 }, { gpus: 8 }), pod({ scheduled: 8, started: 9 })],
    want: ['n'],
  },
  'a pod on a node that does not exist is found': {
    pods: [pod({ scheduled: 1 }, { nodeName: 'gone' })],
    want: ['gone'],
  },
};
for (const [rule, { pods, want }] of Object.entries(nodesOverTime)) {
  test(rule, () => assert.deepEqual(overcommittedNodes(pods, [node('n', 8)]), want));
}

test('waits are those of bound pods, in ascending order', () => {
  const pods = [pod({ created: 3, scheduled: 10 }), pod({ created: 3 }), pod({ created: 4, scheduled: 4 })];
  assert.deepEqual(waitSeconds(pods), [0, 7]);
});

test('a quantile is a value that occurs: the smallest that enough of them do not exceed', () => {
  const values = [1, 2, 3, 4];
  assert.equal(quantile(values, 0.5), 2);
  assert.equal(quantile(values, 0.51), 3);
  assert.equal(quantile(values, 0.95), 4);
  assert.equal(quantile([7], 0), 7);
  assert.equal(quantile([], 0.5), undefined);
});

test('waiting jobs are counted once each, by the reason of their pods, the most frequent first', () => {
  const pods = [
    pod({}, { job: 'x', waitsFor: 'NoCapacity' }),
    pod({}, { job: 'y', waitsFor: 'WaitingForQuota' }),
    pod({}, { job: 'y', waitsFor: 'WaitingForQuota' }),
    pod({}, { job: 'z', waitsFor: 'WaitingForQuota' }),
    pod({}, { job: 'w' }),
    pod({ scheduled: 1 }, { job: 'v' }),
    pod({}, { job: 'done', waitsFor: 'NoCapacity' }),
  ];
  const jobs = [...['x', 'y', 'z', 'w', 'v', 'u'].map((name) => job(name)), job('done', { state: 'done' })];
  assert.deepEqual(waitingByReason(jobs, pods), [
    { reason: 'WaitingForQuota', jobs: 2 },
    { reason: 'NoCapacity', jobs: 1 },
    { reason: 'no pod yet', jobs: 1 },
    { reason: 'not looked at yet', jobs: 1 },
  ]);
});

test('GPUs are held from being bound to the end', () => {
  assert.equal(heldGpus([pod({ scheduled: 1 }, { gpus: 4 }), pod({}), pod({ scheduled: 1, finished: 2 })]), 4);
});
