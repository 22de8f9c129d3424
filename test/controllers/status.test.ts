import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { apiVersion, collectionPath, type Kind } from '../../src/api/v1alpha1/index.ts';
import {
  changesManifest,
  manifestsOf,
  projectResource,
  SchedulingRecord,
  startStatusControllers,
  type ResourceProjection,
  type World,
} from '../../src/controllers/index.ts';
import { Fleet } from '../../src/core/snapshot/index.ts';
import {
  EventRecorder,
  runReflector,
  Store,
  systemClock,
  type EventRecord,
  type ReconcileObservation,
} from '../../src/kube/index.ts';
import { nodeFacts, podFacts } from '../support/fleet.ts';
import { eventually, uniqueName, withCluster, type KubeObject, type TestClient } from '../support/index.ts';

interface Resource extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly generation: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
      readonly message: string;
      readonly lastTransitionTime: string;
      readonly observedGeneration: number;
    }[];
    readonly [field: string]: unknown;
  };
}

const clock = systemClock();

/** The status controllers on a fleet of the test's own making, with manifests from the API server. */
class Running {
  readonly fleet: Fleet;
  readonly events: EventRecord[] = [];
  readonly failures: unknown[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;

  constructor({ transport }: TestClient, fleet = new Fleet()) {
    this.fleet = fleet;
    const pools = new Store<ResourceProjection<'GpuPool'>>();
    const quotas = new Store<ResourceProjection<'ResearchQuota'>>();
    const investments = new Store<ResourceProjection<'MatchingInvestment'>>();
    const world: World = {
      pools,
      quotas,
      investments,
      record: new SchedulingRecord(fleet.history),
      budgetOf: () => undefined,
      ledgerState: () => undefined,
      now: () => clock.now(),
      snapshot: () => this.fleet.snapshot(clock.now()),
      subscribe: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    };
    const namespaces = [{ name: 'kaist', labels: { team: 'kaist' } }];
    const take = () => this.fleet.setPolicy({ ...manifestsOf(world), namespaces });
    const { signal } = this.#stop;
    const reflect = <K extends Kind>(kind: K, store: Store<ResourceProjection<K>>) => {
      store.subscribe((changes) => {
        if (changes.some(changesManifest)) take();
      });
      const project = projectResource(kind);
      return runReflector({
        transport,
        path: collectionPath(kind),
        project,
        store,
        clock,
        random: Math.random,
        signal,
      });
    };
    const recorder = new EventRecorder({
      transport,
      clock,
      random: Math.random,
      reportingController: 'moa.dev/test',
      reportingInstance: 'test',
    });
    const events = {
      record: (event: EventRecord) => {
        this.events.push(event);
        recorder.record(event);
      },
    };
    const run = async () => {
      await Promise.all([pools, quotas, investments].map((store) => store.whenSynced(signal)));
      world.record.borrowing.takeUp(quotas.values());
      await startStatusControllers({
        world,
        transport,
        events,
        clock,
        random: Math.random,
        signal,
        onPicture: () => undefined,
        observe: (seen: ReconcileObservation) => {
          if (seen.outcome !== 'succeeded') this.failures.push(seen.error);
        },
        onError: (error) => this.failures.push(error),
      });
    };
    this.#running = Promise.all([
      reflect('GpuPool', pools),
      reflect('ResearchQuota', quotas),
      reflect('MatchingInvestment', investments),
      recorder.run(signal),
      run(),
    ]);
  }

  /** Says that something in the fleet changed. */
  notify(): void {
    for (const listener of this.#listeners) listener();
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the test is over'));
    await this.#running;
    assert.deepEqual(this.failures, []);
  }
}

