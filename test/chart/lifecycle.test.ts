import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';

import { resources } from '../../src/api/v1alpha1/index.ts';
import { applyCrds } from '../../tools/cluster/index.ts';
import { release } from '../support/chart.ts';
import { eventually, withCluster, type KubeObject, type Pod } from '../support/index.ts';
import { chart, HelmError, withHelm, type Values } from './helm.ts';
import { samples } from './samples.ts';

const { name, namespace } = release;
const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace } };
const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: `${name}-ledger`, namespace } };
const budget = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name, namespace } };
const crds = Object.values(resources).map(({ plural }) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.moa.dev` },
}));
const pool = samples.find(({ kind }) => kind === 'GpuPool')!;

/** Simulated pods take all the time that they have to end. */
const quick = { terminationGracePeriodSeconds: 1 };
const postgresql = { ...quick, ledger: { engine: 'PostgreSQL', postgresql: { existingSecret: 'moa-ledger' } } };

interface Deployment extends KubeObject {
  readonly spec: { readonly replicas: number; readonly strategy: { readonly type: string } };
  readonly status: { readonly readyReplicas?: number };
}

describe('a release', () => {
  const cluster = withCluster({ nodes: 3, kubeScheduler: true });
  const helm = withHelm(() => cluster.kubeconfig);

  const deploy = (verb: 'install' | 'upgrade', values: Values, ...flags: readonly string[]) =>
    helm.run(
      ...[verb, name, chart, '--namespace', namespace, '--values', helm.file(values)],
      ...['--wait', '--timeout', '90s', ...flags],
    );
  const uninstall = () => helm.run('uninstall', name, '--namespace', namespace, '--wait', '--timeout', '90s');
  const uidOf = async (ref: Parameters<typeof cluster.client.find>[0]) =>
    (await cluster.client.find(ref))?.metadata.uid;
  const operators = async () => {
    const pods = await cluster.client.list<Pod>(
      { apiVersion: 'v1', kind: 'Pod' },
      { namespace, labelSelector: 'app.kubernetes.io/name=moa' },
    );
    return pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  };
  const readyNodes = async () => (await operators()).filter(isReady).map(({ spec }) => spec.nodeName);

  before(async () => {
    const { client } = cluster;
    // The API server refuses every pod here that is not restricted.
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } });
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'moa-ledger', namespace } };
    await client.create({ ...secret, stringData: { url: 'postgres://moa@db.example.org/moa' } } as KubeObject);
    const volume = { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'books' } };
    const spec = { capacity: { storage: '20Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/books' } };
    await client.create({ ...volume, spec } as KubeObject);
  });

  it('is installed with nothing set: one operator, its ledger on a volume, and the resources can be used', async () => {
    const said = await deploy('install', quick);
    assert.match(said, /kubectl apply -f config\/samples\/1-pool\.yaml/);
    assert.match(said, /one writer, so one operator runs/);
    assert.doesNotMatch(said, /does not serve/);
    const { spec, status } = await cluster.client.get<Deployment>(deployment);
    assert.deepEqual([spec.replicas, status.readyReplicas, spec.strategy.type], [1, 1, 'Recreate']);
    const bound = await cluster.client.get<KubeObject & { status: { phase: string } }>(claim);
    assert.equal(bound.status.phase, 'Bound');
    for (const sample of samples) await cluster.client.create(sample);
  });

  it('is upgraded to PostgreSQL: two operators on two nodes, the CRDs brought up to date, nothing lost', async () => {
    const [definition] = crds;
    await cluster.client.patch(definition!, { spec: { names: { shortNames: [] } } });
    const before = { pool: await uidOf(pool), claim: await uidOf(claim) };
    await deploy('upgrade', postgresql);
    const { spec } = await cluster.client.get<Deployment>(deployment);
    assert.deepEqual([spec.replicas, spec.strategy.type], [2, 'RollingUpdate']);
    assert.equal(new Set(await readyNodes()).size, 2);
    await eventually(async () => {
      const { status } = await cluster.client.get<KubeObject & { status: { disruptionsAllowed: number } }>(budget);
      assert.equal(status.disruptionsAllowed, 1);
    });
    const after = await cluster.client.get<KubeObject & { spec: { names: { shortNames: string[] } } }>(definition!);
    assert.deepEqual(after.spec.names.shortNames, ['gp']);
    assert.deepEqual({ pool: await uidOf(pool), claim: await uidOf(claim) }, before);
  });

  it('is upgraded with two operators ready all the time', async () => {
    let fewest = Infinity;
    const life = { upgrading: true };
    const watching = (async () => {
      while (life.upgrading) fewest = Math.min(fewest, (await readyNodes()).length);
    })();
    const old = (await operators()).map(({ metadata }) => metadata.name);
    await deploy('upgrade', { ...postgresql, image: { tag: '0.1.1' } }).finally(() => (life.upgrading = false));
    await watching;
    assert.equal(fewest, 2);
    await eventually(async () => {
      const names = (await operators()).map(({ metadata }) => metadata.name);
      assert.equal(names.length, 2);
      assert.ok(names.every((pod) => !old.includes(pod)));
    });
  });

  it('is rolled back to the embedded ledger, on the claim that it had', async () => {
    const before = await uidOf(claim);
    await helm.run('rollback', name, '1', '--namespace', namespace, '--wait', '--timeout', '90s');
    const { spec } = await cluster.client.get<Deployment>(deployment);
    assert.deepEqual([spec.replicas, spec.strategy.type], [1, 'Recreate']);
    await eventually(async () => assert.equal((await operators()).filter(isReady).length, 1));
    assert.equal(await uidOf(budget), undefined);
    assert.equal(await uidOf(claim), before);
  });

  it('leaves policy and books behind when it is uninstalled, and nothing else', async () => {
    const kept = [pool, claim, ...crds];
    const before = await Promise.all(kept.map(uidOf));
    await uninstall();
    assert.deepEqual(await Promise.all(kept.map(uidOf)), before);
    const left = await leftovers();
    assert.deepEqual(
      left.toSorted(),
      [...crds, claim].map(({ kind, metadata }) => `${kind} ${metadata.name}`).toSorted(),
    );
  });

  it('takes over what an earlier release of its name left behind', async () => {
    const before = await Promise.all([pool, claim, ...crds].map(uidOf));
    await deploy('install', quick);
    assert.deepEqual(await Promise.all([pool, claim, ...crds].map(uidOf)), before);
  });

  it('takes everything with it when it was told to keep nothing', async () => {
    const flags = ['--reset-then-reuse-values', '--set', 'crds.keep=false', '--set', 'ledger.sqlite.keep=false'];
    await helm.run('upgrade', name, chart, '--namespace', namespace, ...flags, '--wait', '--timeout', '90s');
    await uninstall();
    await eventually(async () => assert.deepEqual(await leftovers(), []));
  });

  it('takes over CRDs that were applied by hand, when told to', async () => {
    await applyCrds(cluster.client.transport);
    await assert.rejects(deploy('install', postgresql), (error) => {
      return error instanceof HelmError && /gpupools\.moa\.dev.*invalid ownership metadata/s.test(error.message);
    });
    await deploy('install', postgresql, '--take-ownership');
    await uninstall();
  });

  /** What exists with the label of the chart, as `Kind name`, in all kinds that it makes. */
  async function leftovers(): Promise<string[]> {
    const kinds = new Map(
      (await helm.render(postgresql)).concat(await helm.render({})).map((made) => [made.kind, made]),
    );
    const lists = [...kinds.values()].map((kind) =>
      cluster.client.list(kind, { labelSelector: 'app.kubernetes.io/part-of=moa' }),
    );
    return (await Promise.all(lists)).flat().map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  }
});

function isReady({ status }: Pod): boolean {
  return status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true;
}
