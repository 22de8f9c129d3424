import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { startControlPlane } from '../../tools/cluster/index.ts';
import { eventually, podManifest, withCluster, type Pod } from '../support/index.ts';

describe('the control plane', () => {
  test('that cannot start says which component failed and shows the end of its log', async () => {
    const dataDir = join(mkdtempSync(join(tmpdir(), 'moa-plane-')), 'data');
    try {
      await assert.rejects(
        startControlPlane({ dataDir, apiServerFlags: ['--no-such-flag'] }),
        /^Error: kube-apiserver ended with code 1\. Its log, .*kube-apiserver\.log, ends with:[^]*unknown flag: --no-such-flag/,
      );
      assert.ok(existsSync(join(dataDir, 'logs', 'kube-apiserver.log')), 'the log is not there to be read');
    } finally {
      rmSync(join(dataDir, '..'), { recursive: true });
    }
  });

  test('whose start is called off ends with the reason', async () => {
    const stop = new AbortController();
    const starting = startControlPlane({ signal: stop.signal });
    setTimeout(() => stop.abort(new Error('called off')), 700);
    await assert.rejects(starting, /called off/);
  });
});

describe('the control plane with kube-scheduler', () => {
  const cluster = withCluster({ nodes: 1, kubeScheduler: true });

  test('runs pods of the default scheduler and leaves those of others alone', async () => {
    const mine = podManifest({ name: 'mine', schedulerName: 'default-scheduler', gpus: 8 });
    const other = podManifest({ name: 'other' });
    await Promise.all([cluster.client.create(mine), cluster.client.create(other)]);
    await eventually(async () => assert.equal((await cluster.client.get<Pod>(mine)).status.phase, 'Running'));
    assert.equal((await cluster.client.get<Pod>(other)).spec.nodeName, undefined);
  });

  test('still runs pods after etcd and the API server were killed', async () => {
    await cluster.plane.kill('kube-apiserver');
    await cluster.plane.kill('etcd');
    await cluster.plane.start('etcd');
    await cluster.plane.start('kube-apiserver');
    await cluster.client.delete(podManifest({ name: 'mine' }), { gracePeriodSeconds: 0 });
    const pod = podManifest({ name: 'later', schedulerName: 'default-scheduler', gpus: 8, duration: '1s' });
    await cluster.client.create(pod);
    await eventually(async () => assert.equal((await cluster.client.get<Pod>(pod)).status.phase, 'Succeeded'), {
      timeoutMs: 30_000,
    });
  });
});
