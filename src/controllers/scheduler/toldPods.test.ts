import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { WaitReason } from '../../api/v1alpha1/constants/index.ts';
import type { Waiting } from '../../core/plan/index.ts';
import type { PodFacts, Workload } from '../../core/snapshot/index.ts';
import { pod } from '../../core/testing/world.ts';
import { ToldPods } from './toldPods.ts';

const patience = { unsaid: 1000, numbers: 30_000, retry: 5000 };

function workload(key: string, pods: readonly PodFacts[]): Workload {
  return { key, namespace: 'kaist', pods, createdAt: 0, priority: 0, gang: undefined };
}

function waits(reason: Waiting['reason'], message: string, ...workloads: readonly Workload[]): Waiting {
  return { reason, message, owed: false, workloads };
}

const single = (name: string, more: Parameters<typeof pod>[2] = {}) =>
  workload(name, [pod('kaist', 1, { name, ...more })]);

/** What is due at a time, as `pod what`, and told at once when `tell` says so. */
function dueAt(told: ToldPods, now: number, waiting: readonly Waiting[], tell = false): readonly string[] {
  return [...told.due(waiting, now, () => true)].map((one) => {
    if (tell) told.told(one.pod, one.waiting, now);
    return `${one.pod.name} ${one.what}`;
  });
}

describe('what waiting pods are told', () => {
  const a = single('a');

  it('nobody is told who starts within a second, everyone else once', () => {
    const told = new ToldPods(patience);
    const waiting = [waits(WaitReason.NoCapacity, 'full', a)];
    assert.deepEqual(dueAt(told, 0, waiting, true), []);
    assert.deepEqual(dueAt(told, 999, waiting, true), []);
    assert.deepEqual(dueAt(told, 1000, waiting, true), ['a reason']);
    assert.deepEqual(dueAt(told, 1250, waiting, true), []);
    assert.deepEqual(
      dueAt(told, 1500, [waits(WaitReason.NoCapacity, 'full', a)], true),
      [],
      'nor when it is said anew',
    );
  });

  it('another reason is told at once, other numbers after half a minute', () => {
    const told = new ToldPods(patience);
    dueAt(told, 0, [waits(WaitReason.NoCapacity, '1 free', a)]);
    dueAt(told, 1000, [waits(WaitReason.NoCapacity, '1 free', a)], true);
    const later = [waits(WaitReason.NoCapacity, '2 free', a)];
    assert.deepEqual(dueAt(told, 2000, later), []);
    assert.deepEqual(dueAt(told, 31_000, later), ['a numbers']);
    assert.deepEqual(dueAt(told, 2000, [waits(WaitReason.Fragmented, '1 free', a)]), ['a reason']);
  });

  it('what an earlier process has said is not said again', () => {
    const told = new ToldPods(patience);
    const known = single('b', { explained: 'NoCapacity: full' });
    const waiting = [waits(WaitReason.NoCapacity, 'full', known)];
    dueAt(told, 0, waiting);
    assert.deepEqual(dueAt(told, 1000, waiting), []);
    assert.deepEqual(dueAt(told, 1250, [waits(WaitReason.NoCapacity, 'fuller', known)]), ['b numbers']);
  });

  it('a pod that could not be told is tried again after a while', () => {
    const told = new ToldPods(patience);
    const waiting = [waits(WaitReason.NoCapacity, 'full', a)];
    dueAt(told, 0, waiting);
    dueAt(told, 1000, waiting, true);
    told.failed(a.pods[0]!, 1000);
    assert.deepEqual(dueAt(told, 5999, [waits(WaitReason.NoCapacity, 'full', a)]), []);
    assert.deepEqual(dueAt(told, 6000, [waits(WaitReason.NoCapacity, 'full', a)]), ['a reason']);
  });

  it('each pod of a gang is told, and one that joins later too', () => {
    const told = new ToldPods(patience);
    const [p, q, r] = ['p', 'q', 'r'].map((name) => pod('kaist', 1, { name }));
    const waiting = (pods: readonly PodFacts[]) => [waits(WaitReason.NoCapacity, 'full', workload('gang', pods))];
    const two = waiting([p!, q!]);
    dueAt(told, 0, two);
    assert.deepEqual(dueAt(told, 1000, two, true), ['p reason', 'q reason']);
    assert.deepEqual(dueAt(told, 1250, two), []);
    assert.deepEqual(dueAt(told, 1500, waiting([p!, q!, r!]), true), ['r reason']);
  });

  it('who ceases to wait is forgotten: the next time is a first time', () => {
    const told = new ToldPods(patience);
    const waiting = [waits(WaitReason.NoCapacity, 'full', a)];
    dueAt(told, 0, waiting);
    dueAt(told, 1000, waiting, true);
    dueAt(told, 1250, []);
    assert.deepEqual(dueAt(told, 1500, waiting), [], 'a second of patience again');
    assert.deepEqual(dueAt(told, 2500, waiting), ['a reason']);
  });

  it('whoever is not wanted now is due later', () => {
    const told = new ToldPods(patience);
    const waiting = [waits(WaitReason.NoCapacity, 'full', a)];
    dueAt(told, 0, waiting);
    assert.deepEqual([...told.due(waiting, 1000, () => false)], []);
    assert.deepEqual(dueAt(told, 1250, waiting), ['a reason']);
  });
});
