import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { eventually, withCluster, withOperator } from '../support/index.ts';
import { Estate, productLabel, Tenant } from './estate.ts';

describe('quota on a real API server', { concurrency: true }, () => {
  const cluster = withCluster({ crds: true });
  withOperator(cluster);

  it('a quota uses its guarantee and borrows up to its limit; what waits says so in a condition and an event', async () => {
    const estate = await Estate.create(cluster, [{}, {}]);
    const poor = await estate.tenant({ guaranteed: 4, borrowingLimit: 2 });
    await estate.tenant({ guaranteed: 12 });
    await poor.running(6);
    const last = await poor.pods(1);
    const message = await poor.waiting(last, 'WaitingForQuota');
    assert.match(message, new RegExp(`${poor.quota} uses 6 \\(guaranteed 4\\).*0 more.*1 are asked for`));
    await eventually(async () => assert.deepEqual(await poor.warnings(), [`${last[0]!} WaitingForQuota`]));
  });

  it('a quota lends no more than its lending limit, and can use what it kept', async () => {
    const estate = await Estate.create(cluster, [{}, {}]);
    const poor = await estate.tenant({ guaranteed: 4 });
    const rich = await estate.tenant({ guaranteed: 12, lendingLimit: 2 });
    await poor.running(6);
    await poor.waiting(await poor.pods(1), 'WaitingForQuota');
    await rich.running(10);
  });

  it('within its guarantee a quota waits for what it lent, hears who has it, and gets it first', async () => {
    const estate = await Estate.create(cluster, [{}]);
    const lender = await estate.tenant({ guaranteed: 8 });
    const borrower = await estate.tenant();
    const running = await borrower.running(2, { gpus: 4 });
    const also = await borrower.pods(1, { gpus: 4 });
    await borrower.waiting(also, 'WaitingForQuota');
    const own = await lender.pods(1, { gpus: 4 });
    assert.match(await lender.waiting(own, 'WaitingForReclaim'), new RegExp(`${borrower.quota} 8`));
    await borrower.remove(running[0]!);
    await lender.bound(own);
    await borrower.waiting(also, 'WaitingForQuota');
  });

  it('two namespaces of one quota share it', async () => {
    const estate = await Estate.create(cluster, [{}]);
    const tenant = await estate.tenant({ guaranteed: 4, borrowingLimit: 0 });
    const second = await cluster.namespace({ institution: tenant.quota });
    const elsewhere = new Tenant(cluster, tenant.quota, second);
    await elsewhere.running(1, { gpus: 3 });
    await tenant.running(1);
    await tenant.waiting(await tenant.pods(1), 'WaitingForQuota');
  });

  it('of a class a quota holds at most its max', async () => {
    const estate = await Estate.create(cluster, [{}, { b200: true }]);
    const tenant = await estate.tenant({ guaranteed: 24, classes: [{ name: 'b200', max: 2 }] });
    const onB200 = { spec: { nodeSelector: { [productLabel]: 'b200' } } };
    await tenant.running(2, onB200);
    assert.match(await tenant.waiting(await tenant.pods(1, onB200), 'ClassLimit'), /holds 2 of at most 2 b200/);
    await tenant.running(1);
  });

  it('a user holds at most perUserMax, in normalized GPUs, and others are not held back', async () => {
    const estate = await Estate.create(cluster, [{ b200: true }]);
    const tenant = await estate.tenant({ guaranteed: 16, perUserMax: 4 });
    const of = (user: string) => ({ labels: { 'moa.dev/user': user } });
    await tenant.running(2, of('kim'));
    assert.match(await tenant.waiting(await tenant.pods(1, of('kim')), 'UserLimit'), /user kim holds 4 of at most 4/);
    await tenant.running(2, of('lee'));
    await tenant.running(1);
  });

  it('a workload of more than maxWorkloadGpus never starts, and one of as many does', async () => {
    const estate = await Estate.create(cluster, [{}]);
    const tenant = await estate.tenant({ guaranteed: 8 }, { limits: { maxWorkloadGpus: 4 } });
    const large = await tenant.pods(1, { gpus: 5 });
    assert.match(await tenant.waiting(large, 'ExceedsLimit'), /asks for 5 GPUs.*allows 4/);
    await tenant.running(1, { gpus: 4 });
  });

  it('a suspended quota admits nothing new and leaves what runs; resumed, it admits what waits', async () => {
    const estate = await Estate.create(cluster, [{}]);
    const tenant = await estate.tenant({ guaranteed: 8 });
    const running = await tenant.running(1);
    await tenant.edit({ suspend: true });
    // The edit is seen when the status says so: only then is a pod created that it must stop.
    await eventually(async () => {
      const ready = (await tenant.status()).status?.conditions?.find(({ type }) => type === 'Ready');
      assert.match(JSON.stringify(ready), /suspend is true/);
    });
    const late = await tenant.pods(1);
    await tenant.waiting(late, 'Suspended');
    await tenant.bound(running);
    await tenant.edit({ suspend: false });
    await tenant.bound(late);
  });

  it('a quota that is edited upwards admits what waited', async () => {
    const estate = await Estate.create(cluster, [{}]);
    const tenant = await estate.tenant({ guaranteed: 1, borrowingLimit: 0 });
    await tenant.running(1);
    const pods = await tenant.pods(1);
    await tenant.waiting(pods, 'WaitingForQuota');
    await tenant.edit({ capacity: { guaranteed: 2 } });
    await tenant.bound(pods);
  });

  it('a namespace that no quota selects waits with NoQuota until it is labelled', async () => {
    const estate = await Estate.create(cluster, [{}]);
    const { quota } = await estate.tenant({ guaranteed: 8 });
    const namespace = await cluster.namespace();
    const stranger = new Tenant(cluster, quota, namespace);
    const pods = await stranger.pods(1);
    assert.match(await stranger.waiting(pods, 'NoQuota'), new RegExp(`namespace ${namespace}`));
    const ref = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
    await cluster.client.patch(ref, { metadata: { labels: { institution: quota } } });
    await stranger.bound(pods);
  });
});
