import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { plan } from '../../src/core/plan/index.ts';
import { Fleet, PodReader } from '../../src/core/snapshot/index.ts';
import { node, policyInputOf, quota } from '../../src/core/testing/world.ts';

const now = Date.UTC(2026, 5, 1);
const podsOfCycle = 200;
/** Of what pods have in common: a full cache is no growth. */
const remembered = 1000;
/** By then every cache has been full once. */
const warmUps = 20;
const cycles = 60;
/** What a cycle's pods weigh is many times this: a cache that forgot nothing would grow by it in a few cycles. */
const mostGrowthMiB = 6;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const heapMiB = (): number => {
  collectGarbage();
  return process.memoryUsage().heapUsed / 2 ** 20;
};

/** A pod that shares nothing with any other: label, selector, resources, affinity, user, gang and walltime of its own. */
function singular(id: number) {
  const terms = Array.from({ length: 10 }, (_, i) => ({
    topologyKey: 'kubernetes.io/hostname',
    labelSelector: { matchLabels: { [`label-${id}-${i}`]: 'x'.repeat(60) } },
  }));
  const resources = Array.from({ length: 40 }, (_, i) => [`made.up/resource-${id}-${i}`, '1']);
  return {
    metadata: {
      ...{ name: `pod-${id}`, namespace: 'bad', uid: `uid-${id}`, creationTimestamp: '2026-05-02T00:00:00Z' },
      labels: {
        [`label-${id}-0`]: 'x'.repeat(60),
        'moa.dev/user': `user-${id}`,
        ...(id % 2 === 0 ? { 'moa.dev/gang': `gang-${id}` } : {}),
      },
      annotations: { 'moa.dev/walltime': `${id + 1}s`, 'moa.dev/gang-size': '2', 'moa.dev/class': `class-${id}` },
      ownerReferences: [
        { controller: true, kind: 'Job', apiVersion: 'batch/v1', name: `job-${id}`, uid: `owner-${id}` },
      ],
    },
    spec: {
      schedulerName: 'moa-scheduler',
      nodeSelector: { [`select-${id}`]: 'x' },
      affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
      containers: [
        {
          name: 'c',
          resources: {
            limits: {
              'nvidia.com/gpu': '1',
              ...(id % 4 < 2 ? (Object.fromEntries(resources) as Record<string, string>) : {}),
            },
          },
        },
      ],
    },
    status: { phase: 'Pending' },
  };
}

describe('memory', () => {
  it('of pods that are gone nothing is kept, however much they made up', (context) => {
    const fleet = new Fleet();
    const reader = new PodReader(remembered);
    fleet.setPolicy(policyInputOf({ quotas: [quota('bad', 8)] }));
    for (let i = 0; i < 20; i++) fleet.upsertNode(node(`n${i}`));
    let made = 0;
    const cycle = () => {
      const uids: string[] = [];
      for (let i = 0; i < podsOfCycle; i++) {
        const pod = reader.read(singular(made++));
        fleet.upsertPod(pod);
        uids.push(pod.uid);
      }
      const { admit, waiting } = plan(fleet.snapshot(now), now, { maxPods: 1000 });
      assert.equal(admit.length, 0);
      assert.ok(waiting.length > 0 && waiting.every(({ message }) => message !== ''));
      for (const uid of uids) fleet.removePod(uid);
    };
    for (let i = 0; i < warmUps; i++) cycle();
    const before = heapMiB();
    for (let i = 0; i < cycles; i++) cycle();
    const grown = heapMiB() - before;
    context.diagnostic(
      `${made} pods came and went: heap ${before.toFixed(0)} MiB after ${warmUps * podsOfCycle}, ${grown.toFixed(1)} MiB more at the end`,
    );
    assert.ok(grown < mostGrowthMiB, `${grown.toFixed(1)} MiB more after ${cycles * podsOfCycle} pods`);
  });
});
