import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NodeFacts, PodFacts, PoolSpec } from '../snapshot/index.ts';
import { acceleratorClass, fleetOf, node, pod, pool, quota } from '../testing/world.ts';
import { Feasibility, placeAll, type PlacementRequest } from './index.ts';

const levels = ['zone', 'block'];

interface Case {
  readonly nodes: readonly NodeFacts[];
  readonly pods: readonly PodFacts[];
  readonly pool?: Partial<PoolSpec>;
  readonly request?: Partial<PlacementRequest>;
}

/** Names of the nodes that the pods go to; pods of one shape are one role. */
function placed({ nodes, pods, ...more }: Case): readonly string[] | undefined {
  const spec = pool({ topologyLevels: levels, ...more.pool });
  const snapshot = fleetOf({ nodes, pools: [spec], quotas: [quota('a', 0)] }).snapshot(0);
  const feasibility = new Feasibility(snapshot);
  const shapes = [...new Set(pods.map(({ shape }) => shape))];
  const roles = shapes.map((shape) => ({
    pods: pods.filter((one) => one.shape === shape),
    profiles: feasibility.profilesOf(shape),
  }));
  const result = placeAll(snapshot, feasibility, { roles, strategy: 'Pack', within: undefined, ...more.request });
  return result?.map(({ node: id }) => snapshot.nodes.names[id] ?? '');
}

/** `count` nodes in a block, named after it. */
function block(path: string, devices: readonly number[]): NodeFacts[] {
  const [zone = '', name = ''] = path.split('/');
  return devices.map((free, i) => {
    const facts = node(`${zone}-${name}-${i}`, free);
    return { ...facts, labels: { ...facts.labels, zone, ...(name === '' ? {} : { block: name }) } };
  });
}

const gang = (size: number, devices: number) => Array.from({ length: size }, () => pod('a', devices));
/** How often each name occurs. */
function count(names: readonly string[] | undefined): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names ?? []) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

describe('a gang takes the narrowest domain that holds it', () => {
  it('one node, of several the one with the least left over', () => {
    const nodes = [...block('z1/b1', [8, 4]), ...block('z1/b2', [5, 8])];
    assert.deepEqual(count(placed({ nodes, pods: gang(4, 1) })), { 'z1-b1-1': 4 });
  });

  it('one node that holds pods of every shape', () => {
    const nodes = [...block('z1/b1', [4, 4]), ...block('z1/b2', [7])];
    assert.deepEqual(count(placed({ nodes, pods: [...gang(1, 4), ...gang(3, 1)] })), { 'z1-b2-0': 4 });
  });

  it('one block, of several the one with the least left over', () => {
    const nodes = [...block('z1/b1', [8, 8, 8]), ...block('z1/b2', [8, 8]), ...block('z1/b3', [8])];
    assert.deepEqual(count(placed({ nodes, pods: gang(2, 8) })), { 'z1-b2-0': 1, 'z1-b2-1': 1 });
  });

  it('one zone where no block is large enough, though another zone comes first by name', () => {
    const nodes = [...block('z1/b1', [8]), ...block('z1/b2', [8]), ...block('z2/b1', [8, 8]), ...block('z2/b2', [8])];
    assert.deepEqual(new Set(placed({ nodes, pods: gang(3, 8) })), new Set(['z2-b1-0', 'z2-b1-1', 'z2-b2-0']));
  });

  it('where none holds it, the largest domains whole and the rest in the one that it fits best', () => {
    const nodes = [
      ...block('z1/b1', [8, 8, 8]),
      ...block('z1/b2', [8, 8, 8, 8]),
      ...block('z1/b3', [8]),
      ...block('z1/b4', [8, 8]),
    ];
    const names = placed({ nodes, pods: gang(6, 8) });
    assert.deepEqual(count(names?.map((name) => name.slice(0, 5))), { 'z1-b2': 4, 'z1-b4': 2 });
  });

  it('a domain where the roles fit one by one, but not together, is passed over', () => {
    const nodes = [...block('z1/b1', [8, 8]), ...block('z1/b2', [8, 8, 8])];
    const names = placed({ nodes, pods: [...gang(2, 8), ...gang(2, 4)] });
    assert.deepEqual(new Set(names), new Set(['z1-b2-0', 'z1-b2-1', 'z1-b2-2']));
  });
});

