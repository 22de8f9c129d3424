import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';

import { eventually, startOperator, uniqueName, withCluster, type Operator, type Pod } from '../support/index.ts';
import { Estate, type PodOptions, type Tenant } from './estate.ts';

/** There are more pods than GPUs: what is bound too often, or forgotten, shows. */
const nodeCount = 60;
const gpusPerNode = 8;
const gpus = nodeCount * gpusPerNode;
const singles = 500;
const gangSize = 4;
const gangs = 10;
const pods = singles + gangs * gangSize;
const writers = 32;

describe('an operator that is killed while it binds', () => {
  const cluster = withCluster({ crds: true });
  let operator: Operator | undefined;
  after(() => operator?.kill());

  /** The pods wait before the operator starts, gangs among them. */
  async function createPods(tenant: Tenant): Promise<void> {
    const queue: PodOptions[] = Array.from({ length: singles }, () => ({}));
    for (let gang = 0; gang < gangs; gang++) {
      const name = uniqueName('gang');
      const member = { labels: { 'moa.dev/gang': name }, annotations: { 'moa.dev/gang-size': String(gangSize) } };
      const at = Math.floor(((gang + 0.5) * queue.length) / gangs);
      queue.splice(at, 0, ...Array.from({ length: gangSize }, () => member));
    }
    const todo = queue.values();
    await Promise.all(
      Array.from({ length: writers }, async () => {
        for (const options of todo) await tenant.pod(options);
      }),
    );
  }

  /** For each gang, how many of its pods are bound. */
  const boundOfGangs = (all: readonly Pod[]) => {
    const bound = new Map<string, number>();
    for (const { metadata, spec } of all) {
      const gang = metadata.labels?.['moa.dev/gang'];
      if (gang !== undefined) bound.set(gang, (bound.get(gang) ?? 0) + (spec.nodeName === undefined ? 0 : 1));
    }
    return [...bound.values()];
  };
  const nodesOf = (all: readonly Pod[]) =>
    new Map(all.flatMap(({ metadata, spec }) => (spec.nodeName ? [[metadata.uid!, spec.nodeName]] : [])));

  for (const killAt of [60, 180, 300]) {
    it(`after a kill -9 at ${killAt} of ${gpus} bindings and a restart every GPU is used once and every gang is whole`, async (t) => {
      const estate = await Estate.create(
        cluster,
        Array.from({ length: nodeCount }, () => ({})),
      );
      const tenant = await estate.tenant({ guaranteed: gpus });
      await createPods(tenant);

      // Few bindings at once: the kill then hits a plan of which most is still to be carried out.
      operator = await startOperator(cluster.plane, ['--bind-concurrency=8']);
      await eventually(async () => assert.ok(nodesOf(await tenant.all()).size >= killAt), { everyMs: 1 });
      await operator.kill();
      const left = await tenant.all();
      const atKill = nodesOf(left);
      const cut = boundOfGangs(left).filter((bound) => bound > 0 && bound < gangSize).length;
      t.diagnostic(`at the kill ${atKill.size} pods were bound, and ${cut} gangs in part`);
      assert.ok(atKill.size >= 50 && atKill.size <= 400, `${atKill.size} pods were bound at the kill`);

      operator = await startOperator(cluster.plane);
      await eventually(async () => assert.equal(nodesOf(await tenant.all()).size, gpus), { timeoutMs: 30_000 });
      await operator.stop();
      const all = await tenant.all();
      const now = nodesOf(all);
      assert.equal(all.length, pods);
      assert.equal(now.size, gpus);
      for (const [uid, node] of atKill) assert.equal(now.get(uid), node, 'a bound pod is elsewhere now');

      const held = new Map((await estate.nodes()).map(({ metadata }) => [metadata.name, 0]));
      for (const node of now.values()) held.set(node, (held.get(node) ?? NaN) + 1);
      assert.deepEqual(
        [...held].filter(([, count]) => count !== gpusPerNode),
        [],
        'nodes that hold more or less than they have',
      );
      assert.deepEqual(
        boundOfGangs(all).filter((bound) => bound !== 0 && bound !== gangSize),
        [],
        'gangs that are bound in part',
      );
    });
  }
});
