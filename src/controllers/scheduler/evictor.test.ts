import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';

import { fleetOf, nodeFacts, podFacts, resource } from '../../../test/support/fleet.ts';
import type { Eviction } from '../../core/plan/index.ts';
import { singleWorkload, type PodFacts } from '../../core/snapshot/index.ts';
import { ApiError } from '../../kube/errors.ts';
import { FakeClock, type ApiRequest, type EventRecord, type Transport } from '../../kube/index.ts';
import { createMetrics } from '../../observe/index.ts';
import { Evictor } from './evictor.ts';

const start = Date.parse('2026-06-01T00:00:00Z');
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

const pool = resource('GpuPool', 'national', {
  spec: {
    acceleratorClasses: [{ name: 'h200', nodeSelector: { matchLabels: { product: 'H200' } }, weight: '1' }],
    scheduling: { reclaim: { notice: '90s' } },
  },
});
const quotas = ['lender', 'borrower'].map((name) =>
  resource('ResearchQuota', name, {
    spec: { poolName: 'national', namespaceSelector: { matchLabels: { team: name } } },
  }),
);
const namespaces = ['lender', 'borrower'].map((name) => ({ name, labels: { team: name } }));

function gangOf(size: number, more: Partial<PodFacts> = {}): PodFacts[] {
  return Array.from({ length: size }, (_, i) => ({
    ...podFacts('borrower', 8, `node-${i}`),
    boundAt: start - 3_600_000,
    gang: { kind: 'label', name: 'train', size },
    ...more,
  }));
}

/** An evictor and a server that answers with what `refuse` returns, or does as it is told. */
function evictorOf(context: TestContext, running: readonly PodFacts[]) {
  const clock = new FakeClock(start);
  const waiting = podFacts('lender', 8);
  const fleet = fleetOf({
    pools: [pool],
    quotas,
    namespaces,
    nodes: Array.from({ length: 8 }, (_, i) => nodeFacts(`node-${i}`)),
    pods: [...running, waiting],
  });
  const calls: { readonly what: 'mark' | 'delete'; readonly uid: string; readonly body: unknown }[] = [];
  const events: EventRecord[] = [];
  const state: { refuse: (what: string, uid: string) => string | undefined; leading: boolean } = {
    refuse: () => undefined,
    leading: true,
  };
  const uids = new Map(running.map((pod) => [pod.name, pod.uid]));
  const transport = {
    request: ({ method, path, body }: ApiRequest) => {
      const what = method === 'DELETE' ? 'delete' : 'mark';
      const uid = uids.get(path.split('/')[6] ?? '') ?? '';
      const code = state.refuse(what, uid);
      if (code !== undefined) {
        return Promise.reject(new ApiError(code, { status: 500, code, retryable: true }));
      }
      calls.push({ what, uid, body });
      return Promise.resolve();
    },
  } as unknown as Transport;
  const stop = new AbortController();
  const metrics = createMetrics({ version: '1' });
  const evictor = new Evictor({
    transport,
    fleet,
    events: { record: (event) => events.push(event) },
    clock,
    random: () => 0,
    metrics,
    logger: silent as never,
    stillLeading: () => state.leading,
    signal: stop.signal,
  });
  context.after(async () => {
    stop.abort(new Error('the test is over'));
    await evictor.drained();
  });
  const running0 = () => fleet.snapshot(clock.now()).running.workloadsOf('borrower');
  const evict = () => {
    const [victim] = running0();
    const eviction: Eviction = {
      victim: victim!,
      beneficiary: singleWorkload(waiting, { of: () => 0 } as never),
      cause: 'Reclaim',
    };
    evictor.add([eviction], fleet.snapshot(clock.now()));
  };
  const marks = () => calls.filter(({ what }) => what === 'mark').map(({ uid }) => uid);
  const deletes = () => calls.filter(({ what }) => what === 'delete').map(({ uid }) => uid);
  const page = async (name: string) =>
    (await metrics.render()).body.split('\n').filter((line) => line.startsWith(`${name}{`));
  return { clock, fleet, evictor, evict, calls, marks, deletes, events, state, waiting, running: running0, page };
}

