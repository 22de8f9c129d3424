import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FairQueue } from './fair-queue.ts';

describe('FairQueue', () => {
  it('whoever adds one item waits for one of each other owner at the most', () => {
    const queue = new FairQueue<string>();
    for (let i = 0; i < 1000; i++) queue.add('many', `many ${i}`);
    queue.add('one', 'one');
    assert.deepEqual([queue.take(), queue.take(), queue.take()], ['many 0', 'one', 'many 1']);
    assert.equal(queue.size, 998);
  });

  it('what is dropped is the oldest of whoever has most', () => {
    const queue = new FairQueue<string>();
    queue.add('one', 'one');
    for (let i = 0; i < 3; i++) queue.add('many', `many ${i}`);
    assert.deepEqual([queue.dropFromLongest(), queue.dropFromLongest()], ['many 0', 'many 1']);
    assert.deepEqual([queue.take(), queue.take(), queue.take()], ['one', 'many 2', undefined]);
  });

  it('an item that waits already is not added again', () => {
    const queue = new FairQueue<string>();
    queue.add('a', 'x');
    queue.add('a', 'x');
    assert.equal(queue.size, 1);
  });
});
