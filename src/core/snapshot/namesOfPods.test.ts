import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plan } from '../plan/index.ts';
import { fleetOf, node, pod, quota } from '../testing/world.ts';
import type { Fleet } from './fleet.ts';

const startedIn = (fleet: Fleet): readonly string[] =>
  plan(fleet.snapshot(0), 0, { maxPods: Infinity }).admit.flatMap(({ pods }) => pods.map(({ nodeName }) => nodeName));

describe('names that pods bring with them', () => {
  it('a label that no node has, and a pod selects by, throws no snapshot away', () => {
    const fleet = fleetOf({ quotas: [quota('q', 8)], nodes: [node('n')] });
    const before = fleet.snapshot(0);
    const nodeSelector = [{ key: 'made-up', operator: 'Exists', values: [] }] as const;
    fleet.upsertPod(pod('q', 1, { shape: { nodeSelector } }));
    assert.equal(fleet.snapshot(0), before);
    assert.deepEqual(startedIn(fleet), []);
  });

  it('a label that a node gets later counts for pods that selected by it before', () => {
    const fleet = fleetOf({ quotas: [quota('q', 8)], nodes: [node('n')] });
    const nodeSelector = [{ key: 'later', operator: 'In', values: ['yes'] }] as const;
    fleet.upsertPod(pod('q', 1, { shape: { nodeSelector } }));
    assert.deepEqual(startedIn(fleet), []);
    const labelled = node('late');
    fleet.upsertNode({ ...labelled, labels: { ...labelled.labels, later: 'yes' } });
    assert.deepEqual(startedIn(fleet), ['late']);
    fleet.upsertNode(labelled);
    assert.deepEqual(startedIn(fleet), []);
  });

  it('what pods hold stays known when resource names that nobody uses any more are forgotten', () => {
    const held = pod('q', 5, { nodeName: 'n', phase: 'Running' });
    const fleet = fleetOf({ quotas: [quota('q', 8)], nodes: [node('n')], pods: [held] });
    fleet.snapshot(0);
    for (let round = 0; round < 3; round++) {
      const inventive = Array.from({ length: 100 }, (_, i) => {
        const names = Array.from({ length: 60 }, (_, j) => [`made.up/r${round}-${i}-${j}`, 1]);
        return pod('q', 1, {
          shape: {
            requests: { 'nvidia.com/gpu': 1, pods: 1, ...(Object.fromEntries(names) as Record<string, number>) },
          },
        });
      });
      for (const one of inventive) fleet.upsertPod(one);
      assert.deepEqual(startedIn(fleet), []);
      for (const { uid } of inventive) fleet.removePod(uid);
    }
    const snapshot = fleet.snapshot(0);
    assert.ok(snapshot.slotOf('asked for the first time') < 9000, 'names do not pile up');
    assert.equal(snapshot.nodes.free(0, snapshot.slotOf('nvidia.com/gpu')), 3);
    fleet.upsertPod(pod('q', 4));
    assert.deepEqual(startedIn(fleet), []);
    fleet.removePod(held.uid);
    assert.deepEqual(startedIn(fleet), ['n']);
  });

  it('workloads that differ in a label that others select by are not alike, though its name came among thousands', () => {
    const fleet = fleetOf({ quotas: [quota('q', 8)], nodes: [node('n')] });
    const apart = (key: string) => ({
      topologyKey: 'kubernetes.io/hostname',
      namespaces: [],
      namespaceSelector: undefined,
      selector: [{ key, operator: 'Exists' as const, values: [] }],
    });
    const constraints = (key: string) => ({
      hostPorts: [],
      disks: [],
      affinity: [],
      antiAffinity: [apart(key)],
      spread: [],
      claims: false,
    });
    for (let i = 0; i < 5000; i++) {
      const one = pod('q', 1, { shape: { constraints: constraints(`k${i}`) }, nodeName: 'gone', phase: 'Running' });
      fleet.upsertPod(one);
      if (i % 100 === 0) fleet.snapshot(0);
      fleet.removePod(one.uid);
    }
    fleet.upsertPod(pod('q', 1, { shape: { constraints: constraints('app') }, nodeName: 'n', phase: 'Running' }));
    fleet.upsertPod(pod('q', 1, { labels: { app: 'x' } }));
    fleet.upsertPod(pod('q', 1, { labels: { other: 'x' } }));
    assert.deepEqual(startedIn(fleet), ['n'], 'the one that may not stand beside the first holds up nobody');
  });
});
