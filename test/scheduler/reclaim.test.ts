import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  eventually,
  jobManifest,
  uniqueName,
  withCluster,
  withOperator,
  type KubeObject,
  type Pod,
} from '../support/index.ts';
import { Estate, type PodOptions, type Tenant } from './estate.ts';

/** A pod with what tells of its end. */
interface EndingPod extends Pod {
  readonly metadata: Pod['metadata'] & {
    readonly deletionGracePeriodSeconds?: number;
    readonly ownerReferences?: readonly { readonly name: string }[];
  };
}

const gang = (name: string, size: number): PodOptions => ({
  labels: { 'moa.dev/gang': name },
  annotations: { 'moa.dev/gang-size': String(size) },
});

/** Borrowers may be taken at once, and have four seconds to end. */
const scheduling = { reclaim: { minRuntime: '0s', notice: '4s' } };

describe('what was lent comes back on a real API server', { concurrency: true }, () => {
  const cluster = withCluster({ crds: true });
  const operator = withOperator(cluster);

  const podsOf = ({ namespace }: Tenant) =>
    cluster.client.list<EndingPod>({ apiVersion: 'v1', kind: 'Pod' }, { namespace });

  const eventsOf = ({ namespace }: Tenant) =>
    cluster.client.list<KubeObject & { readonly reason: string; readonly note: string; readonly type: string }>(
      { apiVersion: 'events.k8s.io/v1', kind: 'Event' },
      { namespace },
    );

  it('a borrower of eight nodes makes way whole for a guaranteed gang, with its notice, and nothing else does', async () => {
    const estate = await Estate.create(
      cluster,
      Array.from({ length: 10 }, () => ({})),
      { scheduling },
    );
    const lender = await estate.tenant({ guaranteed: 64 });
    const borrower = await estate.tenant({ guaranteed: 16 });
    const kept = await borrower.running(2, { gpus: 8 });
    await borrower.running(8, { gpus: 8, ...gang('borrowed', 8) });
    const mark = (pod: EndingPod) => pod.status.conditions?.find(({ type }) => type === 'DisruptionTarget');

    const own = await lender.pods(8, { gpus: 8, ...gang('own', 8) });
    await eventually(
      async () => {
        const ending = (await podsOf(borrower)).filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
        assert.equal(ending.length, 8);
        for (const pod of ending) {
          assert.equal(pod.metadata.labels?.['moa.dev/gang'], 'borrowed');
          assert.equal(pod.metadata.deletionGracePeriodSeconds, 4);
          assert.deepEqual([mark(pod)?.status, mark(pod)?.reason], ['True', 'PreemptionByScheduler']);
          assert.match(
            mark(pod)?.message ?? '',
            new RegExp(`for ${lender.namespace}/own, which is within its guarantee`),
          );
        }
      },
      { everyMs: 20 },
    );
    await lender.bound(own);
    const [preempted] = (await eventsOf(borrower)).filter(({ reason }) => reason === 'Preempted');
    assert.equal(preempted?.type, 'Warning');
    assert.match(preempted.note, /^evicted with all 8 pods of its gang for .*; killed at .*Z at the latest$/);
    const [makingRoom] = (await eventsOf(lender)).filter(({ reason }) => reason === 'MakingRoom');
    assert.match(makingRoom?.note ?? '', new RegExp(`^making room: 1 workload of ${borrower.quota} ends by .*Z$`));

    // Nothing moves any more, for several cycles.
    const picture = async () =>
      [...(await podsOf(borrower)), ...(await podsOf(lender))]
        .map(({ metadata, spec }) => [metadata.uid, spec.nodeName, metadata.deletionTimestamp].join())
        .sort();
    const settled = await picture();
    assert.equal(settled.length, 10);
    await sleep(4000);
    assert.deepEqual(await picture(), settled);
    assert.deepEqual((await podsOf(borrower)).map(({ metadata }) => metadata.name).sort(), kept.toSorted());
    const ofPool = new RegExp(`pool="${estate.name}"`);
    assert.equal(await operator.metric('moa_evictions_total', ofPool), 1);
    assert.equal(await operator.metric('moa_reclaim_access_seconds_count', ofPool), 1);
    const access = await operator.metric('moa_reclaim_access_seconds_sum', ofPool);
    assert.ok(access >= 3 && access < 10, `${access} s from waiting to all bound, of which 4 s are the notice`);
  });

  it("a Job's evicted pod comes back as old as the one it replaces, and the Job does not fail by it", async () => {
    const estate = await Estate.create(cluster, [{}], { scheduling });
    const lender = await estate.tenant({ guaranteed: 8 });
    const borrower = await estate.tenant();
    const name = uniqueName('job');
    const ignored = [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }];
    await cluster.client.create(
      jobManifest({ name, namespace: borrower.namespace, gpus: 8, jobSpec: { podFailurePolicy: { rules: ignored } } }),
    );
    const ofJob = async () =>
      (await podsOf(borrower)).filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.name === name));
    const first = await eventually(async () => {
      const [pod] = await ofJob();
      assert.ok(pod?.spec.nodeName);
      return pod.metadata.uid;
    });
    // Ages are whole seconds.
    await sleep(1100);
    const [younger] = await borrower.pods(1, { gpus: 8 });
    await borrower.waiting([younger!], 'WaitingForQuota');

    const [own] = await lender.running(1, { gpus: 8 });
    const again = await eventually(async () => {
      const live = (await ofJob()).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
      assert.equal(live.length, 1);
      assert.notEqual(live[0]!.metadata.uid, first);
      return live[0]!.metadata.name;
    });
    await borrower.waiting([again, younger!].sort(), 'WaitingForQuota');
    await lender.remove(own!);
    await borrower.bound([again]);
    await borrower.waiting([younger!], 'WaitingForQuota');
  });

  it('an investor that waits longer than promised breaks the promise, in the status and in an event', async () => {
    const from = { labels: { from: 'investor' } };
    const estate = await Estate.create(cluster, [from], { scheduling });
    const investor = await estate.tenant();
    const borrower = await estate.tenant();
    const deal = estate.resource('MatchingInvestment', uniqueName('deal'), {
      investorName: investor.quota,
      contribution: { items: [{ class: 'h200', gpus: 8 }], nodeSelector: { matchLabels: from.labels } },
      entitlement: { ownFraction: 1 },
      reclaim: { guaranteedAccessWithin: '4s' },
    });
    await cluster.client.create(deal);
    interface Deal extends KubeObject {
      readonly status?: {
        readonly effectiveEntitlement?: string;
        readonly reclaim?: { readonly p95Seconds: number; readonly breaches: number };
        readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
      };
    }
    const status = async () => (await cluster.client.get<Deal>(deal)).status;
    await eventually(async () => assert.equal((await status())?.effectiveEntitlement, '8'));
    await borrower.running(1, { gpus: 8 });
    await investor.running(1, { gpus: 8 });
    // Four seconds of notice and the binding after it are more than four seconds.
    await eventually(async () => {
      const now = await status();
      assert.equal(now?.reclaim?.breaches, 1);
      assert.ok(now.reclaim.p95Seconds >= 4 && now.reclaim.p95Seconds < 15, String(now.reclaim.p95Seconds));
      const met = now.conditions?.find(({ type }) => type === 'AccessGuaranteeMet');
      assert.deepEqual([met?.status, met?.reason], ['False', 'Breached']);
    });
  });
});
