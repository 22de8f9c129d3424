import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { isApiError, mergePatch } from '../../src/kube/index.ts';
import { release } from '../support/chart.ts';
import { clientOf, eventually, withCluster, type Actor, type KubeObject, type TestClient } from '../support/index.ts';
import { withHelm } from './helm.ts';
import { samples } from './samples.ts';

const kaist = samples.find(({ metadata }) => metadata.name === 'kaist')!;
const company = samples.find(({ kind, metadata }) => kind === 'ResearchQuota' && metadata.name === 'company-a')!;
const manager: Actor = { user: 'kim', group: 'kaist-managers' };
const office: Actor = { user: 'lee', group: 'pool-office' };

describe('the manager of an institution', () => {
  const cluster = withCluster({ crds: true, kwok: false });
  const helm = withHelm();
  let asManager: TestClient;
  let asOffice: TestClient;

  const change = (client: TestClient, quota: KubeObject, body: object) => tried(client, quota, { body, dryRun: 'All' });

  before(async () => {
    const { client } = cluster;
    asManager = clientOf(cluster.kubeconfig, manager);
    asOffice = clientOf(cluster.kubeconfig, office);
    const managers = [{ name: 'kaist', quotas: ['kaist'], subjects: [{ kind: 'Group', name: manager.group }] }];
    const objects = await helm.render({ access: { managers } });
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: release.namespace } });
    const groups = ['rbac.authorization.k8s.io/v1', 'admissionregistration.k8s.io/v1'];
    for (const object of objects.filter(({ apiVersion }) => groups.includes(apiVersion))) await client.apply(object);
    await client.create({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'office' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'moa-edit' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: office.group }],
    } as KubeObject);
    for (const sample of samples) await client.create(sample);
    // The API server takes roles and policies up some moments after they are stored.
    await eventually(
      async () => {
        assert.equal(await change(asManager, kaist, { spec: { suspend: true } }), 'done');
        assert.notEqual(await change(asManager, kaist, { spec: { weight: 99 } }), 'done');
        assert.equal(await change(asOffice, kaist, { spec: { weight: 2 } }), 'done');
      },
      { timeoutMs: 30_000 },
    );
  });
  after(() => Promise.all([asManager.transport.close(), asOffice.transport.close()]));

  const household: Readonly<Record<string, object>> = {
    'suspends it': { spec: { suspend: true } },
    'says how much one user may hold': { spec: { capacity: { perUserMax: 8 } } },
    'lifts that': { spec: { capacity: { perUserMax: null } } },
    'says how long a job runs that does not say it': { spec: { limits: { defaultWalltime: '12h' } } },
    'puts a label on it': { metadata: { labels: { 'example.org/team': 'vision' } } },
    'changes nothing': {},
  };
  for (const [does, body] of Object.entries(household)) {
    it(`${does}, of the own quota`, async () => {
      assert.equal(await change(asManager, kaist, body), 'done');
    });
  }

  const terms: Readonly<Record<string, readonly [field: string, body: object]>> = {
    'raises its guarantee': ['spec.capacity.guaranteed', { spec: { capacity: { guaranteed: 640 } } }],
    'raises its guarantee of a class': ['spec.capacity.classes', { spec: { capacity: { classes: null } } }],
    'lifts its borrowing limit': ['spec.capacity.borrowingLimit', { spec: { capacity: { borrowingLimit: null } } }],
    'keeps its own from being lent': ['spec.capacity.lendingLimit', { spec: { capacity: { lendingLimit: 0 } } }],
    'takes its whole capacity out': ['spec.capacity.guaranteed', { spec: { capacity: null } }],
    'raises its weight': ['spec.weight', { spec: { weight: 10 } }],
    'makes it urgent': ['spec.tier', { spec: { tier: 'Urgent' } }],
    'gives it a budget': [
      'spec.budget',
      { spec: { budget: { normalizedGpuHours: 1, period: { start: '2026-03-01', end: '2027-02-28' } } } },
    ],
    'leaves its consortium': ['spec.parentName', { spec: { parentName: null } }],
    'pays for others': ['spec.namespaceSelector', { spec: { namespaceSelector: { matchLabels: { team: 'a' } } } }],
    'lets its jobs run longer': ['spec.limits.maxWalltime', { spec: { limits: { maxWalltime: '700h' } } }],
    'lets it be collected with another object': [
      'metadata.ownerReferences',
      { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'gone', uid: 'gone' }] } },
    ],
    'keeps it from being deleted': ['metadata.finalizers', { metadata: { finalizers: ['example.org/mine'] } }],
  };
  for (const [does, [field, body]] of Object.entries(terms)) {
    it(`${does}: refused by the name of the field, but for those who may allot`, async () => {
      const answer = await change(asManager, kaist, body);
      const want = `${field}: kim may change spec.suspend, spec.capacity.perUserMax and spec.limits.defaultWalltime`;
      assert.ok(answer.includes(want), answer);
      assert.ok(answer.includes('takes the verb allot on researchquotas.moa.dev'), answer);
      assert.equal(await change(asOffice, kaist, body), 'done');
    });
  }

  it('is held to a policy in which the API server finds no mistake', async () => {
    const apiVersion = 'admissionregistration.k8s.io/v1';
    const policy = { apiVersion, kind: 'ValidatingAdmissionPolicy', metadata: { name: 'moa-terms' } };
    await eventually(async () => {
      const { status } = await cluster.client.get<KubeObject & { status?: { typeChecking?: object } }>(policy);
      assert.deepEqual(status?.typeChecking, {});
    });
  });

  it('touches no quota of others, and makes and deletes none', async () => {
    assert.match(await change(asManager, company, { spec: { suspend: true } }), /cannot patch/);
    const own = { ...kaist, metadata: { name: 'kaist-2' } };
    await assert.rejects(asManager.create(own, { dryRun: true }), (error) => isApiError(error, 'Forbidden'));
    await assert.rejects(asManager.delete(kaist), (error) => isApiError(error, 'Forbidden'));
  });
});

/** `done`, or what the API server answers instead. Nothing is stored. */
async function tried(
  client: TestClient,
  quota: KubeObject,
  { body, dryRun }: { body: object; dryRun: string },
): Promise<string> {
  try {
    const path = await client.path(quota);
    await client.transport.request({ method: 'PATCH', path, query: { dryRun }, contentType: mergePatch, body });
    return 'done';
  } catch (error) {
    if (isApiError(error)) return error.message;
    throw error;
  }
}
