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
import { adjustedQuota, allValues, changedQuotas, closeDates, closeDurations, manifests } from './arbitraries.ts';
import { goodManifest, withField, type Manifest } from './manifests.ts';
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
          counts[(await agreedVerdict(transport, manifest)) ? 'good' : 'bad'] += 1;
        }),
        { numRuns: runs },
      );
      // A generator that makes only one sort would prove nothing.
      assert.ok(Math.min(counts.good, counts.bad) > runs / 10, JSON.stringify(counts));
    });
  }

  const fields: readonly [kind: Kind, path: string][] = [
    ['GpuPool', 'spec.acceleratorClasses[0].weight'],
    ['GpuPool', 'spec.acceleratorClasses[1].name'],
    ['GpuPool', 'spec.acceleratorClasses[0].resourceName'],
    ['GpuPool', 'spec.sites[0].powerLimitKilowatts'],
    ['GpuPool', 'spec.sites[0].nodeSelector.matchLabels.zone'],
    ['GpuPool', 'spec.sites[0].nodeSelector.matchExpressions'],
    ['GpuPool', 'spec.topologyLevels[1]'],
    ['GpuPool', 'spec.publicFloor'],
    ['GpuPool', 'spec.accounting.borrowedChargeFactor'],
    ['GpuPool', 'spec.accounting.timeZone'],
    ['GpuPool', 'spec.scheduling.reclaim.notice'],
    ['GpuPool', 'spec.scheduling.fairShare.halfLife'],
    ['GpuPool', 'spec.milestones[0].date'],
    ['ResearchQuota', 'spec.poolName'],
    ['ResearchQuota', 'spec.institution'],
    ['ResearchQuota', 'spec.institution.displayName'],
    ['ResearchQuota', 'spec.budget.normalizedGpuHours'],
    ['ResearchQuota', 'spec.budget.adjustments[0].normalizedGpuHours'],
    ['ResearchQuota', 'spec.limits.maxWorkloadGpus'],
    ['ResearchQuota', 'spec.tier'],
    ['ResearchQuota', 'spec.suspend'],
  ];
  for (const [kind, path] of fields) {
    it(`give the same verdict on every value in ${path} of a ${kind}`, () =>
      agreeOn(
        transport,
        allValues.map((value) => withField(goodManifest(kind), path, value)),
      ));
  }

  const quota = goodManifest('ResearchQuota');
  it('give the same verdict on every pair of walltimes', () =>
    agreeOn(
      transport,
      pairs(closeDurations).map(([a, b]) => withField(quota, 'spec.limits', { defaultWalltime: a, maxWalltime: b })),
    ));

  it('give the same verdict on every pair of dates', () =>
    agreeOn(
      transport,
      pairs(closeDates).map(([start, end]) => withField(quota, 'spec.budget.period', { start, end })),
    ));

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
    // 20 of 200 have been seen; fewer than six would be a generator that has gone wrong.
    assert.ok(Math.min(counts.good, counts.bad) > 5, JSON.stringify(counts));
  });
});

/** Whether both accept the manifest. Fails unless they agree on that, on a field that is wrong, and on every default. */
async function agreedVerdict(transport: Transport, manifest: Manifest): Promise<boolean> {
  const local = parseResource(manifest.kind, manifest);
  const server = await tryCreate(transport, manifest);
  const told = () => JSON.stringify({ manifest, local, server }, null, 1);
  if (local.ok && server.ok) assert.deepEqual(local.resource.spec, server.object.spec);
  else if (local.ok || server.ok) assert.fail(`the verdicts differ: ${told()}`);
  else {
    const named = new Set(server.problems.map(fieldOf));
    assert.ok(
      local.problems.some((problem) => named.has(fieldOf(problem))),
      `no field in common: ${told()}`,
    );
  }
  return local.ok;
}

/** {@link agreedVerdict} on all of them, of which some are good and some bad. */
async function agreeOn(transport: Transport, all: readonly Manifest[]): Promise<void> {
  const verdicts = await Promise.all(all.map((manifest) => agreedVerdict(transport, manifest)));
  assert.deepEqual([...new Set(verdicts)].sort(), [false, true]);
}

function pairs(values: readonly string[]): readonly (readonly [string, string])[] {
  return values.flatMap((a) => values.map((b) => [a, b] as const));
}

/** The path without the two ways in which the API server writes the key of a map. */
function fieldOf({ path }: Problem): string {
  return path.replaceAll(/\[(?!\d+\])([^\]]*)\]/g, '.$1');
}
