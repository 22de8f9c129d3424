import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';

import { podFacts } from '../../../test/support/fleet.ts';
import { ApiError } from '../../kube/errors.ts';
import { FakeClock, Store, type ApiRequest, type Transport } from '../../kube/index.ts';
import { podsCaughtUp, type StoredPod } from './podsCaughtUp.ts';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function pod(name: string, resourceVersion: string, more: Partial<StoredPod['facts']> = {}): StoredPod {
  return { uid: name, namespace: 'n', name, resourceVersion, facts: { ...podFacts('n', 1), name, uid: name, ...more } };
}

/**
 * A view of these pods, and a server that answers with the next of the answers: to a mark with a version or a refusal,
 * to the question for pods with `none` or `some`.
 */
function viewOf(context: TestContext, pods: readonly StoredPod[], answers: readonly string[]) {
  const store = new Store<StoredPod>();
  store.replace(pods);
  const left = [...answers];
  const marked: string[] = [];
  const bodies: unknown[] = [];
  const transport = {
    request: ({ path, body }: ApiRequest) => {
      const answer = left.shift()!;
      if (path === '/api/v1/pods') return Promise.resolve({ items: answer === 'none' ? [] : [{}] });
      marked.push(path.split('/')[6]!);
      bodies.push(body);
      if (/^\d+$/.test(answer)) return Promise.resolve({ metadata: { resourceVersion: answer } });
      return Promise.reject(new ApiError(answer, { status: 500, code: answer, retryable: true }));
    },
  } as unknown as Transport;
  const stop = new AbortController();
  context.after(() => stop.abort(new Error('the test is over')));
  const clock = new FakeClock(Date.parse('2026-06-01T00:00:00Z'));
  const outcome = { value: 'waits' };
  const view = { pods: store, transport, clock, random: () => 0, logger: silent as never, signal: stop.signal };
  podsCaughtUp(view).then(
    () => {
      outcome.value = 'caught up';
    },
    () => undefined,
  );
  return { store, marked, bodies, clock, outcome };
}

describe('whether a view of pods has caught up', () => {
  it('is told by a mark on a pod that waits, as soon as the view shows it', async (context) => {
    const pods = [pod('runs', '5', { nodeName: 'node' }), pod('waits', '7', { explained: 'NoCapacity: none' })];
    const { store, marked, bodies, clock, outcome } = viewOf(context, pods, ['12']);
    await clock.advance(1);
    assert.deepEqual(marked, ['waits']);
    assert.deepEqual(bodies[0], {
      metadata: { uid: 'waits', resourceVersion: '7' },
      status: { conditions: [{ type: 'PodScheduled', status: 'False', lastProbeTime: '2026-06-01T00:00:00Z' }] },
    });
    store.upsert(pod('waits', '9'));
    await clock.advance(60_000);
    assert.equal(outcome.value, 'waits', 'what it shows is from before the mark');
    store.upsert(pod('waits', '12'));
    await clock.advance(1);
    assert.equal(outcome.value, 'caught up');
  });

  it('is told as well when the marked pod is gone from it', async (context) => {
    const { store, clock, outcome } = viewOf(context, [pod('waits', '7')], ['12']);
    await clock.advance(1);
    store.delete('n/waits');
    await clock.advance(1);
    assert.equal(outcome.value, 'caught up');
  });

  it('a pod that has changed is not marked before the view shows the change', async (context) => {
    const { store, marked, clock, outcome } = viewOf(context, [pod('waits', '7')], ['Conflict', '12']);
    await clock.advance(60_000);
    assert.deepEqual(marked, ['waits']);
    store.upsert(pod('waits', '10', { nodeName: 'node' }));
    await clock.advance(1);
    assert.deepEqual(marked, ['waits', 'waits']);
    store.upsert(pod('waits', '12', { nodeName: 'node' }));
    await clock.advance(1);
    assert.equal(outcome.value, 'caught up');
  });

  it('where one cannot be marked another is, and all again after a pause', async (context) => {
    const answers = ['InternalError', 'InternalError', '12'];
    const { marked, clock } = viewOf(context, [pod('a', '7'), pod('b', '8')], answers);
    await clock.advance(1);
    assert.deepEqual(marked, ['a', 'b']);
    await clock.advance(10_000);
    assert.deepEqual(marked, ['a', 'b', 'a']);
  });

  it('a view without a pod of ours has caught up where the API server knows of none', async (context) => {
    const { marked, clock, outcome } = viewOf(context, [pod('other', '7', { ours: false })], ['none']);
    await clock.advance(1);
    assert.deepEqual([marked, outcome.value], [[], 'caught up']);
  });

  it('where the API server knows of one, the view waits for it and marks it', async (context) => {
    const { store, marked, clock, outcome } = viewOf(context, [], ['some', 'some', '12']);
    await clock.advance(60);
    assert.deepEqual([marked, outcome.value], [[], 'waits']);
    store.upsert(pod('waits', '7'));
    await clock.advance(10_000);
    assert.deepEqual(marked, ['waits']);
    store.upsert(pod('waits', '12'));
    await clock.advance(1);
    assert.equal(outcome.value, 'caught up');
  });
});
