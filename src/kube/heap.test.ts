import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Heap } from './heap.ts';

describe('a heap', () => {
  it('gives its elements in order, whatever is pushed between', () => {
    // A number is pushed, undefined pops.
    const moves = fc.array(fc.option(fc.integer(), { nil: undefined }));
    fc.assert(
      fc.property(moves, (script) => {
        const heap = new Heap<number>((one, other) => one < other);
        const model: number[] = [];
        for (const move of script) {
          if (move === undefined) {
            assert.equal(heap.pop(), model.shift());
          } else {
            heap.push(move);
            model.push(move);
            model.sort((a, b) => a - b);
          }
          assert.equal(heap.peek(), model[0]);
          assert.equal(heap.size, model.length);
        }
      }),
    );
  });
});
