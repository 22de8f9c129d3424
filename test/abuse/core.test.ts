import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { plan } from '../../src/core/plan/index.ts';
import { Fleet, PodReader, readNode } from '../../src/core/snapshot/index.ts';
import { figuresOf } from '../../src/core/status/index.ts';
import { acceleratorClass, gpus, node, pool, policyInputOf, quota } from '../../src/core/testing/world.ts';
import { sayings, type Hostile } from './hostile.ts';

const { waitingPods, placedPods, oddNodes } = sayings(true);
const now = Date.UTC(2026, 5, 1);
const runs = { seed: 20260601, numRuns: 1500 };

let named = 0;

/** Pods that are in order: three alone and a gang of two. */
const goodPods = [1, 4, 8].map((devices) => goodPod(devices)).concat(goodPod(2, 'gang'), goodPod(3, 'gang'));

function goodPod(devices: number, gang?: string): Hostile {
  const name = `good-${named++}`;
  return {
    metadata: {
      ...{ name, namespace: 'good', uid: name, creationTimestamp: '2026-05-02T00:00:00Z' },
      ...(gang === undefined ? {} : { labels: { 'moa.dev/gang': gang }, annotations: { 'moa.dev/gang-size': '2' } }),
    },
    spec: {
      schedulerName: 'moa-scheduler',
      containers: [{ name: 'c', resources: { limits: { 'nvidia.com/gpu': devices } } }],
    },
    status: { phase: 'Pending' },
  };
}

/** Two nodes of a pool, a quota that is guaranteed all of it, and one, `bad`, that may hold nothing. */
function fleetWith(pods: readonly Hostile[], nodes: readonly Hostile[] = [], badMay = 0): Fleet {
  const fleet = new Fleet();
  const classes = [acceleratorClass('h200'), acceleratorClass('atom', 1, { resourceName: 'rebellions.ai/ATOM' })];
  const quotas = [quota('good', 16), quota('bad', badMay, { borrowingLimit: gpus(badMay) })];
  fleet.setPolicy(policyInputOf({ pools: [pool({ classes, topologyLevels: ['rack'] })], quotas }));
  for (const name of ['n0', 'n1', 'n2']) fleet.upsertNode(node(name));
  for (const raw of nodes) fleet.upsertNode(readNode(parsed(raw)));
  const reader = new PodReader();
  for (const raw of pods) fleet.upsertPod(reader.read(parsed(raw)));
  return fleet;
}

/** As the watch gives it: through JSON, so that `undefined` is absent and `__proto__` a member like any other. */
function parsed(raw: Hostile): Hostile {
  return JSON.parse(JSON.stringify(raw)) as Hostile;
}

function decide(fleet: Fleet) {
  const decided = plan(fleet.snapshot(now), now, { maxPods: 1000, maxClasses: 64 });
  // Sentences are put together when they are read.
  const told = decided.waiting.flatMap(({ message, reason, workloads }) =>
    workloads.map(({ key }) => ({ key, sentence: `${reason}: ${message}` })),
  );
  return { ...decided, told };
}

const startedOf = (namespace: string, { admit }: ReturnType<typeof decide>) =>
  admit.filter(({ workload }) => workload.namespace === namespace).map(({ workload }) => workload.key);

describe('whatever pods and nodes say', () => {
  it('reading, planning and statuses never throw, and each waiting workload starts or is told why not', () => {
    fc.assert(
      fc.property(waitingPods, placedPods, oddNodes, (waiting, placed, nodes) => {
        const fleet = fleetWith([...waiting, ...placed], nodes, 8);
        for (let cycle = 0; cycle < 2; cycle++) {
          const decided = decide(fleet);
          for (const { sentence } of decided.told) assert.ok(sentence.length < 2100, `${sentence.length} characters`);
          const heard = new Set([
            ...decided.told.map(({ key }) => key),
            ...decided.admit.map(({ workload }) => workload.key),
          ]);
          for (const { key } of fleet.snapshot(now).pending.workloads()) assert.ok(heard.has(key), key);
          for (const { pods } of decided.admit)
            for (const { pod, nodeName } of pods) fleet.assume(pod.uid, { nodeName, since: now });
        }
        figuresOf(fleet.snapshot(now));
        for (const { metadata } of [...waiting, ...placed]) fleet.removePod((metadata as { uid: string }).uid);
        decide(fleet);
      }),
      runs,
    );
  });

  it('what others wait for starts as if the bad pods were not there', () => {
    const undisturbed = startedOf('good', decide(fleetWith(goodPods))).sort();
    assert.equal(undisturbed.length, 4);
    fc.assert(
      fc.property(waitingPods, (waiting) => {
        const accelerated = waiting.map((pod) => ({ ...pod, spec: withDevice(pod['spec'] as Hostile) }));
        const decided = decide(fleetWith([...accelerated, ...goodPods]));
        assert.deepEqual(startedOf('good', decided).sort(), undisturbed);
        assert.deepEqual(startedOf('bad', decided), []);
      }),
      runs,
    );
  });

  it('once bad pods are gone, free amounts and the use of quotas are what they were', () => {
    const sums = (fleet: Fleet) => {
      const { nodes, policy } = fleet.snapshot(now);
      const amounts = ['nvidia.com/gpu', 'cpu', 'pods'].map((name) => fleet.snapshot(now).slotOf(name));
      const free = ['n0', 'n1', 'n2'].map((name) => amounts.map((slot) => nodes.free(nodes.idOf(name)!, slot)));
      return { free, used: policy.pools[0]!.quotas.map((one) => policy.pools[0]!.tree.used(one.index)) };
    };
    const before = sums(fleetWith([]));
    fc.assert(
      fc.property(placedPods, (placed) => {
        const fleet = fleetWith(placed, [], 8);
        fleet.snapshot(now);
        for (const { metadata } of placed) fleet.removePod((metadata as { uid: string }).uid);
        assert.deepEqual(sums(fleet), before);
      }),
      runs,
    );
  });
});

/** The bad quota may hold no device: with one asked for, no bad pod starts, and none takes what others wait for. */
function withDevice(spec: Hostile): Hostile {
  const containers = Array.isArray(spec['containers']) ? (spec['containers'] as readonly unknown[]) : [];
  return { ...spec, containers: [...containers, { name: 'device', resources: { limits: { 'nvidia.com/gpu': '1' } } }] };
}
