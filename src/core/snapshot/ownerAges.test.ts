import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fleetOf, node, pod, quota } from '../testing/world.ts';
import { plan } from '../plan/index.ts';

const firstStarted = (fleet: ReturnType<typeof fleetOf>): string | undefined =>
  plan(fleet.snapshot(0), 0, { maxPods: 1 }).admit[0]?.workload.pods[0]?.name;

it('a pod that replaces an evicted one is as old as what it replaces', () => {
  const pods = [
    pod('kaist', 8, { name: 'earlier', createdAt: 100 }),
    pod('kaist', 8, { name: 'replacement', createdAt: 200, owner: 'job-1' }),
  ];
  const fleet = fleetOf({ quotas: [quota('kaist', 8)], nodes: [node('n1')], pods });
  assert.equal(firstStarted(fleet), 'earlier');
  fleet.ownerSince('job-1', 50);
  assert.equal(firstStarted(fleet), 'replacement');
  fleet.ownerGone('job-1');
  fleet.upsertPod(pod('kaist', 8, { name: 'another', createdAt: 60, owner: 'job-1' }));
  assert.equal(firstStarted(fleet), 'replacement');
});

it('the age of its owner holds for a whole gang', () => {
  const gangOf: [string, number] = ['g', 2];
  const pods = [
    pod('kaist', 4, { name: 'earlier', createdAt: 100 }),
    pod('kaist', 4, { name: 'g-0', createdAt: 200, owner: 'job-1', gangOf }),
    pod('kaist', 4, { name: 'g-1', createdAt: 200, owner: 'job-1', gangOf }),
  ];
  const fleet = fleetOf({ quotas: [quota('kaist', 8)], nodes: [node('n1')], pods });
  fleet.ownerSince('job-1', 50);
  assert.equal(firstStarted(fleet), 'g-0');
});
