import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { ControlPlane } from '../../tools/cluster/index.ts';
import type { TestCluster } from '../support/index.ts';
import type { Mount } from './container.ts';

const namespace = 'moa-system';
const name = 'moa';

/**
 * What a kubelet mounts for a pod of a service account: a bound token, the cluster's authority, the namespace. The account
 * may do everything; which rights are enough is for the tests of the chart.
 *
 * @param folder is filled
 */
export async function serviceAccount({ client, kubeconfig }: TestCluster, folder: string): Promise<Mount> {
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await client.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } });
  await client.transport.request({
    method: 'POST',
    path: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
    body: {
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
  });
  const { status } = await client.transport.request<{ status: { token: string } }>({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } },
  });
  const { clusters } = JSON.parse(readFileSync(kubeconfig, 'utf8')) as {
    clusters: [{ cluster: { 'certificate-authority-data': string } }];
  };
  const authority = Buffer.from(clusters[0].cluster['certificate-authority-data'], 'base64');
  writeFileSync(join(folder, 'token'), status.token);
  writeFileSync(join(folder, 'ca.crt'), authority);
  writeFileSync(join(folder, 'namespace'), namespace);
  return { source: folder, target: '/var/run/secrets/kubernetes.io/serviceaccount' };
}

/** The variables by which a pod finds the API server. */
export function hostOf({ server }: ControlPlane): Readonly<Record<string, string>> {
  const { hostname, port } = new URL(server);
  return { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
}

/**
 * What the kernel would show a process whose control group has a memory limit, for both versions of control groups: the
 * real ones of a machine for tests are not ours to change.
 *
 * @param folder is made
 */
export function memoryLimit(folder: string, bytes: number): Mount {
  const own = readFileSync('/proc/self/cgroup', 'utf8');
  const second = join(folder, /^0::(.*)$/m.exec(own)?.[1] ?? '/');
  const first = join(folder, 'memory', /^\d+:memory:(.*)$/m.exec(own)?.[1] ?? '/');
  for (const group of [second, first]) mkdirSync(group, { recursive: true });
  writeFileSync(join(second, 'memory.max'), `${bytes}\n`);
  writeFileSync(join(second, 'memory.high'), 'max\n');
  writeFileSync(join(first, 'memory.limit_in_bytes'), `${bytes}\n`);
  writeFileSync(join(first, 'memory.soft_limit_in_bytes'), `${2n ** 63n - 4096n}\n`);
  return { source: folder, target: '/sys/fs/cgroup' };
}