describe('the statuses of the three resources', () => {
  const cluster = withCluster({ kwok: false, controllerManager: false, crds: true });
  let running: Running;
  before(() => {
    running = new Running(cluster.client);
    for (const name of ['node-0', 'node-1', 'node-2', 'node-3']) running.fleet.upsertNode(nodeFacts(name));
  });
  after(() => running.stop());

  const h200 = { name: 'h200', nodeSelector: { matchLabels: { product: 'H200' } }, weight: '1' };

  async function create(kind: Kind, name: string, spec: object): Promise<Resource> {
    return cluster.client.create<Resource>({ apiVersion, kind, metadata: { name }, spec } as KubeObject);
  }
  const get = (kind: Kind, name: string) => cluster.client.get<Resource>({ apiVersion, kind, metadata: { name } });
  const conditionOf = (object: Resource, type: string) => object.status?.conditions?.find((c) => c.type === type);

  /** Waits for a condition with this status and reason, judged for the present generation. */
  async function turns(kind: Kind, name: string, wanted: `${string}=${string} ${string}`): Promise<Resource> {
    const [type = '', status, reason] = wanted.split(/[= ]/);
    return eventually(async () => {
      const object = await get(kind, name);
      const condition = conditionOf(object, type);
      assert.deepEqual([condition?.status, condition?.reason], [status, reason], JSON.stringify(object.status));
      assert.equal(condition?.observedGeneration, object.metadata.generation);
      assert.equal(object.status?.observedGeneration, object.metadata.generation);
      return object;
    });
  }

  it('follow the fleet: pool, quota and investment', async () => {
    await create('GpuPool', 'national', { acceleratorClasses: [h200] });
    await create('ResearchQuota', 'kaist', {
      poolName: 'national',
      namespaceSelector: { matchLabels: { team: 'kaist' } },
      capacity: { guaranteed: 8 },
    });
    await create('MatchingInvestment', 'deal', {
      poolName: 'national',
      investorName: 'kaist',
      contribution: { items: [{ class: 'h200', gpus: 8 }], nodeSelector: { matchLabels: { from: 'kaist' } } },
    });
    const pool = await turns('GpuPool', 'national', 'Ready=True Ready');
    assert.deepEqual(pool.status?.['nodes'], { total: 4, ready: 4 });
    const quota = await turns('ResearchQuota', 'kaist', 'Borrowing=False WithinGuarantee');
    assert.deepEqual(quota.status?.['workloads'], { pending: 0, running: 0 });
    const investment = await turns('MatchingInvestment', 'deal', 'ContributionVerified=False DevicesMissing');
    assert.equal(investment.status?.['phase'], 'Provisioning');

    running.fleet.upsertNode(nodeFacts('node-3', { labels: { product: 'H200', from: 'kaist' } }));
    running.fleet.upsertPod(podFacts('kaist', 8, 'node-0'));
    running.fleet.upsertPod(podFacts('kaist', 8, 'node-1'));
    running.fleet.upsertPod(podFacts('kaist', 2, 'node-2'));
    running.notify();
    await turns('MatchingInvestment', 'deal', 'EntitlementActive=True InTerm');
    const borrowing = await turns('ResearchQuota', 'kaist', 'Borrowing=True AboveGuarantee');
    assert.partialDeepStrictEqual(borrowing.status?.['capacity'], {
      used: '18',
      borrowed: '2',
      effectiveGuarantee: '16',
    });
    assert.deepEqual(borrowing.status?.['workloads'], { pending: 0, running: 3 });
    await eventually(async () => {
      const { status } = await get('GpuPool', 'national');
      assert.partialDeepStrictEqual(status?.['capacity'], { gpus: 32, allocatedGpus: 18, freeGpus: 14 });
      assert.equal((await get('MatchingInvestment', 'deal')).status?.['used'], '8');
    });
  });

  it('are not written while they stay the same, however often the fleet calls', async () => {
    await sleep(1500);
    const names = [
      ['GpuPool', 'national'],
      ['ResearchQuota', 'kaist'],
      ['MatchingInvestment', 'deal'],
    ] as const;
    const versions = () =>
      Promise.all(names.map(async ([kind, name]) => (await get(kind, name)).metadata.resourceVersion));
    const before = await versions();
    for (let i = 0; i < 25; i++) {
      running.notify();
      await sleep(100);
    }
    assert.deepEqual(await versions(), before);
  });

  it('change once a second at most where only numbers move', async () => {
    let version = (await get('GpuPool', 'national')).metadata.resourceVersion;
    let writes = 0;
    const started = Date.now();
    for (let i = 0; i < 30; i++) {
      // A number that never comes back: whenever the controller looks, there is something to write.
      running.fleet.upsertNode(nodeFacts('node-2', { allocatable: { 'nvidia.com/gpu': 9 + i, pods: 110 } }));
      running.notify();
      await sleep(100);
      const now = (await get('GpuPool', 'national')).metadata.resourceVersion;
      if (now !== version) writes++;
      version = now;
    }
    const seconds = (Date.now() - started) / 1000;
    running.fleet.upsertNode(nodeFacts('node-2'));
    running.notify();
    assert.ok(writes >= 2 && writes <= seconds + 1, `${writes} writes in ${seconds} s`);
  });

  it('tell of a bad reference, keep its time while it stays, and take it back at once when it is mended', async () => {
    await create('ResearchQuota', 'lab', { poolName: 'national', parentName: 'late-parent' });
    const broken = await turns('ResearchQuota', 'lab', 'Ready=False ParentNotFound');
    assert.equal(broken.status?.['capacity'], undefined);
    assert.match(conditionOf(broken, 'Ready')!.message, /late-parent does not exist/);

    await sleep(1100);
    await cluster.client.patch(broken, { spec: { weight: 2 } });
    const edited = await turns('ResearchQuota', 'lab', 'Ready=False ParentNotFound');
    assert.equal(conditionOf(edited, 'Ready')?.lastTransitionTime, conditionOf(broken, 'Ready')?.lastTransitionTime);

    const started = Date.now();
    await create('ResearchQuota', 'late-parent', { poolName: 'national' });
    const mended = await turns('ResearchQuota', 'lab', 'Ready=True Ready');
    assert.ok(Date.now() - started < 1000, `${Date.now() - started} ms`);
    assert.notEqual(conditionOf(mended, 'Ready')?.lastTransitionTime, conditionOf(broken, 'Ready')?.lastTransitionTime);

    const told = () =>
      running.events.filter(({ regarding }) => regarding.name === 'lab').map((e) => `${e.type} ${e.reason}`);
    await eventually(() => assert.deepEqual(told(), ['Warning ParentNotFound', 'Normal Ready']));
    await eventually(async () => {
      const written = await cluster.client.list<KubeObject & { regarding: { name: string }; reason: string }>({
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
      });
      const reasons = written.filter((event) => event.regarding.name === 'lab').map((event) => event.reason);
      assert.deepEqual(reasons.sort(), ['ParentNotFound', 'Ready']);
    });
  });

  it('say what the API server cannot know to be wrong, and stop nothing else', async () => {
    await create('GpuPool', 'mars', { acceleratorClasses: [h200], accounting: { timeZone: 'Mars/Base' } });
    const mars = await turns('GpuPool', 'mars', 'Ready=False InvalidSpec');
    assert.match(conditionOf(mars, 'Ready')!.message, /spec\.accounting\.timeZone: there is no time zone Mars\/Base/);
    await turns('GpuPool', 'national', 'Ready=True Ready');
  });

  it('are put right after somebody else wrote into them', async () => {
    const ref = { apiVersion, kind: 'ResearchQuota', metadata: { name: 'kaist' } };
    await cluster.client.patch(ref, { status: { workloads: { pending: 99, running: 99 } } }, 'status');
    await eventually(async () =>
      assert.deepEqual((await get('ResearchQuota', 'kaist')).status?.['workloads'], { pending: 0, running: 3 }),
    );
  });

  it('keep the weights of an investment that its term began with', async () => {
    await eventually(async () =>
      assert.deepEqual((await get('MatchingInvestment', 'deal')).status?.['pinnedWeights'], [
        { class: 'h200', weight: '1' },
      ]),
    );
    const ref = { apiVersion, kind: 'GpuPool', metadata: { name: 'national' } };
    await cluster.client.patch(ref, { spec: { acceleratorClasses: [{ ...h200, weight: '3' }] } });
    await eventually(async () => {
      const pool = (await get('GpuPool', 'national')).status?.['capacity'] as { normalizedGpus: string };
      assert.equal(pool.normalizedGpus, '96');
      const { status } = await get('MatchingInvestment', 'deal');
      assert.deepEqual([status?.['pinnedWeights'], status?.['contributed']], [[{ class: 'h200', weight: '1' }], '8']);
    });
    await cluster.client.patch(ref, { spec: { acceleratorClasses: [h200] } });
  });

  it('survive resources that come and go under the same name', async () => {
    const name = uniqueName('short');
    for (let i = 0; i < 10; i++) {
      const quota = await create('ResearchQuota', name, { poolName: 'national' });
      running.notify();
      await sleep(i * 5);
      await cluster.client.delete(quota);
    }
    await create('ResearchQuota', name, { poolName: 'nowhere' });
    await turns('ResearchQuota', name, 'Ready=False PoolNotFound');
  });

  it('are the same after a restart: nothing is written and nothing is told again', async () => {
    await turns('GpuPool', 'national', 'Overcommitted=False WithinCapacity');
    await sleep(2500);
    const all = async () => {
      const kinds = ['GpuPool', 'ResearchQuota', 'MatchingInvestment'];
      const lists = await Promise.all(kinds.map((kind) => cluster.client.list<Resource>({ apiVersion, kind })));
      return lists.flat().map(({ kind, metadata }) => `${kind} ${metadata.name} ${metadata.resourceVersion ?? ''}`);
    };
    const before = await all();
    const { fleet } = running;
    await running.stop();
    running = new Running(cluster.client, fleet);
    await sleep(1500);
    assert.deepEqual(await all(), before);
    assert.deepEqual(running.events, []);
  });
});
