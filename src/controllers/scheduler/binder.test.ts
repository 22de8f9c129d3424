import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';

import { fleetOf, nodeFacts, podFacts, resource } from '../../../test/support/fleet.ts';
import { ApiError } from '../../kube/errors.ts';
import { FakeClock, type ApiRequest, type Transport } from '../../kube/index.ts';
import { createMetrics } from '../../observe/index.ts';
import { Binder } from './binder.ts';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const pool = resource('GpuPool', 'national', {
  spec: { acceleratorClasses: [{ name: 'h200', nodeSelector: { matchLabels: { product: 'H200' } }, weight: '1' }] },
});

/** What the server does with a binding, and what comes of it. */
type Answer = 'bound' | 'lost' | 'Conflict' | 'InternalError';

/** A binder with one pod to bind, and a server that answers its bindings one after the other. */
function binderOf(context: TestContext, answers: readonly Answer[], nodeOfPod?: string) {
  const clock = new FakeClock(Date.parse('2026-06-01T00:00:00Z'));
  const pod = podFacts('kaist', 8);
  const fleet = fleetOf({ pools: [pool], nodes: [nodeFacts('node-1'), nodeFacts('node-2')], pods: [pod] });
  const left = [...answers];
  const sent: string[] = [];
  const refusal = (status: number, code: string) => new ApiError(code, { status, code, retryable: true });
  const transport = {
    request: ({ method, body }: ApiRequest) => {
      if (method === 'GET') return Promise.resolve({ metadata: { uid: pod.uid }, spec: { nodeName: nodeOfPod } });
      sent.push((body as { target: { name: string } }).target.name);
      const answer = left.shift()!;
      if (answer === 'bound') return Promise.resolve(undefined);
      const status = { lost: 0, Conflict: 409, InternalError: 500 }[answer];
      return Promise.reject(refusal(status, answer === 'lost' ? 'Network' : answer));
    },
  } as unknown as Transport;
  const stop = new AbortController();
  context.after(() => stop.abort(new Error('the test is over')));
  const seen = { bound: 0, failed: 0 };
  const binder = new Binder({
    ...{ transport, fleet, clock, logger: silent as never, concurrency: 4, signal: stop.signal },
    metrics: createMetrics({ version: '1' }),
    stillLeading: () => true,
    onFailed: () => {
      seen.failed += 1;
    },
  });
  const onBound = () => {
    seen.bound += 1;
  };
  binder.add({ pod, nodeName: 'node-1', poolName: 'national', borrower: false, onBound });
  const waits = () => [...fleet.snapshot(clock.now()).running.pods()].length === 0;
  return { clock, fleet, pod, sent, seen, waits };
}

describe('the binder', () => {
  it('keeps the place of a pod of which it does not know whether it is bound, and sends the same binding again', async (context) => {
    const { clock, sent, seen, waits } = binderOf(context, ['lost', 'InternalError', 'bound']);
    await clock.advance(199);
    assert.deepEqual([sent.length, waits()], [1, false]);
    await clock.advance(10_000);
    assert.deepEqual(sent, ['node-1', 'node-1', 'node-1']);
    assert.deepEqual([seen, waits()], [{ bound: 1, failed: 0 }, false]);
  });

  it('finds out that the first binding was carried out when the second is refused', async (context) => {
    const { clock, sent, seen, waits } = binderOf(context, ['lost', 'Conflict'], 'node-1');
    await clock.advance(10_000);
    assert.deepEqual([sent.length, seen, waits()], [2, { bound: 1, failed: 0 }, false]);
  });

  it('takes the pod back when the second is refused and it has no node', async (context) => {
    const { clock, seen, waits } = binderOf(context, ['lost', 'Conflict']);
    await clock.advance(10_000);
    assert.deepEqual([seen, waits()], [{ bound: 0, failed: 1 }, true]);
  });

  it('takes the pod back when the first is refused, and has it planned again', async (context) => {
    const { clock, sent, seen, waits } = binderOf(context, ['Conflict']);
    await clock.advance(10_000);
    assert.deepEqual([sent.length, seen, waits()], [1, { bound: 0, failed: 1 }, true]);
  });

  it('asks no more when the watch shows the pod on its node, or that it is gone', async (context) => {
    const shown = binderOf(context, ['lost']);
    await shown.clock.advance(100);
    shown.fleet.upsertPod({ ...shown.pod, nodeName: 'node-1' });
    const gone = binderOf(context, ['lost']);
    await gone.clock.advance(100);
    gone.fleet.removePod(gone.pod.uid);
    for (const { clock } of [shown, gone]) await clock.advance(10_000);
    assert.deepEqual([shown.sent.length, shown.seen.bound, gone.sent.length, gone.seen.bound], [1, 1, 1, 0]);
  });

  it('lets namespaces take turns: a pod does not wait for all that somebody else had planned before it', async (context) => {
    const pods = [1, 1, 1, 1].map((devices) => podFacts('kaist', devices)).concat(podFacts('postech', 1));
    const sent: string[] = [];
    const answers: (() => void)[] = [];
    const stop = new AbortController();
    context.after(() => stop.abort(new Error('the test is over')));
    const transport = {
      request: ({ path }: ApiRequest) => {
        sent.push(path.split('/')[4]!);
        return new Promise((resolve) => answers.push(() => resolve(undefined)));
      },
    } as unknown as Transport;
    const binder = new Binder({
      ...{ transport, clock: new FakeClock(0), logger: silent as never, concurrency: 2, signal: stop.signal },
      fleet: fleetOf({ pools: [pool], nodes: [nodeFacts('node-1')], pods }),
      metrics: createMetrics({ version: '1' }),
      stillLeading: () => true,
      onFailed: () => undefined,
    });
    const onBound = () => undefined;
    for (const pod of pods) binder.add({ pod, nodeName: 'node-1', poolName: 'national', borrower: false, onBound });
    for (let i = 0; i < pods.length; i++) {
      answers.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(sent, ['kaist', 'kaist', 'kaist', 'postech', 'kaist']);
    assert.equal(binder.backlog, 0);
  });
});
