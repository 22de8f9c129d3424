import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { nextTurn } from './clock.ts';
import { Limiter } from './limiter.ts';

describe('a limiter', () => {
  it('runs so many at a time, the others in the order in which they came, and goes on after a failure', async () => {
    const limiter = new Limiter(2);
    const started: number[] = [];
    const ends: (() => void)[] = [];
    const tasks = [0, 1, 2, 3].map((n) =>
      limiter.run(async () => {
        started.push(n);
        await new Promise<void>((resolve) => ends.push(resolve));
        if (n === 1) throw new Error('one fails');
        return n;
      }),
    );
    const settled = Promise.allSettled(tasks);
    await nextTurn();
    assert.deepEqual(started, [0, 1]);
    ends[1]!();
    await nextTurn();
    assert.deepEqual(started, [0, 1, 2]);
    ends[0]!();
    ends[2]!();
    await nextTurn();
    ends[3]!();
    assert.deepEqual(
      (await settled).map((result) => (result.status === 'fulfilled' ? result.value : 'failed')),
      [0, 'failed', 2, 3],
    );
    await limiter.run(() => Promise.resolve());
  });
});
