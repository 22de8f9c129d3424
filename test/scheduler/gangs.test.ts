import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  eventually,
  jobManifest,
  uniqueName,
  withCluster,
  withOperator,
  type KubeObject,
  type Pod,
} from '../support/index.ts';
import { Estate, type PodOptions, type Tenant } from './estate.ts';

/** The least that the API server must be told to serve PodGroups. */
const podGroupCrd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: 'podgroups.scheduling.x-k8s.io',
    annotations: { 'api-approved.kubernetes.io': 'https://example.test/minimal' },
  },
  spec: {
    group: 'scheduling.x-k8s.io',
    scope: 'Namespaced',
    names: { kind: 'PodGroup', plural: 'podgroups', singular: 'podgroup' },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { minMember: { type: 'integer', format: 'int32' } } },
            },
          },
        },
      },
    ],
  },
} as KubeObject;

const labelled = (gang: string, size: number): PodOptions => ({
  labels: { 'moa.dev/gang': gang },
  annotations: { 'moa.dev/gang-size': String(size) },
});

describe('gangs on a real API server', { concurrency: true }, () => {
  const cluster = withCluster({ crds: true });
  // PodGroup is not installed when the operator starts.
  withOperator(cluster);

  const podGroup = ({ namespace }: Tenant, name: string, minMember: number) =>
    ({
      apiVersion: 'scheduling.x-k8s.io/v1alpha1',
      kind: 'PodGroup',
      metadata: { name, namespace },
      spec: { minMember },
    }) as KubeObject;

  const job = async (tenant: Tenant, parallelism: number, options: PodOptions): Promise<string[]> => {
    const name = uniqueName('job');
    const annotations = { 'moa.dev/gang': 'true' };
    await cluster.client.create(
      jobManifest({ ...options, name, namespace: tenant.namespace, parallelism, annotations }),
    );
    return eventually(async () => {
      const members = (await tenant.all()).filter(({ metadata }) => metadata.labels?.['job-name'] === name);
      assert.equal(members.length, parallelism);
      return members.map(({ metadata }) => metadata.name);
    });
  };

  /** Each form makes a gang, and returns the names of its pods. */
  const forms: Record<string, (tenant: Tenant, size: number, options: PodOptions) => Promise<string[]>> = {
    'by label and annotation': (tenant, size, options) =>
      tenant.pods(size, { ...options, ...labelled(uniqueName('gang'), size) }),
    'of a Job': job,
  };

  /** One node is half taken: two pods of four GPUs each find room for one, until it is free. */
  async function allOrNone(make: (tenant: Tenant, size: number, options: PodOptions) => Promise<string[]>) {
    const estate = await Estate.create(cluster, [{}]);
    const tenant = await estate.tenant({ guaranteed: 8 });
    const [blocking] = await tenant.running(1, { gpus: 2 });
    const gang = await make(tenant, 2, { gpus: 4 });
    await tenant.waiting(gang, 'WaitingForQuota');
    // A single pod that came later is not held back, as it will have ended when the gang's turn comes.
    const [late] = await tenant.running(1, { gpus: 4, annotations: { 'moa.dev/walltime': '1h' } });
    await tenant.remove(late!);
    await tenant.waiting(gang, 'WaitingForQuota');
    await tenant.remove(blocking!);
    const nodes = await tenant.bound(gang);
    assert.deepEqual(new Set(nodes), new Set((await estate.nodes()).map(({ metadata }) => metadata.name)));
    await eventually(async () => {
      const { status } = await tenant.status();
      assert.partialDeepStrictEqual(status, { capacity: { used: '8' }, workloads: { pending: 0, running: 1 } });
    });
  }

  for (const [form, make] of Object.entries(forms)) {
    it(`a gang ${form} is placed whole or not at all`, () => allOrNone(make));
  }

  it('a gang of a PodGroup is placed whole or not at all, and waits for a PodGroup that does not exist', async () => {
    const estate = await Estate.create(cluster, [{}]);
    const tenant = await estate.tenant({ guaranteed: 8 });
    const group = uniqueName('group');
    const members = await tenant.pods(2, { labels: { 'scheduling.x-k8s.io/pod-group': group } });
    assert.match(
      await tenant.waiting(members, 'GangIncomplete'),
      new RegExp(`PodGroup ${group} of the gang does not exist`),
    );
    await cluster.client.create(podGroupCrd);
    await eventually(() => cluster.client.create(podGroup(tenant, group, 2)));
    // The operator looks for the resource every half minute.
    await tenant.bound(members, 45_000);

    const incomplete = uniqueName('group');
    await cluster.client.create(podGroup(tenant, incomplete, 2));
    const options = { labels: { 'scheduling.x-k8s.io/pod-group': incomplete } };
    const [first] = await tenant.pods(1, options);
    assert.match(await tenant.waiting([first!], 'GangIncomplete'), /1 of 2 pods/);
    await tenant.bound([first!, ...(await tenant.pods(1, options))]);

    await allOrNone(async (other, size, pod) => {
      const name = uniqueName('group');
      await cluster.client.create(podGroup(other, name, size));
      return other.pods(size, { ...pod, labels: { 'scheduling.x-k8s.io/pod-group': name } });
    });
  });

  it('a gang waits until all of its pods exist, and says so once: on its first pod', async () => {
    const estate = await Estate.create(cluster, [{}]);
    const tenant = await estate.tenant({ guaranteed: 8 });
    const name = uniqueName('gang');
    const members = await tenant.pods(2, labelled(name, 3));
    assert.match(await tenant.waiting(members, 'GangIncomplete'), new RegExp(`2 of 3 pods of gang ${name} exist`));
    await eventually(async () => assert.deepEqual(await tenant.warnings(), [`${members[0]!} GangIncomplete`]));
    await tenant.bound([...members, ...(await tenant.pods(1, labelled(name, 3)))]);
    assert.deepEqual(await tenant.warnings(), [`${members[0]!} GangIncomplete`]);
  });

  it('a gang over several nodes is placed whole or not at all, though the devices would be enough', async () => {
    const estate = await Estate.create(cluster, [{}, {}]);
    const tenant = await estate.tenant({ guaranteed: 16 });
    const nodes = (await estate.nodes()).map(({ metadata }) => metadata.name);
    // Three GPUs of each node are taken: ten are free, but no node holds two pods of three.
    for (const nodeName of nodes) await tenant.pod({ gpus: 3, schedulerName: 'other', nodeName });
    await eventually(async () => {
      assert.partialDeepStrictEqual((await tenant.status()).status, { capacity: { used: '6' } });
    });
    const gang = await tenant.pods(3, { gpus: 3, ...labelled(uniqueName('gang'), 3) });
    assert.match(await tenant.waiting(gang, 'Fragmented'), /10 h200 are free/);
    const fitting = await tenant.pods(2, { gpus: 3, ...labelled(uniqueName('gang'), 2) });
    assert.deepEqual(new Set(await tenant.bound(fitting)), new Set(nodes));
  });

  it('a gang that was cut short is completed, whatever its quota holds by now', async () => {
    const estate = await Estate.create(cluster, [{}]);
    const tenant = await estate.tenant({ guaranteed: 4, borrowingLimit: 0 });
    await estate.tenant({ guaranteed: 4 });
    const [node] = await estate.nodes();
    const name = uniqueName('gang');
    // Half of it is bound already, as a crash between two bindings leaves it.
    const half = await tenant.pods(2, { ...labelled(name, 4), nodeName: node!.metadata.name });
    await tenant.running(2);
    const rest = await tenant.pods(2, labelled(name, 4));
    await tenant.bound([...half, ...rest]);
  });

  it('a Job that needs several rounds runs them one gang after the other, to its end', async () => {
    const estate = await Estate.create(cluster, [{}]);
    const tenant = await estate.tenant({ guaranteed: 8 });
    const name = uniqueName('rounds');
    const manifest = jobManifest({
      name,
      namespace: tenant.namespace,
      parallelism: 2,
      completions: 4,
      gpus: 4,
      duration: '1s',
      annotations: { 'moa.dev/gang': 'true' },
    });
    await cluster.client.create(manifest);
    await eventually(
      async () => {
        const { status } = await cluster.client.get<Pod>(manifest);
        assert.partialDeepStrictEqual(status, { succeeded: 4 });
      },
      { timeoutMs: 30_000 },
    );
  });
});
