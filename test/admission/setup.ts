import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { apiVersion } from '../../src/api/v1alpha1/index.ts';
import { ApiError } from '../../src/kube/errors.ts';
import {
  clientOf,
  eventually,
  podManifest,
  release,
  renderChart,
  withCluster,
  type Actor,
  type KubeObject,
  type TestClient,
  type TestCluster,
} from '../support/index.ts';

/** Namespace of an institution, whose pods the policies are about. */
export const lab = 'kaist-vision';
/** A namespace that belongs to nobody. */
export const elsewhere = 'tools';

const acceleratorClass = (name: string, resourceName: string) => ({
  name,
  resourceName,
  nodeSelector: { matchLabels: { class: name } },
  weight: '1',
});

/** `national` is isolated and has GPUs and NPUs; `edge` is not, and has NPUs of another make. */
export const pools: readonly KubeObject[] = [
  poolManifest('national', true, [
    acceleratorClass('h200', 'nvidia.com/gpu'),
    acceleratorClass('b200', 'nvidia.com/gpu'),
    acceleratorClass('atom', 'rebellions.ai/ATOM'),
  ]),
  poolManifest('edge', false, [acceleratorClass('rngd', 'furiosa.ai/rngd')]),
];

function poolManifest(name: string, isolate: boolean, acceleratorClasses: readonly object[]): KubeObject {
  return { apiVersion, kind: 'GpuPool', metadata: { name }, spec: { isolate, acceleratorClasses } } as KubeObject;
}

/** A cluster with the policies of the chart in force, two pools, the namespaces, and people. */
export interface PolicedCluster {
  readonly cluster: TestCluster;
  /** A client for somebody. */
  readonly as: (actor: Actor) => TestClient;
}

/** @param values of the chart, over its own */
export function withPolicies(values: Readonly<Record<string, unknown>> = {}): PolicedCluster {
  const cluster = withCluster({ crds: true });
  const clients = new Map<string, TestClient>();
  const as = (actor: Actor): TestClient => {
    const key = JSON.stringify(actor);
    let client = clients.get(key);
    if (client === undefined) clients.set(key, (client = clientOf(cluster.kubeconfig, actor)));
    return client;
  };

  before(
    async () => {
      const { client } = cluster;
      const namespace = (name: string, labels = {}) =>
        client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
      await namespace(release.namespace);
      for (const object of await renderChart(['serviceaccount.yaml', 'rbac', 'admission'], values))
        await client.apply(object);
      for (const pool of pools) await client.create(pool);
      await namespace(lab, { 'moa.dev/institution': 'kaist' });
      await namespace(elsewhere);
      await untilInForce(client);
    },
    { timeout: 60_000 },
  );
  after(() => Promise.all([...clients.values()].map(({ transport }) => transport.close())));
  return { cluster, as };
}

/** The API server takes policies up one by one, some moments after they are stored. */
async function untilInForce(client: TestClient): Promise<void> {
  const gpuPod = podManifest({ name: 'probe', namespace: lab, gpus: 1, schedulerName: 'default-scheduler' });
  const refused: readonly KubeObject[] = [
    podManifest({ name: 'probe', namespace: lab, gpus: 1, schedulerName: 'other' }),
    podManifest({ name: 'probe', namespace: lab, nodeName: 'node' }),
    podManifest({ name: 'probe', namespace: lab, gpus: 1, resourceName: 'furiosa.ai/rngd', schedulerName: 'other' }),
  ];
  await eventually(
    async () => {
      const { spec } = await client.create<KubeObject & { spec: { schedulerName: string } }>(gpuPod, { dryRun: true });
      assert.equal(spec.schedulerName, 'moa-scheduler');
      for (const manifest of refused) await assert.rejects(client.create(manifest, { dryRun: true }), ApiError);
    },
    { timeoutMs: 30_000 },
  );
}
