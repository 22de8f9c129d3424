import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { simulation } from '../../tools/cluster/index.ts';
import { eventually, podManifest, uniqueName, withCluster, withOperator } from '../support/index.ts';
import { Estate, Tenant } from './estate.ts';

describe('placement on a real API server', { concurrency: true }, () => {
  const cluster = withCluster({ crds: true });
  withOperator(cluster);

  const rack = (name: string) => ({ labels: { rack: name } });
  const inRack = (operator: string, values?: readonly string[]) => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'rack', operator, ...(values && { values }) }] }],
        },
      },
    },
  });
  const selecting: Record<string, object> = {
    'a node selector': { nodeSelector: { rack: 'right' } },
    'node affinity In': inRack('In', ['right', 'elsewhere']),
    'node affinity NotIn': inRack('NotIn', ['wrong', 'other']),
    'node affinity Gt': {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'slot', operator: 'Gt', values: ['41'] }] }],
          },
        },
      },
    },
  };
  for (const [rule, spec] of Object.entries(selecting)) {
    it(`${rule} is respected: the pods take the one node and then wait, though others are empty`, async () => {
      const estate = await Estate.create(cluster, [
        rack('wrong'),
        { labels: { rack: 'right', slot: '42' } },
        { labels: { rack: 'other', slot: '7' } },
      ]);
      const tenant = await estate.tenant({ guaranteed: 24 });
      const [right] = (await estate.nodes()).filter(({ metadata }) => metadata.labels?.['rack'] === 'right');
      const pods = await tenant.running(2, { gpus: 4, spec });
      assert.deepEqual(await tenant.bound(pods), [right!.metadata.name, right!.metadata.name]);
      await tenant.waiting(await tenant.pods(1, { gpus: 4, spec }), 'NoCapacity');
    });
  }

  it('a taint keeps off whom it should, and a toleration lets in', async () => {
    const taint = { key: 'dedicated', value: 'benchmarks', effect: 'NoSchedule' };
    const estate = await Estate.create(cluster, [{ taints: [taint] }]);
    const tenant = await estate.tenant({ guaranteed: 8 });
    const outsider = await tenant.pods(1);
    const tolerations = [{ key: 'dedicated', operator: 'Equal', value: 'benchmarks' }];
    await tenant.running(1, { spec: { tolerations } });
    await tenant.waiting(outsider, 'NoCapacity');
  });

  it('a cordoned node takes nothing until it is uncordoned', async () => {
    const estate = await Estate.create(cluster, [{}]);
    const tenant = await estate.tenant({ guaranteed: 8 });
    const [node] = await estate.nodes();
    await cluster.client.patch(node!, { spec: { unschedulable: true } });
    await eventually(async () => {
      const pool = await cluster.client.get(estate.pool);
      assert.partialDeepStrictEqual(pool, { status: { capacity: { gpus: 8, freeGpus: 0 } } });
    });
    const pods = await tenant.pods(1);
    await tenant.waiting(pods, 'NoCapacity');
    await cluster.client.patch(node!, { spec: { unschedulable: null } });
    await tenant.bound(pods);
  });

  it('a node that is not ready takes nothing until it is ready again', async () => {
    const estate = await Estate.create(cluster, [{}, {}]);
    const tenant = await estate.tenant({ guaranteed: 16 });
    const [node, other] = await estate.nodes();
    await cluster.client.patch(node!, { metadata: { annotations: { [simulation.notReady]: 'true' } } });
    await eventually(async () => {
      const pool = await cluster.client.get(estate.pool);
      assert.partialDeepStrictEqual(pool, { status: { nodes: { total: 2, ready: 1 } } });
    });
    assert.deepEqual(await tenant.bound(await tenant.pods(1, { gpus: 8 })), [other!.metadata.name]);
    const late = await tenant.pod({ gpus: 8 });
    // Capacity for quotas is that of ready nodes: the reason is either of the two that say so.
    await eventually(async () => {
      const { status } = await tenant.get(late);
      assert.match(status.conditions?.[0]?.message ?? '', /^(NoCapacity|WaitingForReclaim|WaitingForQuota): /);
    });
    await cluster.client.patch(node!, { metadata: { annotations: { [simulation.notReady]: null } } });
    assert.deepEqual(await tenant.bound([late]), [node!.metadata.name]);
  });

  it('cpu counts as well: a node without cpu left is passed over though its devices are free', async () => {
    const estate = await Estate.create(cluster, [{ capacity: { cpu: '4' } }, { capacity: { cpu: '64' } }]);
    const tenant = await estate.tenant({ guaranteed: 16 });
    const nodes = await estate.nodes();
    const large = nodes.find(({ status }) => status.allocatable?.['cpu'] === '64');
    const resources = { requests: { cpu: '8' }, limits: { 'nvidia.com/gpu': '1' } };
    const containers = [{ name: 'main', image: 'example.test/main', resources }];
    const pods = await tenant.pods(8, { spec: { containers } });
    assert.deepEqual(new Set(await tenant.bound(pods)), new Set([large!.metadata.name]));
    await tenant.waiting(await tenant.pods(1, { spec: { containers } }), 'Fragmented');
  });

  it('pods pack onto nodes that are in use, so that whole nodes stay free', async () => {
    const estate = await Estate.create(cluster, [{}, {}, {}]);
    const tenant = await estate.tenant({ guaranteed: 24 });
    const small = await tenant.pods(4, { gpus: 2 });
    assert.equal(new Set(await tenant.bound(small)).size, 1);
    await tenant.running(2, { gpus: 8 });
  });

  it('pods that someone else placed are left alone, and counted: on the node and in the quota', async () => {
    const estate = await Estate.create(cluster, [{}]);
    const tenant = await estate.tenant({ guaranteed: 8 });
    const [node] = await estate.nodes();
    const theirs = await tenant.pod({ gpus: 6, schedulerName: 'other', nodeName: node!.metadata.name });
    const unplaced = await tenant.pod({ gpus: 1, schedulerName: 'other' });
    await eventually(async () => {
      const { status } = await tenant.status();
      assert.partialDeepStrictEqual(status, { capacity: { used: '6' }, workloads: { running: 1 } });
    });
    const ours = await tenant.pod({ gpus: 4 });
    await eventually(async () => {
      const { status } = await tenant.get(ours);
      assert.match(status.conditions?.[0]?.message ?? '', /^(NoCapacity|WaitingForQuota): /);
    });
    const ignored = await tenant.get(unplaced);
    assert.equal(ignored.spec.nodeName, undefined);
    assert.deepEqual(ignored.status.conditions ?? [], []);
    await tenant.remove(theirs);
    await tenant.bound([ours]);
    assert.equal((await tenant.get(unplaced)).spec.nodeName, undefined);
  });

  it('a pod without accelerators needs no quota', async () => {
    await Estate.create(cluster, [{}]);
    const namespace = await cluster.namespace();
    const name = uniqueName('launcher');
    await cluster.client.create(podManifest({ name, namespace }));
    await new Tenant(cluster, 'none', namespace).bound([name]);
  });

  it('what is malformed or not modelled is told, never bound wrongly', async () => {
    const estate = await Estate.create(cluster, [{}]);
    const tenant = await estate.tenant({ guaranteed: 8 });
    const malformed = await tenant.pods(1, {
      labels: { 'moa.dev/gang': 'g' },
      annotations: { 'moa.dev/gang-size': 'many' },
    });
    assert.match(await tenant.waiting(malformed, 'Unsupported'), /Annotation moa\.dev\/gang-size is "many"/);
  });

  it('a device that is freed is used again within two seconds', async () => {
    const estate = await Estate.create(cluster, [{}]);
    const tenant = await estate.tenant({ guaranteed: 8 });
    const [deleted] = await tenant.running(1, { gpus: 8 });
    const second = await tenant.pod({ gpus: 8, duration: '1s' });
    await tenant.waiting([second], 'WaitingForQuota');
    await tenant.remove(deleted!);
    await tenant.bound([second], 2000);
    // A pod that ends by itself frees its devices too.
    const third = await tenant.pod({ gpus: 8 });
    await eventually(async () => assert.equal((await tenant.get(second)).status.phase, 'Succeeded'));
    await tenant.bound([third], 2000);
  });

  it('a pending pod that is deleted is no longer waited for', async () => {
    const estate = await Estate.create(cluster, [{}]);
    const tenant = await estate.tenant({ guaranteed: 8, borrowingLimit: 0 });
    const [running] = await tenant.running(1, { gpus: 8 });
    const waiting = await tenant.pod({ gpus: 8 });
    const workloads = (want: object) =>
      eventually(async () => assert.deepEqual((await tenant.status()).status?.['workloads'], want));
    await workloads({ pending: 1, running: 1 });
    await tenant.remove(waiting);
    await workloads({ pending: 0, running: 1 });
    await tenant.remove(running!);
    await workloads({ pending: 0, running: 0 });
    await tenant.running(1, { gpus: 8 });
  });

  it('a node that arrives later is used, and so is a class that has had none', async () => {
    const estate = await Estate.create(cluster, [{}]);
    const tenant = await estate.tenant({ guaranteed: 8 });
    await tenant.running(1, { gpus: 8 });
    const waiting = await tenant.pods(1, { gpus: 8 });
    const late = await estate.addNodes([{ b200: true }]);
    assert.deepEqual(await tenant.bound(waiting), late);
  });

  it('bad references stop only whom they concern, are told, and end when they are mended', async () => {
    const estate = await Estate.create(cluster, [{}]);
    const sound = await estate.tenant({ guaranteed: 4 });
    const missing = uniqueName('missing');
    const poolless = await estate.tenant({ guaranteed: 1 }, { poolName: missing });
    const circular = await estate.tenant();
    const other = await estate.tenant({}, { parentName: circular.quota });
    await circular.edit({ parentName: other.quota });
    const deal = estate.resource('MatchingInvestment', uniqueName('deal'), {
      investorName: 'nobody',
      contribution: { items: [{ class: 'h200', gpus: 8 }], nodeSelector: { matchLabels: { from: 'nobody' } } },
    });
    await cluster.client.create(deal);
    const ready = (object: Parameters<typeof cluster.client.get>[0], reason: string) =>
      eventually(async () => {
        const found = await cluster.client.get<Awaited<ReturnType<Tenant['status']>>>(object);
        const condition = found.status?.conditions?.find(({ type }) => type === 'Ready');
        assert.equal(condition?.reason, reason);
      });
    await ready(await poolless.status(), 'PoolNotFound');
    await ready(await circular.status(), 'ParentCycle');
    await ready(await other.status(), 'ParentCycle');
    await ready(deal, 'InvestorNotFound');
    const stuck = await poolless.pods(1);
    const going = await circular.pods(1);
    assert.match(await poolless.waiting(stuck, 'QuotaNotReady'), new RegExp(missing));
    await circular.waiting(going, 'QuotaNotReady');
    await sound.running(4);

    await circular.edit({ parentName: null });
    await circular.bound(going);
    await poolless.edit({ poolName: estate.name });
    await poolless.bound(stuck);
  });
});
