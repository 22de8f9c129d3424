import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fleetOf, gpus, node, pod, quota } from '../testing/world.ts';
import { plan } from './plan.ts';

const limited = { maxPods: Infinity, maxClasses: 8 };
const hour = 3_600_000;

/** Pods of one quota that nothing makes alike. */
const ofManyKinds = (namespace: string, count: number, devices: number) =>
  Array.from({ length: count }, (_, i) => pod(namespace, devices, { walltime: hour + i * 1000 }));

describe('turns of the classes of one payer', () => {
  it('however many kinds a quota puts up, one cycle tries so many, and others start in the same cycle', () => {
    const many = ofManyKinds('many', 100, 1);
    const other = pod('other', 1);
    const fleet = fleetOf({
      quotas: [quota('many', 100), quota('other', 8)],
      nodes: [node('n', 200)],
      pods: [...many, other],
    });
    const made = plan(fleet.snapshot(0), 0, limited);
    const started = made.admit.map(({ workload }) => workload.namespace);
    assert.equal(started.filter((name) => name === 'many').length, limited.maxClasses);
    assert.ok(started.includes('other'));
    assert.equal(made.again, true, 'what was set aside has its turn at once');
  });

  it('the first in order are always tried, and all others come round', () => {
    const most = 2000;
    const bound = pod('many', 8, { nodeName: 'n', phase: 'Running' });
    const first = pod('many', 1, { priority: 10 });
    const quotas = [quota('many', 8, { borrowingLimit: gpus(0) })];
    const fleet = fleetOf({ quotas, nodes: [node('n')], pods: [bound, first, ...ofManyKinds('many', most, 1)] });
    const cycles = Math.ceil(most / (limited.maxClasses / 2));
    for (let i = 0; i < cycles; i++) {
      const made = plan(fleet.snapshot(i), i, limited);
      assert.equal(made.again, false);
      assert.ok(made.waiting.some(({ workloads }) => workloads.some(({ key }) => key === first.uid)));
    }
    const told = plan(fleet.snapshot(cycles), cycles, limited).waiting.flatMap(({ workloads }) => workloads);
    assert.equal(told.length, most + 1, 'each was told why it waits, and is still told when it is set aside');
  });

  it('workloads of a namespace that no quota pays for are set aside the same way', () => {
    const pods = Array.from({ length: 50 }, (_, i) => pod('free', 0, { walltime: hour + i }));
    const made = plan(fleetOf({ nodes: [node('n')], pods }).snapshot(0), 0, limited);
    assert.equal(made.admit.length, limited.maxClasses);
  });

  it('without a limit all are tried at once', () => {
    const fleet = fleetOf({ quotas: [quota('many', 100)], nodes: [node('n', 200)], pods: ofManyKinds('many', 100, 1) });
    assert.equal(plan(fleet.snapshot(0), 0, { maxPods: Infinity }).admit.length, 100);
  });

  it('pods without accelerators that cannot start do not hold those back that can', () => {
    const withoutDevices = Array.from({ length: 500 }, (_, i) =>
      pod('many', 0, { walltime: hour + i * 1000, shape: { requests: { cpu: 1e9, pods: 1 } } }),
    );
    const fleet = fleetOf({ quotas: [quota('many', 200)], nodes: [node('n', 200)], pods: withoutDevices });
    plan(fleet.snapshot(0), 0, limited);
    for (const one of ofManyKinds('many', 100, 1)) fleet.upsertPod(one);
    let cycles = 0;
    for (let started = 0; started < 100 && cycles < 40; cycles++) {
      const { admit } = plan(fleet.snapshot(cycles), cycles, limited);
      started += admit.length;
      for (const { pods } of admit)
        for (const { pod: one, nodeName } of pods)
          fleet.upsertPod({ ...one, nodeName, phase: 'Running', boundAt: cycles });
    }
    assert.ok(cycles <= 100 / (limited.maxClasses / 2), `all had started after ${cycles} cycles`);
  });
});
