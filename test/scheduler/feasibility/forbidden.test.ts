import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { startOperator, withCluster, type Operator } from '../../support/index.ts';
import { Estate } from '../estate.ts';

interface KubeconfigFile {
  readonly users: { readonly name: string; readonly user: { readonly token: string } }[];
}

describe('an operator that may not look at volumes', () => {
  const cluster = withCluster({ crds: true });
  let operator: Operator | undefined;

  before(
    async () => {
      const kubeconfig = join(cluster.plane.dataDir, 'restricted.kubeconfig');
      writeFileSync(kubeconfig, JSON.stringify(await restricted()), { mode: 0o600 });
      operator = await startOperator(cluster.plane, ['--kubeconfig', kubeconfig]);
    },
    { timeout: 60_000 },
  );
  after(() => operator?.stop());

  /** A kubeconfig of a service account that may do everything but list volumes and claims. */
  async function restricted(): Promise<KubeconfigFile> {
    const { client, plane } = cluster;
    const subject = { kind: 'ServiceAccount', name: 'restricted', namespace: 'default' };
    const rules = [
      { apiGroups: [''], resources: ['pods', 'nodes', 'namespaces'], verbs: ['get', 'list', 'watch', 'patch'] },
      { apiGroups: [''], resources: ['pods/binding', 'pods/status'], verbs: ['create', 'patch'] },
      { apiGroups: ['events.k8s.io', ''], resources: ['events'], verbs: ['create', 'patch'] },
      { apiGroups: ['batch'], resources: ['jobs'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: ['moa.dev'], resources: ['*'], verbs: ['*'] },
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['*'] },
    ];
    const rbac = 'rbac.authorization.k8s.io';
    const roleRef = { apiGroup: rbac, kind: 'ClusterRole', name: 'restricted' };
    const objects = [
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: subject.name, namespace: subject.namespace } },
      { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name: roleRef.name }, rules },
      {
        apiVersion: `${rbac}/v1`,
        kind: 'ClusterRoleBinding',
        metadata: { name: roleRef.name },
        roleRef,
        subjects: [subject],
      },
    ];
    for (const object of objects) await client.create(object);
    const { status } = await client.transport.request<{ status: { token: string } }>({
      method: 'POST',
      path: `/api/v1/namespaces/${subject.namespace}/serviceaccounts/${subject.name}/token`,
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
    });
    const config = JSON.parse(readFileSync(plane.kubeconfig, 'utf8')) as KubeconfigFile;
    return { ...config, users: config.users.map(({ name }) => ({ name, user: { token: status.token } })) };
  }

  it('places the pods that need none, and tells the others why they wait', async () => {
    const estate = await Estate.create(cluster, [{}]);
    const tenant = await estate.tenant({ guaranteed: 8 });
    await tenant.running(1);
    const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }];
    const sentence = await tenant.waiting(await tenant.pods(1, { spec: { volumes } }), 'NoCapacity');
    assert.match(sentence, /does not exist \(persistentvolumeclaims: cannot be listed, Forbidden\)/);
  });
});
