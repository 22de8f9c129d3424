import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { Heap } from './heap.ts';

const ascending = (a: number, b: number): number => a - b;

it('gives what was pushed in ascending order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (values) => {
      const heap = new Heap(ascending);
      for (const value of values) heap.push(value);
      const popped: (number | undefined)[] = values.map(() => heap.pop());
      assert.deepEqual(popped, values.toSorted(ascending));
      assert.equal(heap.pop(), undefined);
    }),
  );
});

it('takes the next least to the top when the rank of the top grows', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ rank: fc.nat(50), more: fc.nat(50) }), { minLength: 1 }), (values) => {
      const items = values.map((value) => ({ ...value }));
      const heap = new Heap<{ rank: number; more: number }>((a, b) => a.rank - b.rank);
      for (const item of items) heap.push(item);
      for (let turn = 0; turn < 100; turn++) {
        const { top } = heap;
        assert.equal(top?.rank, Math.min(...items.map((item) => item.rank)));
        top.rank += top.more;
        heap.settleTop();
      }
    }),
  );
});
