import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { fleetOf, node, pod, pool, quota } from '../testing/world.ts';
import { profileUnionOf } from './profileUnion.ts';

const nodes = Array.from({ length: 7 }, (_, i) => node(`n${i}`, 8, { cordoned: i % 3 === 0 }));
const fleet = fleetOf({ nodes, pools: [pool()], quotas: [quota('a', 0)] });

it('a union has every node of its profiles, and no other, in the bucket of what is free on it', () => {
  const changes = fc.array(fc.tuple(fc.nat(6), fc.integer({ min: -3, max: 3 })), { maxLength: 150 });
  fc.assert(
    fc.property(fc.array(changes, { maxLength: 4 }), (rounds) => {
      const snapshot = fleet.snapshot(0);
      const { nodes: table } = snapshot;
      const slot = snapshot.slotOf('nvidia.com/gpu');
      const open = table.profiles.filter(({ cordoned }) => !cordoned);
      const union = profileUnionOf(table, open, slot);
      for (const round of rounds) {
        for (const [id, count] of round) snapshot.hold(pod('a', 1), id, count);
        union.sync();
        const found = new Map<number, number>();
        for (let bucket = 0; bucket < union.index.bucketCount; bucket++) {
          for (let id = union.index.next(bucket, 0); id >= 0; id = union.index.next(bucket, id + 1))
            found.set(id, bucket);
        }
        const want = table.names.flatMap((_, id): [number, number][] =>
          table.profileOf(id).cordoned ? [] : [[id, Math.max(0, table.free(id, slot))]],
        );
        assert.deepEqual(
          [...found].sort(([a], [b]) => a - b),
          want,
        );
      }
    }),
  );
});
