import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { fleetOf, node, pod, pool, quota } from '../testing/world.ts';
import { CopyCounts, copyCountsOf } from './copyCounts.ts';

const nodes = Array.from({ length: 7 }, (_, i) => {
  const facts = node(`n${i}`, 8);
  return { ...facts, labels: { ...facts.labels, zone: `z${i % 3}` } };
});
const fleet = fleetOf({ nodes, pools: [pool({ topologyLevels: ['zone'] })], quotas: [quota('a', 0)] });

it('counts that follow the nodes equal new ones, however many changes lie between two looks', () => {
  const changes = fc.array(fc.tuple(fc.nat(6), fc.integer({ min: -3, max: 3 })), { maxLength: 150 });
  fc.assert(
    fc.property(fc.array(changes, { maxLength: 4 }), fc.integer({ min: 1, max: 9 }), (rounds, devices) => {
      const snapshot = fleet.snapshot(0);
      const { nodes: table } = snapshot;
      const request = snapshot.requestOf(pod('a', devices).shape);
      const counts = copyCountsOf(table, request, table.profiles);
      for (const round of rounds) {
        for (const [id, count] of round) snapshot.hold(pod('a', 1), id, count);
        counts.sync();
        const fresh = new CopyCounts(table, { request, profiles: table.profiles, accepts: undefined });
        assert.deepEqual(counts.inDomain, fresh.inDomain);
        assert.deepEqual(counts.clone().inDomain, fresh.inDomain);
        table.names.forEach((_, id) => {
          assert.equal(counts.onNode(id), Math.max(0, table.copiesThatFit(id, request)));
        });
      }
    }),
  );
});
