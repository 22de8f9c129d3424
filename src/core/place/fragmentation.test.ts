import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { NodeFacts, PodFacts } from '../snapshot/index.ts';
import { fleetOf, node, pod } from '../testing/world.ts';
import { Feasibility } from './feasibility.ts';
import { fragmentationOf } from './fragmentation.ts';
import { placeAll } from './placer.ts';

const resourceName = 'nvidia.com/gpu';

const asks = (devices: number, cpu: number): PodFacts =>
  pod('anyone', 0, { shape: { requests: { ...(devices > 0 ? { [resourceName]: devices } : {}), cpu } } });
const part = (milli: number, cpu = 1): PodFacts =>
  pod('anyone', 0, { shape: { requests: { cpu }, share: { resourceName, milli } } });
const nodeOf = (name: string, devices: number, cpu: number): NodeFacts =>
  node(name, devices, { allocatable: { [resourceName]: devices, cpu } });

/** Places each pod alone, in order, after `typical` have been seen; returns names of nodes. */
function placements(nodes: readonly NodeFacts[], typical: readonly PodFacts[], pods: readonly PodFacts[]) {
  const snapshot = fleetOf({ nodes, pods: typical }).snapshot(0);
  const feasibility = new Feasibility(snapshot);
  return pods.map((facts) => {
    const roles = [{ pods: [facts], profiles: feasibility.profilesOf(facts.shape) }];
    const placed = placeAll(snapshot, feasibility, { roles, strategy: 'Pack', within: undefined });
    return placed === undefined ? undefined : snapshot.nodes.names[placed[0]!.node];
  });
}

describe('stranded devices', () => {
  it('a pod without devices goes where no device loses the cpu that it needs', () => {
    const nodes = [nodeOf('lean', 4, 48), nodeOf('rich', 4, 96)];
    assert.deepEqual(placements(nodes, [asks(1, 12)], [asks(0, 24)]), ['rich']);
  });

  it('a pod that needs much cpu leaves the lean node to those that can use its devices', () => {
    const nodes = [nodeOf('lean', 2, 16), nodeOf('rich', 4, 96)];
    assert.deepEqual(placements(nodes, [asks(1, 8), asks(1, 16)], [asks(1, 16)]), ['rich']);
  });

  it('a part fills the hole that it fits', () => {
    const nodes = [nodeOf('a', 1, 100), nodeOf('b', 1, 100), nodeOf('c', 1, 100)];
    const typical = [part(700), part(300), part(500), asks(1, 1)];
    assert.deepEqual(placements(nodes, typical, [part(500), part(700), part(300), part(500)]), ['a', 'b', 'b', 'a']);
  });

  it('a part opens no device while another holds it', () => {
    const nodes = [nodeOf('a', 2, 100)];
    const [first] = placements(nodes, [part(500)], [part(500)]);
    assert.equal(first, 'a');
    assert.deepEqual(placements(nodes, [part(500)], [part(500), part(500), asks(1, 1), asks(1, 1)]), [
      'a',
      'a',
      'a',
      undefined,
    ]);
  });

  it('costs nothing where devices are all that runs out', () => {
    const snapshot = fleetOf({ nodes: [nodeOf('a', 8, 1000)], pods: [asks(1, 10), asks(8, 80)] }).snapshot(0);
    const feasibility = new Feasibility(snapshot);
    const fragmentation = fragmentationOf(snapshot, feasibility);
    const { shape } = asks(1, 10);
    const load = {
      request: snapshot.requestOf(shape),
      accelerators: snapshot.acceleratorsOf(shape),
      shapes: [shape],
      profiles: feasibility.profilesOf(shape),
    };
    assert.equal(fragmentation.matters(0, load), false);
    assert.equal(fragmentation.costOf(0, load.request, 1), 0);
  });

  it('is what no typical pod can use: devices without cpu, in milli-GPUs', () => {
    const snapshot = fleetOf({ nodes: [nodeOf('a', 4, 48)], pods: [asks(1, 12)] }).snapshot(0);
    const fragmentation = fragmentationOf(snapshot, new Feasibility(snapshot));
    assert.equal(fragmentation.costOf(0, snapshot.requestOf(asks(0, 12).shape), 1), 1000);
    assert.equal(fragmentation.costOf(0, snapshot.requestOf(asks(1, 12).shape), 1), 0);
    snapshot.hold(asks(0, 12), 0, 1);
    assert.equal(fragmentation.costOf(0, snapshot.requestOf(asks(1, 12).shape), 1), 0, 'what is stranded stays so');
    assert.equal(fragmentation.costOf(0, snapshot.requestOf(asks(1, 36).shape), 1), 2000);
  });
});