describe('the evictor', () => {
  it("marks every pod of the gang before it deletes any, with the pool's notice as grace and the uid as precondition", async (context) => {
    const gang = gangOf(3);
    const { evict, clock, calls, page } = evictorOf(context, gang);
    evict();
    await clock.advance(1);
    assert.deepEqual(
      calls.map(({ what }) => what),
      ['mark', 'mark', 'mark', 'delete', 'delete', 'delete'],
    );
    assert.deepEqual(calls[0]!.body, {
      metadata: { uid: gang[0]!.uid },
      status: {
        conditions: [
          {
            type: 'DisruptionTarget',
            status: 'True',
            reason: 'PreemptionByScheduler',
            message: `evicted with all 3 pods of its gang for lender/pod-${Number(gang[2]!.name.slice(4)) + 1}, which is within its guarantee and takes back what was lent; killed at 2026-06-01T00:01:30Z at the latest`,
            lastTransitionTime: '2026-06-01T00:00:00Z',
          },
        ],
      },
    });
    assert.deepEqual(calls[3]!.body, {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      gracePeriodSeconds: 90,
      preconditions: { uid: gang[0]!.uid },
    });
    assert.deepEqual(await page('moa_evictions_total'), ['moa_evictions_total{pool="national",cause="Reclaim"} 1']);
  });

  it('tells both sides, each on its first pod', (context) => {
    const gang = gangOf(2);
    const { evict, events, waiting } = evictorOf(context, gang);
    evict();
    assert.deepEqual(
      events.map(({ regarding, type, reason }) => [regarding.name, type, reason]),
      [
        [gang[0]!.name, 'Warning', 'Preempted'],
        [waiting.name, 'Normal', 'MakingRoom'],
      ],
    );
    assert.equal(events[1]!.note, 'making room: 1 workload of borrower ends by 2026-06-01T00:01:30Z');
  });

  it('from the plan on the gang counts as being deleted, so that no plan takes other victims', (context) => {
    const { evict, running } = evictorOf(context, gangOf(3));
    evict();
    assert.deepEqual(
      running().map(({ deletionAt }) => deletionAt),
      [start + 90_000],
    );
  });

  it('tries what fails until every pod of the gang is being deleted', async (context) => {
    const gang = gangOf(3);
    const { evict, clock, deletes, state, running, page } = evictorOf(context, gang);
    state.refuse = (what, uid) => (what === 'delete' && uid === gang[1]!.uid ? 'InternalError' : undefined);
    evict();
    await clock.advance(5000);
    assert.deepEqual(deletes(), [gang[0]!.uid, gang[2]!.uid]);
    assert.ok(running()[0]!.deletionAt! > start + 90_000, 'what is known of the end moves with each try');
    state.refuse = () => undefined;
    await clock.advance(11_000);
    assert.deepEqual(deletes(), [gang[0]!.uid, gang[2]!.uid, gang[1]!.uid]);
    assert.match((await page('moa_eviction_failures_total')).join(), /code="InternalError"} [1-9]/);
  });

  it('a pod that is gone by itself does not hold up the others', async (context) => {
    const gang = gangOf(2);
    const { evict, clock, deletes, state } = evictorOf(context, gang);
    state.refuse = (_, uid) => (uid === gang[0]!.uid ? 'NotFound' : undefined);
    evict();
    await clock.advance(10);
    assert.deepEqual(deletes(), [gang[1]!.uid]);
  });

  it('deletes nothing for a beneficiary that is gone before all pods were marked, and the gang runs on', async (context) => {
    const gang = gangOf(2);
    const { evict, clock, fleet, waiting, deletes, state, running } = evictorOf(context, gang);
    state.refuse = (_, uid) => (uid === gang[1]!.uid ? 'InternalError' : undefined);
    evict();
    await clock.advance(10);
    fleet.removePod(waiting.uid);
    state.refuse = () => undefined;
    await clock.advance(10_000);
    assert.deepEqual(deletes(), []);
    assert.equal(running()[0]!.deletionAt, undefined);
  });

  it('writes nothing once the lead is lost', async (context) => {
    const { evict, clock, calls, state } = evictorOf(context, gangOf(2));
    state.leading = false;
    evict();
    await clock.advance(10_000);
    assert.deepEqual(calls, []);
  });

  describe('after a crash', () => {
    const mark = { evictedAt: start - 10_000 };
    const going = { ...mark, deletionAt: start + 60_000 };

    it('finishes a gang of which some pods are being deleted and all are marked', async (context) => {
      const [a, b, c] = gangOf(3);
      const { evictor, fleet, clock, marks, deletes } = evictorOf(context, [
        { ...a!, ...going },
        { ...b!, ...mark },
        { ...c!, ...mark },
      ]);
      evictor.resume(fleet.snapshot(start));
      await clock.advance(10);
      assert.deepEqual(marks(), []);
      assert.deepEqual(deletes(), [b!.uid, c!.uid]);
    });

    it('leaves a gang alone that is marked in part: its eviction was never decided', async (context) => {
      const [a, b] = gangOf(2);
      const { evictor, fleet, clock, calls } = evictorOf(context, [{ ...a!, ...mark }, b!]);
      evictor.resume(fleet.snapshot(start));
      await clock.advance(10);
      assert.deepEqual(calls, []);
    });

    it('leaves the pods alone that came in place of the old ones', async (context) => {
      const [a, b, c] = gangOf(3);
      const { evictor, fleet, clock, deletes } = evictorOf(context, [
        { ...a!, ...going },
        { ...b!, ...mark },
        { ...c!, boundAt: start - 1000 },
      ]);
      evictor.resume(fleet.snapshot(start));
      await clock.advance(10);
      assert.deepEqual(deletes(), [b!.uid]);
    });

    it('touches no pods of other schedulers', async (context) => {
      const { evictor, fleet, clock, calls } = evictorOf(context, gangOf(2, { ...mark, ours: false }));
      evictor.resume(fleet.snapshot(start));
      await clock.advance(10);
      assert.deepEqual(calls, []);
    });
  });
});
