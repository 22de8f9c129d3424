import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { BorrowHistory } from '../../core/quota/index.ts';
import { fleetOf, nodeFacts } from '../../../test/support/fleet.ts';
import { FakeClock, Store, type ApiRequest, type EventRecord, type Transport } from '../../kube/index.ts';
import { changesManifest, manifestsOf, projectResource, type ResourceProjection } from '../manifests/index.ts';
import { SchedulingRecord } from '../record/index.ts';
import { startStatusControllers } from './startStatusControllers.ts';
import type { World } from './world.ts';

interface Write {
  readonly atMs: number;
  readonly path: string;
  readonly status: {
    readonly phase?: string;
    readonly observedGeneration: number;
    readonly capacity?: { readonly freeGpus: number };
    readonly pinnedWeights?: unknown;
    readonly conditions: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
      readonly message: string;
    }[];
  };
}

/** The controllers with stores that the test fills, and a server that takes every status and tells nobody. */
function start(context: TestContext) {
  const clock = new FakeClock(Date.parse('2026-06-01T00:00:00Z'));
  const fleet = fleetOf({ nodes: [nodeFacts('node-0'), nodeFacts('node-1')] });
  const listeners = new Set<() => void>();
  const pictures: number[] = [];
  const world: World = {
    pools: new Store<ResourceProjection<'GpuPool'>>(),
    quotas: new Store<ResourceProjection<'ResearchQuota'>>(),
    investments: new Store<ResourceProjection<'MatchingInvestment'>>(),
    record: new SchedulingRecord(new BorrowHistory()),
    budgetOf: () => undefined,
    ledgerState: () => undefined,
    now: () => clock.now(),
    snapshot: () => {
      pictures.push(clock.monotonic());
      return fleet.snapshot(clock.now());
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  for (const store of [world.pools, world.quotas, world.investments]) {
    store.subscribe((changes) => {
      if (changes.some(changesManifest)) fleet.setPolicy({ ...manifestsOf(world), namespaces: [] });
    });
  }
  const writes: Write[] = [];
  const events: EventRecord[] = [];
  const failures: unknown[] = [];
  const transport = {
    request: ({ path, body }: ApiRequest) => {
      const { status } = body as Pick<Write, 'status'>;
      writes.push({ atMs: clock.monotonic(), path: path.replace(/.*v1alpha1\//, ''), status });
      return Promise.resolve({ metadata: { resourceVersion: String(1000 + writes.length) } });
    },
  } as unknown as Transport;
  const stop = new AbortController();
  const finished = startStatusControllers({
    world,
    transport,
    events: { record: (event) => events.push(event) },
    clock,
    random: () => 0,
    signal: stop.signal,
    onPicture: () => undefined,
    observe: ({ error }) => {
      if (error !== undefined) failures.push(error);
    },
    onError: (error) => failures.push(error),
  });
  context.after(async () => {
    stop.abort(new Error('the test is over'));
    await finished;
    assert.deepEqual(failures, []);
  });
  const notify = () => {
    for (const listener of listeners) listener();
  };
  return { clock, fleet, world, pictures, writes, events, notify };
}

function raw(
  kind: string,
  name: string,
  spec: object,
  more: { generation?: number; resourceVersion?: string; status?: object } = {},
) {
  const { generation = 1, resourceVersion = '1', status } = more;
  const metadata = { name, uid: `uid-${name}`, resourceVersion, generation, creationTimestamp: '2026-01-01T00:00:00Z' };
  return { apiVersion: 'moa.dev/v1alpha1', kind, metadata, spec, ...(status === undefined ? {} : { status }) };
}

const projectPool = projectResource('GpuPool');
const projectInvestment = projectResource('MatchingInvestment');
const poolSpec = {
  acceleratorClasses: [{ name: 'h200', nodeSelector: { matchLabels: { product: 'H200' } }, weight: '1' }],
};

describe('the status controllers', () => {
  it('do not write or tell again what the store has not heard of yet', async (context) => {
    const { clock, world, writes, events, notify } = start(context);
    world.pools.upsert(
      projectPool(
        raw('GpuPool', 'p', {
          ...poolSpec,
          acceleratorClasses: [
            { ...poolSpec.acceleratorClasses[0], nodeSelector: { matchLabels: { product: 'none' } } },
          ],
        }),
      ),
    );
    await clock.advance(100);
    assert.deepEqual(
      writes.map(({ path }) => path),
      ['gpupools/p/status'],
    );
    for (let i = 0; i < 5; i++) {
      notify();
      await clock.advance(1000);
    }
    assert.equal(writes.length, 1);
    assert.deepEqual(
      events.map(({ type, reason }) => [type, reason]),
      [['Warning', 'NoNodes']],
    );
  });

  it('write figures a second apart, and what matters at once', async (context) => {
    const { clock, fleet, world, writes, notify } = start(context);
    world.pools.upsert(projectPool(raw('GpuPool', 'p', poolSpec)));
    await clock.advance(100);
    const began = clock.monotonic();
    for (let i = 0; i < 40; i++) {
      fleet.upsertNode(nodeFacts('node-1', { cordoned: i % 2 === 0 }));
      notify();
      await clock.advance(50);
    }
    const times = writes.map(({ atMs }) => atMs).filter((at) => at >= began);
    assert.ok(times.length >= 1 && times.length <= 2, `written at ${times.join(', ')} ms after ${began}`);
    world.pools.upsert(projectPool(raw('GpuPool', 'p', poolSpec, { generation: 2, resourceVersion: '2' })));
    await clock.advance(30);
    assert.equal(writes.at(-1)?.status.observedGeneration, 2);
  });

  it('look at the fleet once a second, however often it calls', async (context) => {
    const { clock, pictures, notify } = start(context);
    for (let i = 0; i < 100; i++) {
      notify();
      await clock.advance(50);
    }
    assert.deepEqual(pictures, [0, 1000, 2000, 3000, 4000, 5000]);
  });

  it('keep figures a second apart while manifests of others come in', async (context) => {
    const { clock, fleet, world, pictures, writes } = start(context);
    world.pools.upsert(projectPool(raw('GpuPool', 'p', poolSpec)));
    for (let i = 0; i < 40; i++) {
      fleet.upsertNode(nodeFacts('node-1', { cordoned: i % 2 === 0 }));
      world.quotas.upsert(projectResource('ResearchQuota')(raw('ResearchQuota', `q${i}`, { poolName: 'p' })));
      await clock.advance(50);
    }
    assert.ok(pictures.length > 30, `${pictures.length} pictures`);
    const times = writes.filter(({ path }) => path === 'gpupools/p/status').map(({ atMs }) => atMs);
    assert.ok(times.length >= 2 && times.every((at, i) => i === 0 || at - times[i - 1]! >= 1000), times.join(', '));
  });

  it('move an investment to its next phase when the time comes, without any other change', async (context) => {
    const { clock, world, writes, events } = start(context);
    world.pools.upsert(projectPool(raw('GpuPool', 'p', poolSpec)));
    world.quotas.upsert(projectResource('ResearchQuota')(raw('ResearchQuota', 'q', { poolName: 'p' })));
    const spec = {
      poolName: 'p',
      investorName: 'q',
      term: { start: '2026-06-01T00:00:30Z', end: '2026-06-01T00:00:45Z' },
    };
    world.investments.upsert(projectInvestment(raw('MatchingInvestment', 'i', spec)));
    const phases = () => writes.filter(({ path }) => path.startsWith('matching')).map(({ status }) => status.phase);
    await clock.advance(29_000);
    assert.deepEqual(phases(), ['Pending']);
    await clock.advance(2000);
    assert.deepEqual(phases(), ['Pending', 'Provisioning']);
    await clock.advance(15_000);
    assert.deepEqual(phases(), ['Pending', 'Provisioning', 'Expired']);
    assert.deepEqual(
      events.filter(({ reason }) => reason === 'PhaseChanged').map(({ note }) => note),
      [
        'the phase is Pending',
        'the phase was Pending, it is Provisioning',
        'the phase was Provisioning, it is Expired',
      ],
    );
  });

  it('tell what is wrong in a resource that was stored before the schema refused it, and keep its pinned weights', async (context) => {
    const { clock, world, writes } = start(context);
    const status = { phase: 'Active', pinnedWeights: [{ class: 'h200', weight: '1' }] };
    const spec = { poolName: 'p', investorName: 'q', entitlement: { ownFraction: '7' } };
    world.investments.upsert(projectInvestment(raw('MatchingInvestment', 'i', spec, { generation: 5, status })));
    await clock.advance(100);
    assert.equal(writes.length, 1);
    assert.deepEqual(writes[0]?.status.pinnedWeights, status.pinnedWeights);
    assert.equal(writes[0].status.observedGeneration, 5);
    const [ready] = writes[0].status.conditions;
    assert.deepEqual([ready?.type, ready?.status, ready?.reason], ['Ready', 'False', 'InvalidSpec']);
    assert.match(ready!.message, /^spec\.entitlement\.ownFraction: write a fraction from 0 to 1/);
  });

  it('tell when a milestone is reached', async (context) => {
    const { clock, fleet, world, events, notify } = start(context);
    const spec = {
      ...poolSpec,
      milestones: [
        { date: '2026-12-31', gpus: 16 },
        { date: '2027-12-31', gpus: 24 },
      ],
    };
    world.pools.upsert(projectPool(raw('GpuPool', 'p', spec)));
    await clock.advance(2000);
    fleet.upsertNode(nodeFacts('node-2'));
    notify();
    await clock.advance(2000);
    assert.deepEqual(
      events.map(({ reason, note }) => [reason, note]),
      [['MilestoneReached', 'the 24 ready devices of the milestone of 2027-12-31 are there']],
    );
  });
});
