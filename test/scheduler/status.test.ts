import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { eventually, uniqueName, withCluster, withOperator } from '../support/index.ts';
import { Estate, type Resource } from './estate.ts';

describe('the statuses of a running operator', () => {
  const cluster = withCluster({ crds: true });
  const operator = withOperator(cluster);

  it('agree with what runs and what waits, and are not written again while nothing changes', async () => {
    const from = { labels: { from: 'investor' } };
    const estate = await Estate.create(cluster, [from, {}, {}, { b200: true }]);
    const investor = await estate.tenant();
    const deal = estate.resource('MatchingInvestment', uniqueName('deal'), {
      investorName: investor.quota,
      contribution: { items: [{ class: 'h200', gpus: 8 }], nodeSelector: { matchLabels: from.labels } },
      entitlement: { ownFraction: 1 },
    });
    await cluster.client.create(deal);
    // 40 normalized GPUs: 8 the investor's, 16 guaranteed to the lender, 4 to the borrower, 12 open to all.
    const lender = await estate.tenant({ guaranteed: 16 });
    const borrower = await estate.tenant({ guaranteed: 4 });
    const status = async (object: Parameters<typeof cluster.client.get>[0]) =>
      (await cluster.client.get<Resource>(object)).status;
    await eventually(async () =>
      assert.partialDeepStrictEqual(await status(deal), { phase: 'Active', effectiveEntitlement: '8' }),
    );

    await lender.running(2, { gpus: 2 });
    await investor.running(1, { gpus: 2 });
    await borrower.running(3, { gpus: 8 });
    const gang = { labels: { 'moa.dev/gang': 'g' }, annotations: { 'moa.dev/gang-size': '2' } };
    await borrower.running(2, { gpus: 1, ...gang });
    const waiting = await borrower.pods(2, { gpus: 8 });
    await eventually(async () => {
      const pods = (await borrower.all()).filter(({ spec }) => spec.nodeName === undefined);
      assert.deepEqual(pods.map(({ metadata }) => metadata.name).sort(), waiting.toSorted());
      for (const pod of pods) assert.match(pod.status.conditions?.[0]?.message ?? '', /^\w+: /);
    });

    /** What the pods on the nodes hold, read from the API server and not from any status. */
    const devices = async (tenant: typeof lender) => {
      const classOf = new Map((await estate.nodes()).map(({ metadata }) => [metadata.name, metadata.labels]));
      const held = { h200: 0, b200: 0 };
      for (const { spec } of await tenant.all()) {
        if (spec.nodeName === undefined) continue;
        const product = classOf.get(spec.nodeName)?.['nvidia.com/gpu.product'] as 'h200' | 'b200';
        held[product] += Number(spec.containers[0]?.resources.limits?.['nvidia.com/gpu'] ?? 0);
      }
      return held;
    };
    const tenants = [lender, investor, borrower];
    const held = await Promise.all(tenants.map(devices));
    const used = held.map(({ h200, b200 }) => h200 + 2 * b200);
    const borrowed = used[2]! - 4;
    // What is lent is what is borrowed beyond the 12 that nobody is guaranteed, by what each leaves unused.
    const idle = [16 - used[0]!, 8 - used[1]!];
    const lentOf = (unused: number) => (unused * Math.max(0, borrowed - 12)) / (idle[0]! + idle[1]!);
    const near = (text: unknown, want: number) => {
      assert.ok(Math.abs(Number(text) - want) < 0.002, `${String(text)} instead of ${want}`);
    };
    await eventually(async () => {
      const [ofLender, ofInvestor, ofBorrower] = await Promise.all(
        tenants.map(async (tenant) => (await tenant.status()).status),
      );
      assert.partialDeepStrictEqual(ofLender, {
        capacity: { used: String(used[0]), borrowed: '0' },
        workloads: { pending: 0, running: 2 },
      });
      assert.partialDeepStrictEqual(ofInvestor, {
        capacity: { used: String(used[1]), borrowed: '0', entitled: '8' },
        workloads: { pending: 0, running: 1 },
      });
      assert.partialDeepStrictEqual(ofBorrower, {
        capacity: { used: String(used[2]), borrowed: String(borrowed), lent: '0' },
        workloads: { pending: 2, running: 4 },
      });
      near((ofLender?.['capacity'] as { lent: string }).lent, lentOf(idle[0]!));
      const ofDeal = await status(deal);
      assert.equal(ofDeal?.['used'], String(used[1]));
      near(ofDeal['lent'], lentOf(idle[1]!));
      const allocated = held.reduce((sum, { h200, b200 }) => sum + h200 + b200, 0);
      assert.partialDeepStrictEqual(await status(estate.pool), {
        capacity: { gpus: 32, normalizedGpus: '40', allocatedGpus: allocated, freeGpus: 32 - allocated },
        classes: (['h200', 'b200'] as const).map((name) => ({
          name,
          allocatedGpus: held.reduce((sum, one) => sum + one[name], 0),
        })),
      });
    });

    const versions = async () => {
      const objects = [
        await cluster.client.get(estate.pool),
        await cluster.client.get(deal),
        ...(await Promise.all(tenants.map((tenant) => tenant.status()))),
        ...(await borrower.all()),
      ];
      return objects.map(({ kind, metadata }) => `${kind} ${metadata.name} ${metadata.resourceVersion ?? ''}`);
    };
    // A write that changes nothing leaves the version as it was: the operator's own count of writes tells of those.
    const writes = () => operator.metric('moa_api_requests_total', /verb="(POST|PUT|PATCH)"/);
    await sleep(1500);
    const settled = [await writes(), ...(await versions())];
    assert.ok(Number(settled[0]) > 0);
    await sleep(5000);
    assert.deepEqual([await writes(), ...(await versions())], settled);
  });
});
