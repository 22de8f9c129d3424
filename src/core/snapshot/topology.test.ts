import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { node } from '../testing/world.ts';
import { arrange, liesIn, type WiredPool } from './topology.ts';

const wired: WiredPool = { name: 'national', topologyLevels: ['zone', 'block'] };

function at(name: string, zone?: string, block?: string) {
  return node(name, 8, {
    labels: { ...(zone === undefined ? {} : { zone }), ...(block === undefined ? {} : { block }) },
  });
}

/** Names of the nodes in each domain of a level, as arranged. */
function domains(nodes: readonly ReturnType<typeof node>[], depth: number) {
  const { order, topology } = arrange(nodes, () => wired);
  const names = Array.from(order, (i) => nodes[i]!.name);
  return [...(topology.tiers.get('national')?.[depth] ?? [])].map((d) =>
    names.slice(topology.start[d], topology.end[d]),
  );
}

describe('topology', () => {
  it('one block name in two zones is two domains', () => {
    const nodes = [at('a', 'z1', 'b1'), at('b', 'z2', 'b1'), at('c', 'z1', 'b1')];
    assert.deepEqual(domains(nodes, 1), [['a', 'c'], ['b']]);
    assert.deepEqual(domains(nodes, 0), [['a', 'c'], ['b']]);
  });

  it('a node without the label is in no domain of that level, but in those of the others', () => {
    const nodes = [at('a', 'z1'), at('b', 'z1', 'b1'), at('c', undefined, 'b1'), at('d')];
    assert.deepEqual(domains(nodes, 0), [['b', 'a']]);
    assert.deepEqual(domains(nodes, 1), [['b'], ['c']]);
  });

  it('nodes of a pool stand together, those of no pool last', () => {
    const nodes = [at('a'), at('b', 'z1'), at('c', 'z1')];
    const pools: readonly (WiredPool | undefined)[] = [undefined, { ...wired, name: 'second' }, wired];
    const { order } = arrange(nodes, (i) => pools[i]);
    assert.deepEqual([...order], [2, 1, 0]);
  });

  it('domains are ranges that hold exactly the nodes with that path, and children lie in their parents', () => {
    const label = fc.option(fc.constantFrom('x', 'y', 'z'), { nil: undefined });
    fc.assert(
      fc.property(fc.array(fc.tuple(label, label), { maxLength: 30 }), (paths) => {
        const nodes = paths.map(([zone, block], i) => at(`n${i}`, zone, block));
        const { order, topology } = arrange(nodes, () => wired);
        assert.deepEqual(
          [...order].sort((a, b) => a - b),
          nodes.map((_, i) => i),
        );
        const { start, end, parent, next, leafOf } = topology;
        for (let d = 1; d < start.length; d++) {
          const p = parent[d]!;
          assert.ok(start[p]! <= start[d]! && end[d]! <= end[p]! && next[d]! <= next[p]!);
        }
        order.forEach((position, id) => {
          const [zone, block] = paths[position]!;
          assert.equal(liesIn(topology, id, 0), zone !== undefined);
          assert.equal(liesIn(topology, id, 1), block !== undefined);
          const leaf = leafOf[id]!;
          assert.ok(start[leaf]! <= id && id < end[leaf]!);
          for (const [depth, own] of [zone, block].entries()) {
            if (own === undefined) continue;
            const d = [...topology.tiers.get('national')![depth]!].find((one) => start[one]! <= id && id < end[one]!)!;
            const alike = paths.filter((other) => other[depth] === own && (depth === 0 || other[0] === zone));
            assert.equal(end[d]! - start[d]!, alike.length);
          }
        });
      }),
    );
  });
});
