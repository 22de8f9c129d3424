import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { BitSet } from './index.ts';

it('a bit set answers like a sorted set, at every size of up to three levels', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40_000 }),
      fc.array(fc.tuple(fc.boolean(), fc.nat()), { maxLength: 60 }),
      fc.array(fc.nat(), { maxLength: 20 }),
      (capacity, changes, probes) => {
        const set = new BitSet(capacity);
        const model = new Set<number>();
        for (const [insert, n] of changes) {
          const value = n % capacity;
          if (insert) set.add(value);
          else set.delete(value);
          if (insert) model.add(value);
          else model.delete(value);
        }
        for (const probe of [0, capacity - 1, ...probes.map((n) => n % capacity)]) {
          assert.equal(set.has(probe), model.has(probe));
          const want = [...model].filter((value) => value >= probe).sort((a, b) => a - b)[0] ?? -1;
          assert.equal(set.next(probe), want);
        }
      },
    ),
  );
});
