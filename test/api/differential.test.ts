import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import {
  changeProblems,
  collectionPath,
  parseResource,
  resources,
  type Kind,
  type Problem,
} from '../../src/api/v1alpha1/index.ts';
import { createTransport, loadKubeConfig, type Transport } from '../../src/kube/index.ts';
import { withCluster } from '../support/index.ts';
import { adjustedQuota, changedQuotas, manifests } from './arbitraries.ts';
import type { Manifest } from './manifests.ts';
import { tryCreate, tryReplace } from './server.ts';

const runs = Number(process.env.MOA_TEST_RUNS ?? 400);

describe('the schemas in zod and in the CustomResourceDefinitions', () => {
  const cluster = withCluster({ crds: true, controllerManager: false, kwok: false });
  let transport: Transport;
  before(() => {
    transport = createTransport({ kubeConfig: loadKubeConfig(cluster.kubeconfig), userAgent: 'moa-test' });
  });
  after(() => transport.close());

  for (const kind of Object.keys(resources) as Kind[]) {
    it(`give the same verdict, fields and defaults on a ${kind}`, async () => {
      const counts = { good: 0, bad: 0 };
      await fc.assert(
        fc.asyncProperty(manifests(kind), async (manifest) => {
          const local = parseResource(kind, manifest);
          const server = await tryCreate(transport, manifest);
          assert.equal(local.ok, server.ok, JSON.stringify({ local, server }, null, 1));
          counts[local.ok ? 'good' : 'bad'] += 1;
          if (local.ok && server.ok) assert.deepEqual(local.resource.spec, server.object.spec);
          if (local.ok || server.ok) return;
          const named = new Set(server.problems.map(fieldOf));
          assert.ok(
            local.problems.some((problem) => named.has(fieldOf(problem))),
            `no field in common: ${JSON.stringify({ local, server }, null, 1)}`,
          );
        }),
        { numRuns: runs },
      );
      // A generator that makes only one sort would prove nothing.
      assert.ok(Math.min(counts.good, counts.bad) > runs / 10, JSON.stringify(counts));
    });
  }

  it('give the same verdict on changes of adjustments', async () => {
    const path = collectionPath('ResearchQuota');
    const stored = await transport.request<Manifest>({ method: 'POST', path, body: adjustedQuota() });
    const before = parseResource('ResearchQuota', stored);
    assert.ok(before.ok);
    const counts = { good: 0, bad: 0 };
    await fc.assert(
      fc.asyncProperty(changedQuotas, async (change) => {
        const manifest = { ...stored, spec: change.spec };
        const server = await tryReplace(transport, manifest);
        const after = parseResource('ResearchQuota', manifest);
        const problems = after.ok ? changeProblems('ResearchQuota', before.resource, after.resource) : after.problems;
        counts[server.ok ? 'good' : 'bad'] += 1;
        assert.equal(problems.length === 0, server.ok, JSON.stringify({ problems, server }));
      }),
      { numRuns: 200 },
    );
    assert.ok(Math.min(counts.good, counts.bad) > 20, JSON.stringify(counts));
  });
});

/** The path without the two ways in which the API server writes the key of a map. */
function fieldOf({ path }: Problem): string {
  return path.replaceAll(/\[(?!\d+\])([^\]]*)\]/g, '.$1');
}