describe('a required level', () => {
  it('holds the whole gang, or it waits', () => {
    const nodes = [...block('z1/b1', [8]), ...block('z1/b2', [8])];
    assert.equal(placed({ nodes, pods: gang(2, 8), request: { within: 'block' } }), undefined);
    assert.equal(placed({ nodes, pods: gang(2, 8), request: { within: 'zone' } })?.length, 2);
  });

  it('leaves out nodes that lie in no domain of it, even for a gang that one node would hold', () => {
    const nodes = [...block('z1', [2]), ...block('z1/b1', [8])];
    assert.deepEqual(placed({ nodes, pods: gang(1, 1), request: { within: 'block' } }), ['z1-b1-0']);
    assert.deepEqual(count(placed({ nodes, pods: gang(2, 1), request: { within: 'block' } })), { 'z1-b1-0': 2 });
    assert.deepEqual(count(placed({ nodes, pods: gang(2, 1) })), { 'z1--0': 2 });
  });

  it('that the pool does not have holds nothing', () => {
    assert.equal(placed({ nodes: block('z1/b1', [8]), pods: gang(1, 1), request: { within: 'rack' } }), undefined);
  });
});

describe('Spread', () => {
  it('takes the emptiest of the narrowest domains, and there each pod the emptiest node', () => {
    const nodes = [...block('z1/b1', [8, 8]), ...block('z1/b2', [8, 8, 8])];
    const names = placed({ nodes, pods: gang(3, 1), request: { strategy: 'Spread' } });
    assert.deepEqual(new Set(names), new Set(['z1-b2-0', 'z1-b2-1', 'z1-b2-2']));
  });
});

describe('pods that keep each other away', () => {
  const apart = (size: number) => {
    const labels = { app: 'x' };
    const term = {
      topologyKey: 'kubernetes.io/hostname',
      selector: [{ key: 'app', operator: 'In' as const, values: ['x'] }],
      namespaces: [],
      namespaceSelector: undefined,
    };
    const constraints = { hostPorts: [], disks: [], affinity: [], antiAffinity: [term], spread: [], claims: false };
    const { shape } = pod('a', 1, { shape: { constraints } });
    return Array.from({ length: size }, () => ({ ...pod('a', 1), shape, labels }));
  };
  const nodes = [...block('z1/b1', [8]), ...block('z1/b2', [8, 8]), ...block('z2/b1', [8])];

  it('go to a node each, in the narrowest domain that has so many', () => {
    assert.deepEqual(count(placed({ nodes, pods: apart(2) })), { 'z1-b2-0': 1, 'z1-b2-1': 1 });
    assert.deepEqual(new Set(placed({ nodes, pods: apart(3) })), new Set(['z1-b1-0', 'z1-b2-0', 'z1-b2-1']));
    assert.equal(placed({ nodes, pods: apart(4) })?.length, 4);
  });

  it('wait where the nodes are too few', () => {
    assert.equal(placed({ nodes, pods: apart(5) }), undefined);
    assert.equal(placed({ nodes, pods: apart(4), request: { within: 'zone' } }), undefined);
  });
});

describe("a site's power limit", () => {
  const limited = (...sites: readonly [string, number][]): Partial<PoolSpec> => ({
    classes: [acceleratorClass('h200', 1, { powerWatts: 1000 })],
    sites: sites.map(([zone, kilowatts]) => ({
      name: zone,
      nodeSelector: zone === 'all' ? [] : [{ key: 'zone', operator: 'In', values: [zone] }],
      powerLimitWatts: kilowatts * 1000,
    })),
  });
  const nodes = [...block('z1/b1', [8, 8]), ...block('z2/b1', [8, 8])];

  it('is never passed; what fits elsewhere goes there', () => {
    assert.deepEqual(count(placed({ nodes, pods: gang(1, 8), pool: limited(['z1', 7]) })), { 'z2-b1-0': 1 });
    assert.equal(placed({ nodes, pods: gang(1, 8), pool: limited(['z1', 7], ['z2', 7]) }), undefined);
  });

  it('may cut a gang over several sites, each within its limit', () => {
    const names = placed({ nodes, pods: gang(12, 1), pool: limited(['z1', 5], ['z2', 7]) });
    assert.deepEqual(count(names?.map((name) => name.slice(0, 2))), { z1: 5, z2: 7 });
    assert.equal(placed({ nodes, pods: gang(13, 1), pool: limited(['z1', 5], ['z2', 7]) }), undefined);
  });

  it('of a site around others holds for all of them together', () => {
    assert.equal(placed({ nodes, pods: gang(12, 1), pool: limited(['z1', 8], ['z2', 8], ['all', 11]) }), undefined);
    assert.equal(placed({ nodes, pods: gang(11, 1), pool: limited(['z1', 8], ['z2', 8], ['all', 11]) })?.length, 11);
  });

  it('can be left aside, to learn whether it alone stands in the way', () => {
    const request = { ignorePower: true };
    assert.equal(placed({ nodes, pods: gang(1, 8), pool: limited(['z1', 7], ['z2', 7]), request })?.length, 1);
  });

  it('binds nothing that draws no power', () => {
    const silent = { ...limited(['z1', 0], ['z2', 0]), classes: [acceleratorClass('h200')] };
    assert.equal(placed({ nodes, pods: gang(2, 8), pool: silent })?.length, 2);
  });
});
