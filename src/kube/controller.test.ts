import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nextTurn } from './clock.ts';
import {
  enqueueChanges,
  runController,
  TerminalError,
  type ControllerOptions,
  type ReconcileObservation,
} from './controller.ts';
import { ApiError } from './errors.ts';
import { FakeClock } from './fake-clock.ts';
import { Store, type Stored } from './store.ts';
import { WorkQueue } from './workqueue.ts';

interface Running {
  readonly clock: FakeClock;
  readonly queue: WorkQueue<string>;
  readonly observations: ReconcileObservation[];
  readonly stop: () => void;
  readonly finished: Promise<void>;
}

function run(reconcile: ControllerOptions['reconcile'], workers = 1): Running {
  const clock = new FakeClock();
  const queue = new WorkQueue<string>({ clock, random: () => 0.999_999, backOff: { baseMs: 100, maxMs: 1000 } });
  const observations: ReconcileObservation[] = [];
  const controller = new AbortController();
  const finished = runController({
    name: 'test',
    queue,
    workers,
    reconcile,
    clock,
    signal: controller.signal,
    observe: (observation) => observations.push(observation),
  });
  return { clock, queue, observations, finished, stop: () => controller.abort(new Error('stop')) };
}

describe('a controller', () => {
  it('comes again after the time that the reconciliation asks for, and otherwise not', async () => {
    const times: number[] = [];
    const { clock, queue, stop, finished } = run(() => {
      times.push(clock.monotonic());
      return Promise.resolve(times.length < 3 ? { requeueAfterMs: 5000 } : {});
    });
    queue.add('a');
    await clock.advance(60_000);
    assert.deepEqual(times, [0, 5000, 10_000]);
    stop();
    await finished;
  });

  it('tries a failure again with growing back-off, which a success ends', async () => {
    const times: number[] = [];
    const bug = new Error('bug');
    const { clock, queue, observations, stop, finished } = run(() => {
      times.push(Math.round(clock.monotonic()));
      return times.length === 4 ? Promise.resolve({}) : Promise.reject(bug);
    });
    queue.add('a');
    await clock.advance(10_000);
    assert.deepEqual(times.slice(0, 4), [0, 100, 300, 700]);
    queue.add('a');
    await clock.advance(150);
    assert.deepEqual(times.slice(4), [10_000, 10_100]);
    assert.deepEqual(
      observations.slice(0, 4).map(({ name, key, outcome, error }) => [name, key, outcome, error]),
      [
        ['test', 'a', 'failed', bug],
        ['test', 'a', 'failed', bug],
        ['test', 'a', 'failed', bug],
        ['test', 'a', 'succeeded', undefined],
      ],
    );
    stop();
    await finished;
  });

  it('does not come again after a terminal error', async () => {
    let tries = 0;
    const { clock, queue, observations, stop, finished } = run(() => {
      tries += 1;
      return Promise.reject(new TerminalError('no such class', { field: 'spec' }));
    });
    queue.add('a');
    await clock.advance(3_600_000);
    assert.equal(tries, 1);
    assert.deepEqual(
      observations.map(({ outcome }) => outcome),
      ['terminal'],
    );
    stop();
    await finished;
  });

  it('stays away for as long as the server asks', async () => {
    const times: number[] = [];
    const { clock, queue, stop, finished } = run(() => {
      times.push(clock.monotonic());
      const facts = { status: 429, code: 'TooManyRequests', retryable: true, retryAfterMs: 30_000 };
      return Promise.reject(new ApiError('later', facts));
    });
    queue.add('a');
    await clock.advance(30_000);
    assert.deepEqual(times, [0, 30_000]);
    stop();
    await finished;
  });

  it('works on as many keys at a time as it has workers, and never twice on one', async () => {
    const busy = new Set<string>();
    let most = 0;
    const { clock, queue, stop, finished } = run(async (key) => {
      assert.ok(!busy.has(key));
      busy.add(key);
      most = Math.max(most, busy.size);
      await clock.sleep(100);
      busy.delete(key);
      return {};
    }, 3);
    for (let round = 0; round < 5; round++) {
      for (const key of ['a', 'b', 'c', 'd', 'e']) queue.add(key);
      await clock.advance(70);
    }
    await clock.advance(10_000);
    assert.equal(most, 3);
    assert.equal(queue.size, 0);
    stop();
    await finished;
  });

  it('finishes what it has in hand when it is stopped, and takes nothing more', async () => {
    const begun: string[] = [];
    const ended: string[] = [];
    let release: () => void = () => undefined;
    const { queue, observations, stop, finished } = run(async (key) => {
      begun.push(key);
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      ended.push(key);
      return {};
    });
    queue.add('a');
    queue.add('b');
    await nextTurn();
    stop();
    await nextTurn();
    assert.deepEqual(ended, []);
    release();
    await finished;
    assert.deepEqual([begun, ended], [['a'], ['a']]);
    assert.equal(observations.length, 1);
  });

  it('does not take being stopped for a failure', async () => {
    const { queue, observations, stop, finished } = run((_, signal) => {
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('cut short')));
      });
    });
    queue.add('a');
    await nextTurn();
    stop();
    await finished;
    assert.deepEqual(observations, []);
  });
});

describe('queueing what changes', () => {
  const object = (name: string): Stored => ({ uid: name, namespace: '', name, resourceVersion: '1' });

  it('puts news before everything of the first list, and ends when told', async () => {
    const clock = new FakeClock();
    const queue = new WorkQueue<string>({ clock, random: () => 0 });
    const store = new Store<Stored>();
    const end = enqueueChanges(store, queue, ({ object: { name } }) => [name, `owner of ${name}`]);
    store.replace([object('old')]);
    store.upsert(object('news'));
    end();
    store.upsert(object('unheard'));
    const taken: string[] = [];
    while (queue.size > 0) taken.push(await queue.take(new AbortController().signal));
    assert.deepEqual(taken, ['news', 'owner of news', 'old', 'owner of old']);
  });
});
