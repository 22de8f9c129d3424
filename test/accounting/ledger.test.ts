import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { openStore, type Interval } from '../../src/ledger/index.ts';
import { postgresAbsence, startPostgres } from '../ledger/postgresServer.ts';
import { eventually, startOperator, uniqueName, withCluster, type Pod } from '../support/index.ts';
import { Estate, type Tenant } from '../scheduler/estate.ts';

/** What KWOK and the watch may add between the end of a pod and the moment at which it is seen. */
const slackMs = 5000;

describe('the ledger of a running operator', () => {
  const cluster = withCluster({ crds: true });
  const files = (name: string) => {
    const { logs } = cluster.plane;
    return { url: `sqlite:${join(logs, `${name}.sqlite`)}`, journal: join(logs, `${name}.journal`) };
  };
  const start = async (context: TestContext, { url, journal }: { url: string; journal: string }) => {
    const operator = await startOperator(cluster.plane, ['--ledger', url, '--ledger-journal', journal]);
    context.after(() => operator.kill());
    return operator;
  };
  const intervalsOf = async (url: string, { quota }: Tenant): Promise<readonly Interval[]> => {
    const store = await openStore(url);
    try {
      return await store.intervals({ from: 0, to: Date.now() + 1000, quota });
    } finally {
      await store.close();
    }
  };
  const boundAt = ({ status }: Pod) =>
    Date.parse(status.conditions?.find(({ type }) => type === 'PodScheduled')?.lastTransitionTime ?? '');

  it('has each pod from its binding to its end, whoever deleted it, on the terms on which it began', async (context) => {
    const files1 = files(uniqueName('ledger'));
    const operator = await start(context, files1);
    const estate = await Estate.create(cluster, [{}, { b200: true }]);
    const tenant = await estate.tenant({ guaranteed: 3 });
    const labels = { 'moa.dev/user': 'kim' };
    const [first] = await tenant.running(1, {
      gpus: 2,
      labels,
      spec: { nodeSelector: { 'nvidia.com/gpu.product': 'h200' } },
    });
    const [second] = await tenant.running(1, { gpus: 2, spec: { nodeSelector: { 'nvidia.com/gpu.product': 'b200' } } });
    const pods = [await tenant.get(first!), await tenant.get(second!)];
    const uids = pods.map(({ metadata }) => metadata.uid);
    await tenant.remove(second!);
    const goneAt = Date.now();
    await eventually(async () => {
      const intervals = await intervalsOf(files1.url, tenant);
      const [h200, b200] = uids.map((uid) => intervals.filter(({ podUid }) => podUid === uid));
      assert.partialDeepStrictEqual(h200, [
        { class: 'h200', start: boundAt(pods[0]!), user: 'kim', milliDevices: 2000, weight: 1000, kind: 'Guaranteed' },
      ]);
      assert.partialDeepStrictEqual(b200, [
        {
          class: 'b200',
          start: boundAt(pods[1]!),
          milliDevices: 2000,
          weight: 2000,
          kind: 'Borrowed',
          unobserved: false,
        },
      ]);
      assert.equal(h200![0]!.end, undefined);
      assert.ok(Math.abs(b200![0]!.end! - goneAt) < slackMs, `ended at ${b200![0]!.end ?? ''}, deleted at ${goneAt}`);
      assert.deepEqual(h200![0]!.account, { pool: estate.name, timeZone: 'UTC', quotas: [tenant.quota] });
    });

    // Where the guarantee shrinks, what was guaranteed goes on as borrowed, without a gap.
    await tenant.edit({ capacity: { guaranteed: '1' } });
    await eventually(async () => {
      const parts = (await intervalsOf(files1.url, tenant)).filter(({ podUid }) => podUid === uids[0]);
      assert.deepEqual(
        parts.map(({ kind }) => kind),
        ['Guaranteed', 'Borrowed'],
      );
      assert.equal(parts[0]!.end, parts[1]!.start);
    });
    await operator.stop();
  });

  it('loses nothing to a kill -9: what ended meanwhile ends when it ended, what nobody can know is marked', async (context) => {
    const files1 = files(uniqueName('ledger'));
    const operator = await start(context, files1);
    const estate = await Estate.create(cluster, [{}]);
    const tenant = await estate.tenant();
    const [stays, deleted] = await tenant.running(2, { gpus: 1 });
    const [completes] = await tenant.running(1, { gpus: 1, duration: '8s' });
    const uidOf = async (name: string) => (await tenant.get(name)).metadata.uid!;
    const [stayed, gone, completed] = [await uidOf(stays!), await uidOf(deleted!), await uidOf(completes!)];
    await eventually(async () => assert.equal((await intervalsOf(files1.url, tenant)).length, 3));
    await operator.kill();
    const killedAt = Date.now();
    await tenant.remove(deleted!);
    await eventually(async () => assert.equal((await tenant.get(completes!)).status.phase, 'Succeeded'), {
      timeoutMs: 30_000,
    });
    const { status } = await tenant.get(completes!);
    const finishedAt = Date.parse(status.containerStatuses?.[0]?.state.terminated?.finishedAt ?? '');
    // Nobody was there to see this one begin.
    const [unseen] = [await tenant.pod({ gpus: 1, nodeName: (await estate.nodes())[0]!.metadata.name })];

    const next = await start(context, files1);
    const unseenUid = await uidOf(unseen);
    await eventually(async () => {
      const intervals = await intervalsOf(files1.url, tenant);
      const of = (uid: string) => intervals.filter(({ podUid }) => podUid === uid);
      assert.deepEqual([of(stayed).length, of(stayed)[0]?.end], [1, undefined]);
      assert.partialDeepStrictEqual(of(completed), [{ end: finishedAt, unobserved: false }]);
      assert.deepEqual([of(gone).length, of(gone)[0]?.unobserved], [1, true]);
      assert.ok(of(gone)[0]!.end! <= killedAt);
      assert.deepEqual([of(unseenUid).length, of(unseenUid)[0]?.end], [1, undefined]);
    });
    await next.stop();
  });

  const absent = postgresAbsence();
  if (absent !== undefined) console.log(`skipped, as ${absent}: what an outage of PostgreSQL does to scheduling`);
  it(
    'that is away stops nothing: pods start, the pool says so, and nothing is missing afterwards',
    { skip: absent },
    async (context) => {
      const server = await startPostgres();
      const url = await server.createDatabase();
      const operator = await start(context, { url, journal: join(cluster.plane.logs, `${uniqueName('pg')}.journal`) });
      try {
        const estate = await Estate.create(cluster, [{}, {}]);
        const tenant = await estate.tenant();
        const budgeted = await estate.tenant(
          {},
          { budget: { normalizedGpuHours: '1000', period: { start: '2026-01-01', end: '2036-01-01' } } },
        );
        const conditionOf = async () => {
          const { status } = await cluster.client.get<Awaited<ReturnType<Tenant['status']>>>(estate.pool);
          return status?.conditions?.find(({ type }) => type === 'LedgerCurrent');
        };
        await tenant.running(1);
        await eventually(async () => assert.equal((await conditionOf())?.reason, 'LedgerWritten'));
        await server.kill();
        const during = await tenant.running(3);
        await budgeted.running(1);
        await tenant.remove(during[0]!);
        await eventually(async () => assert.equal((await conditionOf())?.status, 'False'), { timeoutMs: 40_000 });
        for (const unit of ['bytes', 'seconds']) assert.ok((await operator.metric(`moa_ledger_lag_${unit}`)) > 0, unit);
        await server.restart();
        await eventually(async () => assert.equal((await conditionOf())?.status, 'True'), { timeoutMs: 40_000 });
        await sleep(100);
        const intervals = [...(await intervalsOf(url, tenant)), ...(await intervalsOf(url, budgeted))];
        assert.equal(intervals.length, 5);
        assert.equal(intervals.filter(({ end }) => end !== undefined).length, 1);
        assert.ok(intervals.every(({ unobserved }) => !unobserved));
        await operator.stop();
      } finally {
        await server.stop();
      }
    },
  );

  it(
    'that has not answered yet when the operator dies lacks nothing of what was bound and gone by then',
    { skip: absent },
    async (context) => {
      const server = await startPostgres();
      const url = await server.createDatabase();
      const journal = join(cluster.plane.logs, `${uniqueName('pg')}.journal`);
      try {
        await server.kill();
        const operator = await start(context, { url, journal });
        const estate = await Estate.create(cluster, [{}]);
        const tenant = await estate.tenant();
        const [gone, stays] = await tenant.running(2);
        const pods = await Promise.all([gone!, stays!].map((name) => tenant.get(name)));
        await tenant.remove(gone!);
        const goneAt = Date.now();
        // The scheduler's next cycle notes it, a second later at the most.
        await sleep(2000);
        await operator.kill();
        await server.restart();
        const next = await start(context, { url, journal });
        await eventually(async () => {
          const intervals = await intervalsOf(url, tenant);
          const of = ({ metadata }: Pod) => intervals.filter(({ podUid }) => podUid === metadata.uid);
          assert.partialDeepStrictEqual(of(pods[0]!), [{ start: boundAt(pods[0]!), unobserved: false }]);
          assert.ok(Math.abs(of(pods[0]!)[0]!.end! - goneAt) < slackMs);
          assert.partialDeepStrictEqual(of(pods[1]!), [{ start: boundAt(pods[1]!), end: undefined }]);
        });
        await next.stop();
      } finally {
        await server.stop();
      }
    },
  );
});
