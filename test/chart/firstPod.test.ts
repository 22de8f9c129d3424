import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { release } from '../support/chart.ts';
import {
  eventually,
  podManifest,
  startOperator,
  withCluster,
  type KubeObject,
  type Operator,
  type Pod,
} from '../support/index.ts';
import { chart, withHelm } from './helm.ts';
import { samples } from './samples.ts';

const { name, namespace } = release;

/** No kubelet runs images here: the operator of the checkout stands for that of the image. */
describe('a cluster in which the chart is installed', () => {
  const cluster = withCluster({ nodes: 1 });
  const helm = withHelm(() => cluster.kubeconfig);
  let operator: Operator | undefined;

  before(async () => {
    const { client, plane } = cluster;
    await helm.run('install', name, chart, '--namespace', namespace, '--create-namespace');
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace } };
    const { data } = await client.get<KubeObject & { data: Readonly<Record<'moa.yaml', string>> }>(ref);
    const volume = join(plane.dataDir, 'volume');
    mkdirSync(volume);
    const file = join(plane.dataDir, 'moa.yaml');
    writeFileSync(file, data['moa.yaml'].replaceAll('/var/lib/moa', volume));
    operator = await startOperator(plane, ['--config', file, '--leader-elect=true', '--log-format=json']);
  });
  after(() => operator?.stop());

  it('schedules the first pod of the sample university, by the configuration, account and roles of the release', async () => {
    const { client } = cluster;
    for (const sample of samples) await client.create(sample);
    const team = await cluster.namespace({ 'moa.dev/institution': 'kaist' });
    const pod = podManifest({ name: 'first', namespace: team, gpus: 1 });
    await client.create(pod);
    await eventually(async () => assert.equal((await client.get<Pod>(pod)).status.phase, 'Running'));
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'moa-leader', namespace } };
    const { spec } = await client.get<KubeObject & { spec: { holderIdentity?: string } }>(lease);
    assert.notEqual(spec.holderIdentity ?? '', '');
  });
});
