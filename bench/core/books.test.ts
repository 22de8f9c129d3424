import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Plan } from '../../src/core/plan/index.ts';
import type { PodFacts } from '../../src/core/snapshot/index.ts';
import { Books } from './books.ts';
import { cliqueLabel, makeNodes, PodMaker } from './manifests.ts';
import { cycle, fleetOf, institutions, policyOf, start } from './world.ts';

const nodes = makeNodes(40);
const maker = new PodMaker();
const pod = (devices: number, within?: string): PodFacts =>
  maker.make({ quota: 'q', devices, createdAt: 0, ...(within === undefined ? {} : { within }) });

/** A plan that starts one workload, its pods on these nodes. */
function starting(pods: readonly PodFacts[], nodeNames: readonly string[]): Pick<Plan, 'admit'> {
  const workload = { key: 'w', namespace: 'q', pods, priority: 0, createdAt: 0, gang: undefined };
  return {
    admit: [{ workload, pods: nodeNames.map((nodeName, i) => ({ pod: pods[i]!, nodeName })), asBorrower: false }],
  };
}

const table: Record<string, { admit: Pick<Plan, 'admit'>; want: RegExp | undefined }> = {
  'eight devices on an idle node are in order': {
    admit: starting([pod(4), pod(4)], ['gpu-000000', 'gpu-000000']),
    want: undefined,
  },
  'nine devices on a node are seen': {
    admit: starting([pod(8), pod(1)], ['gpu-000000', 'gpu-000000']),
    want: /without room: .* on gpu-000000/,
  },
  'a node that does not exist is seen': { admit: starting([pod(1)], ['gpu-x']), want: /does not exist/ },
  'a gang that is started in part is seen': { admit: starting([pod(1), pod(1)], ['gpu-000000']), want: /whole/ },
  'a gang in two cliques where one is required is seen': {
    admit: starting([pod(1, cliqueLabel), pod(1, cliqueLabel)], ['gpu-000000', 'gpu-000039']),
    want: /several domains/,
  },
};

for (const [rule, { admit, want }] of Object.entries(table)) {
  test(rule, () => {
    const books = new Books(nodes);
    books.admit(admit);
    if (want === undefined) assert.deepEqual(books.faults(), []);
    else assert.match(books.faults().join(), want);
  });
}

test('a pod that is started twice is seen', () => {
  const books = new Books(nodes);
  const once = pod(1);
  books.start(once, 'gpu-000000');
  books.start(once, 'gpu-000001');
  assert.match(books.faults().join(), /started twice/);
});

test('what ended gives its devices back', () => {
  const books = new Books(nodes);
  const whole = pod(8);
  books.start(whole, 'gpu-000003');
  assert.equal(books.free('gpu-000003'), 0);
  books.end(whole);
  assert.equal(books.free('gpu-000003'), 8);
  assert.equal(books.mostFree(undefined), 320);
});

test('the pods that a benchmark makes are ones that the planner starts', () => {
  const { names, quotas } = institutions(20, 320);
  const fleet = fleetOf(policyOf(quotas), nodes);
  for (const quota of names) fleet.upsertPod(maker.make({ quota, devices: 8, createdAt: start, walltime: '1h' }));
  const books = new Books(nodes);
  books.admit(cycle(fleet, start));
  assert.equal(books.started, names.length);
  assert.deepEqual(books.faults(), []);
});
