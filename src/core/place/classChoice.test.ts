import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { PodFacts, PodShape } from '../snapshot/index.ts';
import { acceleratorClass, fleetOf, node, pod, pool } from '../testing/world.ts';
import { rankOptions } from './classChoice.ts';
import { Feasibility } from './feasibility.ts';

const classes = [acceleratorClass('h200'), acceleratorClass('b200', 2)];
const only = (product: string): Partial<PodShape> => ({
  nodeSelector: [{ key: 'nvidia.com/gpu.product', operator: 'In', values: [product] }],
});

/** Two nodes of each class; `taken` devices of them are held. Returns the classes in the order of the ranking. */
function ranking(arrived: readonly PodFacts[], taken: Readonly<Record<string, number>> = {}): string[] {
  const nodes = ['h200', 'b200'].flatMap((product) => [1, 2].map((i) => node(`${product}-${i}`, 8, { product })));
  const snapshot = fleetOf({ pools: [pool({ classes })], nodes, pods: arrived }).snapshot(0);
  for (const [name, devices] of Object.entries(taken))
    snapshot.hold(pod('anyone', devices), snapshot.nodes.idOf(name)!, 1);
  const [national] = snapshot.policy.pools;
  const options = classes.map(({ name, weight }, classIndex) => ({
    name,
    request: [{ classIndex, devices: 1 }],
    cost: weight,
  }));
  const asked = { snapshot, feasibility: new Feasibility(snapshot), pool: national! };
  return rankOptions(asked, options).map(({ name }) => name);
}

const times = (count: number, make: () => PodFacts): PodFacts[] => Array.from({ length: count }, make);
const anyClass = () => pod('anyone', 1);

describe('choice of a class', () => {
  it('the cheaper class goes first where all are asked for alike', () => {
    assert.deepEqual(ranking(times(4, anyClass)), ['h200', 'b200']);
  });

  it('a class that others insist on is left to them', () => {
    const insisting = times(20, () => pod('anyone', 1, { shape: only('h200') }));
    assert.deepEqual(ranking([...insisting, ...times(4, anyClass)]), ['b200', 'h200']);
  });

  it('devices count, not pods', () => {
    const insisting = times(3, () => pod('anyone', 8, { shape: only('h200') }));
    assert.deepEqual(ranking([...insisting, ...times(4, anyClass)]), ['b200', 'h200']);
  });

  it('the scarcer the free devices, the more a class is left to those who insist on it', () => {
    const insisting = (['h200', 'b200'] as const).flatMap((product) =>
      times(10, () => pod('anyone', 1, { shape: only(product) })),
    );
    assert.deepEqual(ranking(insisting), ['h200', 'b200']);
    assert.deepEqual(ranking(insisting, { 'h200-1': 8, 'h200-2': 6 }), ['b200', 'h200']);
  });

  it('a class without a free device comes last', () => {
    assert.deepEqual(ranking(times(4, anyClass), { 'h200-1': 8, 'h200-2': 8 }), ['b200', 'h200']);
  });
});
