import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nextTurn } from './clock.ts';
import { FakeClock } from './fake-clock.ts';
import { initialListPriority, WorkQueue, type WorkQueueOptions } from './workqueue.ts';

const never = new AbortController().signal;

function newQueue(more: Partial<WorkQueueOptions> = {}): { clock: FakeClock; queue: WorkQueue<string> } {
  const clock = new FakeClock();
  return { clock, queue: new WorkQueue<string>({ clock, random: () => 0.999_999, ...more }) };
}

/** Takes everything that can be taken now, and reports it done. */
async function drain(queue: WorkQueue<string>): Promise<string[]> {
  const taken: string[] = [];
  while (queue.size > 0) {
    const key = await queue.take(never);
    taken.push(key);
    queue.done(key);
  }
  return taken;
}

describe('a work queue', () => {
  it('hands out keys in the order they were added, each once however often it was added', async () => {
    const { queue } = newQueue();
    for (const key of ['b', 'a', 'b', 'c', 'a']) queue.add(key);
    assert.equal(queue.size, 3);
    assert.deepEqual(await drain(queue), ['b', 'a', 'c']);
  });

  it('hands out higher priorities first', async () => {
    const { queue } = newQueue();
    queue.add('old', { priority: initialListPriority });
    queue.add('news');
    queue.add('urgent', { priority: 5 });
    assert.deepEqual(await drain(queue), ['urgent', 'news', 'old']);
  });

  it('raises the priority of a waiting key, which keeps its turn among its equals, and never lowers it', async () => {
    const { queue } = newQueue();
    queue.add('first', { priority: -1 });
    queue.add('second');
    queue.add('first');
    queue.add('second', { priority: -1 });
    assert.deepEqual(await drain(queue), ['first', 'second']);
  });

  it('gives a key to one worker at a time: added meanwhile, it comes again after done', async () => {
    const { queue } = newQueue();
    queue.add('a');
    await queue.take(never);
    queue.add('a');
    queue.add('a');
    assert.equal(queue.size, 0);
    queue.done('a');
    assert.equal(queue.size, 1);
    assert.deepEqual(await drain(queue), ['a']);
  });

  it('gives a key that was added while it was worked on to a worker who waits, once it is done', async () => {
    const { queue } = newQueue();
    queue.add('a');
    await queue.take(never);
    const waiting = queue.take(never);
    queue.add('a');
    queue.done('a');
    assert.equal(await waiting, 'a');
  });

  it('gives what is added to who has waited longest', async () => {
    const { queue } = newQueue();
    const taken: string[] = [];
    void queue.take(never).then((key) => taken.push(`first ${key}`));
    void queue.take(never).then((key) => taken.push(`second ${key}`));
    queue.add('a');
    queue.add('b');
    await nextTurn();
    assert.deepEqual(taken, ['first a', 'second b']);
  });

  it('holds a delayed key back until its time, and wakes who waits for it', async () => {
    const { clock, queue } = newQueue();
    queue.add('later', { afterMs: 1000 });
    assert.deepEqual([queue.size, queue.delayed], [0, 1]);
    let at = -1;
    void queue.take(never).then(() => {
      at = clock.monotonic();
    });
    await clock.advance(5000);
    assert.equal(at, 1000);
  });

  it('takes the earlier of two times, and at once when one is now', async () => {
    const { clock, queue } = newQueue();
    queue.add('a', { afterMs: 1000 });
    queue.add('a', { afterMs: 500 });
    queue.add('a', { afterMs: 2000 });
    await clock.advance(499);
    assert.equal(queue.size, 0);
    await clock.advance(1);
    assert.deepEqual(await drain(queue), ['a']);
    queue.add('b', { afterMs: 1000 });
    queue.add('b');
    assert.deepEqual(await drain(queue), ['b']);
    await clock.advance(10_000);
    assert.deepEqual([queue.size, queue.delayed], [0, 0]);
  });

  it('counts a delay from when it was asked for, though the key is worked on meanwhile', async () => {
    const { clock, queue } = newQueue();
    queue.add('a');
    await queue.take(never);
    queue.add('a', { afterMs: 1000 });
    await clock.advance(600);
    queue.done('a');
    assert.deepEqual([queue.size, queue.delayed], [0, 1]);
    await clock.advance(400);
    assert.equal(queue.size, 1);
  });

  it('wakes for a key that is due earlier than the one it slept for', async () => {
    const { clock, queue } = newQueue();
    queue.add('late', { afterMs: 10_000 });
    const taking = queue.take(never);
    queue.add('early', { afterMs: 100 });
    await clock.advance(100);
    assert.equal(await taking, 'early');
  });

  it('doubles the delay of a failing key until it is forgotten', async () => {
    const { clock, queue } = newQueue({ backOff: { baseMs: 100, maxMs: 1000 } });
    const delays: number[] = [];
    for (const forget of [false, false, false, false, false, true]) {
      queue.addRateLimited('a');
      const start = clock.monotonic();
      const taking = queue.take(never).then(() => delays.push(Math.round(clock.monotonic() - start)));
      await clock.advance(2000);
      await taking;
      queue.done('a');
      if (forget) queue.forget('a');
    }
    queue.addRateLimited('a');
    await clock.advance(100);
    assert.deepEqual(delays, [100, 200, 400, 800, 1000, 1000]);
    assert.equal(queue.size, 1);
  });

  it('slows all failing keys together down to its rate', async () => {
    const { clock, queue } = newQueue({ backOff: { baseMs: 1, maxMs: 1 }, rate: { perSecond: 10, burst: 5 } });
    for (let index = 0; index < 20; index++) queue.addRateLimited(`key-${index}`);
    await clock.advance(10);
    assert.equal(queue.size, 5);
    await clock.advance(1000);
    assert.equal(queue.size, 15);
  });

  it('waits at least as long as the server asked', async () => {
    const { clock, queue } = newQueue();
    queue.addRateLimited('a', { afterMs: 7000 });
    await clock.advance(6999);
    assert.equal(queue.size, 0);
    await clock.advance(1);
    assert.equal(queue.size, 1);
  });

  it('rejects a wait with the reason of its signal, and loses no key to who no longer waits', async () => {
    const { clock, queue } = newQueue();
    const controller = new AbortController();
    queue.add('later', { afterMs: 1000 });
    const waiting = queue.take(controller.signal);
    controller.abort(new Error('stop'));
    await assert.rejects(waiting, { message: 'stop' });
    await assert.rejects(queue.take(controller.signal), { message: 'stop' });
    assert.equal(clock.sleeping, 0, 'an idle queue holds no timer');
    queue.add('a');
    assert.deepEqual(await drain(queue), ['a']);
  });

  it('ignores a done for a key that nobody has', async () => {
    const { queue } = newQueue();
    queue.add('a');
    queue.done('a');
    queue.done('b');
    assert.deepEqual(await drain(queue), ['a']);
  });

  it('loses no add, hands no key to two workers, and hands out the highest priority, whatever happens', async () => {
    const keys = fc.constantFrom('a', 'b', 'c', 'd');
    const moves = fc.array(
      fc.oneof(
        fc.record({ add: keys, priority: fc.integer({ min: -2, max: 2 }), afterMs: fc.constantFrom(0, 0, 10, 30) }),
        fc.constant({ take: true as const }),
        fc.record({ done: keys }),
        fc.record({ advance: fc.constantFrom(5, 10, 40) }),
      ),
      { maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(moves, async (script) => {
        const { clock, queue } = newQueue();
        // What waits, by key: when it is due and how urgent it is.
        const waiting = new Map<string, { due: number; priority: number }>();
        const working = new Set<string>();
        for (const move of script) {
          if ('add' in move) {
            const due = clock.monotonic() + move.afterMs;
            const before = waiting.get(move.add);
            waiting.set(move.add, {
              due: Math.min(due, before?.due ?? due),
              priority: Math.max(move.priority, before?.priority ?? move.priority),
            });
            queue.add(move.add, move);
          } else if ('take' in move) {
            const open = [...waiting].filter(([key, { due }]) => due <= clock.monotonic() && !working.has(key));
            assert.equal(queue.size, open.length);
            if (open.length === 0) continue;
            const key = await queue.take(never);
            const priority = waiting.get(key)?.priority;
            assert.ok(
              open.some(([name]) => name === key),
              `${key} was not to be had`,
            );
            assert.equal(priority, Math.max(...open.map(([, entry]) => entry.priority)));
            waiting.delete(key);
            working.add(key);
          } else if ('done' in move) {
            queue.done(move.done);
            working.delete(move.done);
          } else {
            await clock.advance(move.advance);
          }
        }
        for (const key of working) queue.done(key);
        await clock.advance(1000);
        assert.deepEqual((await drain(queue)).sort(), [...waiting.keys()].sort());
        assert.deepEqual([queue.size, queue.delayed], [0, 0]);
      }),
      { numRuns: 300 },
    );
  });
});
