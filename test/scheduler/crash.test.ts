import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';

import { eventually, startOperator, withCluster, type Operator, type Pod } from '../support/index.ts';
import { Estate, type PodOptions, type Tenant } from './estate.ts';

const nodeCount = 68;
const gpusPerNode = 8;
const singles = 300;
/** Large ones among them: a kill is then likely to hit a gang in the middle. */
const gangSizes = [...new Array<number>(10).fill(4), ...new Array<number>(4).fill(50)];
/** Four GPUs stay free: next to no room for a pod that is counted wrongly. */
const pods = singles + gangSizes.reduce((sum, size) => sum + size, 0);
const writers = 32;

describe('an operator that is killed while it binds', () => {
  const cluster = withCluster({ crds: true });
  let operator: Operator | undefined;
  after(() => operator?.kill());

  /** The pods wait before the operator starts, gangs among them. */
  async function createPods(tenant: Tenant): Promise<void> {
    const queue: PodOptions[] = Array.from({ length: singles }, () => ({}));
    gangSizes.forEach((size, gang) => {
      const member = {
        labels: { 'moa.dev/gang': `gang-${gang}` },
        annotations: { 'moa.dev/gang-size': String(size) },
      };
      const at = Math.floor(((gang + 0.5) * queue.length) / gangSizes.length);
      queue.splice(at, 0, ...Array.from({ length: size }, () => member));
    });
    const todo = queue.values();
    await Promise.all(
      Array.from({ length: writers }, async () => {
        for (const options of todo) await tenant.pod(options);
      }),
    );
  }

  /** Gangs of which some pods are bound and some are not. */
  const cutGangs = (all: readonly Pod[]) =>
    gangSizes.filter((size, gang) => {
      const members = all.filter(({ metadata }) => metadata.labels?.['moa.dev/gang'] === `gang-${gang}`);
      const bound = members.filter(({ spec }) => spec.nodeName !== undefined).length;
      return bound > 0 && bound < size;
    });
  const nodesOf = (all: readonly Pod[]) =>
    new Map(all.flatMap(({ metadata, spec }) => (spec.nodeName ? [[metadata.uid!, spec.nodeName]] : [])));

  for (const killAt of [60, 180, 300]) {
    it(`after a kill -9 at ${killAt} of ${pods} pods and a restart every pod is bound once, no node holds too much and every gang is whole`, async (t) => {
      const estate = await Estate.create(
        cluster,
        Array.from({ length: nodeCount }, () => ({})),
      );
      const tenant = await estate.tenant({ guaranteed: nodeCount * gpusPerNode });
      await createPods(tenant);

      // Few bindings at once: the kill then hits a plan of which most is still to be carried out.
      operator = await startOperator(cluster.plane, ['--bind-concurrency=8']);
      await eventually(async () => assert.ok(nodesOf(await tenant.all()).size >= killAt), { everyMs: 10 });
      await operator.kill();
      const left = await tenant.all();
      const atKill = nodesOf(left);
      t.diagnostic(`at the kill ${atKill.size} pods were bound, and ${cutGangs(left).length} gangs in part`);
      assert.ok(atKill.size >= 50 && atKill.size <= 400, `${atKill.size} pods were bound at the kill`);

      operator = await startOperator(cluster.plane);
      await eventually(async () => assert.equal(nodesOf(await tenant.all()).size, pods), { timeoutMs: 30_000 });
      await operator.stop();
      const all = await tenant.all();
      const now = nodesOf(all);
      assert.equal(all.length, pods);
      for (const [uid, node] of atKill) assert.equal(now.get(uid), node, 'a bound pod is elsewhere now');

      const held = new Map((await estate.nodes()).map(({ metadata }) => [metadata.name, 0]));
      for (const node of now.values()) held.set(node, (held.get(node) ?? NaN) + 1);
      assert.deepEqual(
        [...held].filter(([, count]) => !(count <= gpusPerNode)),
        [],
        'nodes that hold more than they have',
      );
      assert.deepEqual(cutGangs(all), []);
    });
  }
});
