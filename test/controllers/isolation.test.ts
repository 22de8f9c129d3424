import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { isApiError } from '../../src/kube/index.ts';
import { Estate } from '../scheduler/estate.ts';
import { eventually, startOperator, withCluster, type Node, type Operator } from '../support/index.ts';

interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

const taintKey = 'moa.dev/pool';
const dedicated: Taint = { key: 'dedicated', value: 'x', effect: 'NoSchedule' };

describe('an isolated pool', () => {
  const cluster = withCluster({ crds: true, kubeScheduler: true });
  let operator: Operator;
  before(
    async () => {
      operator = await startOperator(cluster.plane);
    },
    { timeout: 60_000 },
  );
  after(() => operator.stop());

  const taintsOf = (node: Node) => (node.spec.taints ?? []) as readonly Taint[];
  /** The pool that each node is tainted for. */
  const tainted = async (estate: Estate) =>
    (await estate.nodes()).map(
      (node) => taintsOf(node).find(({ key, effect }) => key === taintKey && effect === 'NoSchedule')?.value,
    );
  const allTainted = (estate: Estate, pool: string | undefined, nodes: number) =>
    eventually(async () => assert.deepEqual(await tainted(estate), new Array(nodes).fill(pool)));
  const isolate = (estate: Estate, value: boolean) => cluster.client.patch(estate.pool, { spec: { isolate: value } });
  it('taints its nodes, those that join later included, and cleans up when it isolates no longer', async () => {
    const estate = await Estate.create(cluster, [{}, { taints: [dedicated] }], { isolate: true });
    await allTainted(estate, estate.name, 2);
    await estate.addNodes([{}]);
    await allTainted(estate, estate.name, 3);
    await isolate(estate, false);
    await allTainted(estate, undefined, 3);
    const left = (await estate.nodes()).flatMap(taintsOf);
    assert.deepEqual(left, [dedicated], 'taints of others stay');
  });

  it('keeps the pods of kube-scheduler off its nodes and runs those of Moa', async () => {
    const estate = await Estate.create(cluster, [{}], { isolate: true });
    await allTainted(estate, estate.name, 1);
    const tenant = await estate.tenant({ guaranteed: 8 });
    const strange = await tenant.pod({
      gpus: 0,
      schedulerName: 'default-scheduler',
      spec: { nodeSelector: { estate: estate.name } },
    });
    await tenant.running(8);
    await eventually(async () => {
      const { status, spec } = await tenant.get(strange);
      assert.match(status.conditions?.find(({ type }) => type === 'PodScheduled')?.message ?? '', /untolerated taint/);
      assert.equal(spec.nodeName, undefined);
    });
    await isolate(estate, false);
    await tenant.bound([strange], 40_000);
  });

  it('frees a node that leaves the pool', async () => {
    const estate = await Estate.create(cluster, [{}, {}], { isolate: true });
    await allTainted(estate, estate.name, 2);
    const [first] = await estate.nodes();
    await cluster.client.patch(first!, { metadata: { labels: { 'nvidia.com/gpu.product': 'other' } } });
    await eventually(async () => assert.deepEqual((await tainted(estate)).toSorted(), [estate.name, undefined]));
  });

  it('loses no taint that others set while it comes and goes', async () => {
    const estate = await Estate.create(cluster, [{}], { isolate: true });
    const [node] = await estate.nodes();
    /** Adds a taint as a kubelet does: what it has read, and the new one, under the resourceVersion. */
    const add = async (taint: Taint): Promise<void> => {
      const { metadata, ...now } = await cluster.client.get<Node>(node!);
      const taints = [...taintsOf({ metadata, ...now }), taint];
      const { resourceVersion } = metadata;
      try {
        await cluster.client.patch(node!, { metadata: { resourceVersion }, spec: { taints } });
      } catch (error) {
        if (!isApiError(error, 'Conflict')) throw error;
        await add(taint);
      }
    };
    const strangers = Array.from({ length: 60 }, (_, i): Taint => ({ key: `stranger-${i}`, effect: 'NoSchedule' }));
    let isolating = true;
    for (const [i, stranger] of strangers.entries()) {
      if (i % 6 === 0) await isolate(estate, (isolating = !isolating));
      await add(stranger);
    }
    await isolate(estate, true);
    await allTainted(estate, estate.name, 1);
    const keys = (await estate.nodes()).flatMap(taintsOf).map(({ key }) => key);
    assert.deepEqual(keys.filter((key) => key !== taintKey).toSorted(), strangers.map(({ key }) => key).toSorted());
  });

  it('asks nothing of the API server while nothing changes', async () => {
    const estate = await Estate.create(cluster, [{}, {}], { isolate: true });
    await allTainted(estate, estate.name, 2);
    const asked = () => operator.metric('moa_api_requests_total', /resource="nodes"/);
    // A picture that is older than the last write costs one more look.
    let before = NaN;
    await eventually(async () => assert.equal(before, (before = await asked())), { everyMs: 1500 });
    const tenant = await estate.tenant({ guaranteed: 16 });
    await tenant.running(16);
    assert.equal(await asked(), before);
  });

  it('that is deleted while no operator runs leaves no taint behind', async () => {
    const estate = await Estate.create(cluster, [{}, {}], { isolate: true });
    await allTainted(estate, estate.name, 2);
    await operator.stop();
    await cluster.client.delete(estate.pool);
    assert.deepEqual(await tainted(estate), [estate.name, estate.name]);
    operator = await startOperator(cluster.plane);
    await allTainted(estate, undefined, 2);
  });
});
