import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { eventually, uniqueName, withCluster, withOperator, type KubeObject, type Pod } from '../../support/index.ts';
import { Estate, type Tenant } from '../estate.ts';

interface Claim extends KubeObject {
  readonly spec: { readonly volumeName?: string };
  readonly status?: { readonly phase?: string };
}

const hostname = 'kubernetes.io/hostname';
const selectedNode = 'volume.kubernetes.io/selected-node';

describe('constraints on other pods and on volumes, live', { concurrency: true }, () => {
  const cluster = withCluster({ crds: true });
  withOperator(cluster);

  const antiAffinity = (app: string) => ({
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey: hostname, labelSelector: { matchLabels: { app } } },
        ],
      },
    },
  });

  it('pods of a Deployment that keep apart go to a node each, and the one too many says what it waits for', async () => {
    const estate = await Estate.create(cluster, [{}, {}, {}]);
    const tenant = await estate.tenant({ guaranteed: 24 });
    const labels = { app: 'web' };
    await cluster.client.create({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: tenant.namespace },
      spec: {
        replicas: 4,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            schedulerName: 'moa-scheduler',
            containers: [
              { name: 'main', image: 'example.test/main', resources: { limits: { 'nvidia.com/gpu': '1' } } },
            ],
            ...antiAffinity('web'),
          },
        },
      },
    } as KubeObject);
    const waiting = await eventually(async () => {
      const pods = await tenant.all();
      const nodes = pods.flatMap(({ spec }) => spec.nodeName ?? []);
      assert.deepEqual([pods.length, nodes.length, new Set(nodes).size], [4, 3, 3]);
      return pods.filter(({ spec }) => spec.nodeName === undefined).map(({ metadata }) => metadata.name);
    });
    const sentence = await tenant.waiting(waiting, 'NoCapacity');
    assert.match(sentence, /required anti-affinity to pods app=web by kubernetes.io\/hostname leaves no node/);
  });

  it('a gang that keeps apart starts whole, on as many nodes as it has pods, or not at all', async () => {
    const estate = await Estate.create(cluster, [{}, {}, {}]);
    const tenant = await estate.tenant({ guaranteed: 24 });
    const gang = (name: string, size: number) => ({
      labels: { 'moa.dev/gang': name, app: name },
      annotations: { 'moa.dev/gang-size': String(size) },
      spec: antiAffinity(name),
    });
    const tooMany = await tenant.pods(4, gang('four', 4));
    const three = await tenant.pods(3, gang('three', 3));
    assert.equal(new Set(await tenant.bound(three)).size, 3);
    assert.match(await tenant.waiting(tooMany, 'NoCapacity'), /cannot all be placed at once.*app=four/);
  });

  it('a pod of another scheduler that keeps ours away is respected', async () => {
    const estate = await Estate.create(cluster, [{}, {}]);
    const tenant = await estate.tenant({ guaranteed: 16 });
    const [first, second] = await estate.nodes();
    await tenant.pod({ gpus: 0, schedulerName: 'other', nodeName: first!.metadata.name, spec: antiAffinity('noisy') });
    const noisy = await tenant.pods(3, { labels: { app: 'noisy' } });
    assert.deepEqual(new Set(await tenant.bound(noisy)), new Set([second!.metadata.name]));
    await tenant.running(1, { gpus: 8, labels: { app: 'quiet' } });
  });

  it('pods that are spread differ by no more than they allow', async () => {
    const zone = (name: string) => ({ labels: { hall: name } });
    const estate = await Estate.create(cluster, [zone('a'), zone('a'), zone('b')]);
    const tenant = await estate.tenant({ guaranteed: 24 });
    const labels = { app: 'spread' };
    const constraint = { topologyKey: 'hall', maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' };
    const topologySpreadConstraints = [{ ...constraint, labelSelector: { matchLabels: labels } }];
    const spec = { topologySpreadConstraints, nodeSelector: { estate: estate.name } };
    const nodes = new Map((await estate.nodes()).map(({ metadata }) => [metadata.name, metadata.labels?.['hall']]));
    const halls = (await tenant.bound(await tenant.pods(6, { labels, spec }))).map((node) => nodes.get(node));
    assert.deepEqual(halls.sort(), ['a', 'a', 'a', 'b', 'b', 'b']);
  });

  it('a port of the host is given to one pod of a node, and free again when that pod is gone', async () => {
    const estate = await Estate.create(cluster, [{}, {}]);
    const tenant = await estate.tenant({ guaranteed: 16 });
    const resources = { limits: { 'nvidia.com/gpu': '1' } };
    const ports = [{ containerPort: 80, hostPort: 8080 }];
    const spec = { containers: [{ name: 'main', image: 'example.test/main', resources, ports }] };
    const two = await tenant.running(2, { spec });
    assert.equal(new Set(await tenant.bound(two)).size, 2);
    const third = await tenant.pods(1, { spec });
    assert.match(await tenant.waiting(third, 'NoCapacity'), /host port 8080\/TCP in use by other pods leaves no node/);
    await tenant.remove(two[0]!);
    await tenant.bound(third);
  });

  const storageClass = async (provisioner: string, volumeBindingMode = 'WaitForFirstConsumer') => {
    const name = uniqueName('class');
    const metadata = { name };
    const whole = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata, provisioner, volumeBindingMode };
    await cluster.client.create(whole);
    return name;
  };
  const claimManifest = (tenant: Tenant, storageClassName: string): KubeObject => {
    const metadata = { name: uniqueName('claim'), namespace: tenant.namespace };
    const spec = { storageClassName, accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
    return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec } as KubeObject;
  };
  const volumeManifest = (storageClassName: string, node: string, claim?: KubeObject): KubeObject => {
    const values = [node];
    const nodeSelectorTerms = [{ matchExpressions: [{ key: hostname, operator: 'In', values }] }];
    const spec = {
      storageClassName,
      capacity: { storage: '2Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      local: { path: '/mnt/data' },
      nodeAffinity: { required: { nodeSelectorTerms } },
      ...(claim === undefined ? {} : { claimRef: referenceTo(claim) }),
    };
    return { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: uniqueName('volume') }, spec } as KubeObject;
  };
  const using = (claim: KubeObject) => ({
    spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: claim.metadata.name } }] },
  });

  it('a claim that waits for its first consumer is bound to a free volume, and the pod goes to its node', async () => {
    const estate = await Estate.create(cluster, [{}, {}, {}]);
    const tenant = await estate.tenant({ guaranteed: 24 });
    const className = await storageClass('kubernetes.io/no-provisioner');
    const claims = [claimManifest(tenant, className), claimManifest(tenant, className)];
    const [, second, third] = await estate.nodes();
    const pods: string[] = [];
    for (const claim of claims) {
      await cluster.client.create(claim);
      pods.push(await tenant.pod(using(claim)));
    }
    const sentence = await tenant.waiting(pods, 'NoCapacity');
    assert.match(sentence, /the lack of a free volume that fits a claim of the pod leaves no node/);
    for (const node of [second!, third!]) await cluster.client.create(volumeManifest(className, node.metadata.name));
    const nodes = await tenant.bound(pods, 30_000);
    assert.deepEqual(new Set(nodes), new Set([second!.metadata.name, third!.metadata.name]));
    for (const claim of claims) assert.equal((await cluster.client.get<Claim>(claim)).status?.phase, 'Bound');
  });

  it('a volume is made for the node of the pod; where that fails, it is tried again', async () => {
    const estate = await Estate.create(cluster, [{}]);
    const tenant = await estate.tenant({ guaranteed: 8 });
    const className = await storageClass('example.test/made');
    const claim = await cluster.client.create<Claim>(claimManifest(tenant, className));
    const pod = await tenant.pod(using(claim));
    const asked = () =>
      eventually(async () => {
        const node = (await cluster.client.get(claim)).metadata.annotations?.[selectedNode];
        assert.ok(node);
        return node;
      });
    const node = await asked();
    // What a provisioner does that cannot make the volume, and then one that can.
    await cluster.client.patch(claim, { metadata: { annotations: { [selectedNode]: null } } });
    assert.equal(await asked(), node);
    assert.equal((await tenant.get(pod)).spec.nodeName, undefined);
    await cluster.client.create(volumeManifest(className, node, claim));
    assert.deepEqual(await tenant.bound([pod], 30_000), [node]);
  });

  it('a pod whose claim is missing says so, and goes once it is there and bound', async () => {
    const estate = await Estate.create(cluster, [{}]);
    const tenant = await estate.tenant({ guaranteed: 8 });
    const className = await storageClass('example.test/made', 'Immediate');
    const claim = claimManifest(tenant, className);
    const pods = await tenant.pods(1, using(claim));
    assert.match(await tenant.waiting(pods, 'NoCapacity'), /PersistentVolumeClaim .* does not exist/);
    const created = await cluster.client.create(claim);
    const [node] = await estate.nodes();
    await cluster.client.create(volumeManifest(className, node!.metadata.name, created));
    await tenant.bound(pods, 30_000);
  });

  it('a pod that is deleted while its volume is made takes back what it asked for', async () => {
    const estate = await Estate.create(cluster, [{}]);
    const tenant = await estate.tenant({ guaranteed: 8 });
    const claim = await cluster.client.create<Claim>(claimManifest(tenant, await storageClass('example.test/made')));
    const pod = await tenant.pod(using(claim));
    const annotation = async () => (await cluster.client.get<Pod>(claim)).metadata.annotations?.[selectedNode];
    await eventually(async () => assert.ok(await annotation()));
    await tenant.remove(pod);
    await eventually(async () => assert.equal(await annotation(), undefined));
  });
});

function referenceTo({ apiVersion, kind, metadata: { name, namespace, uid } }: KubeObject): object {
  return { apiVersion, kind, name, namespace, uid };
}
