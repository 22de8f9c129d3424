import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import {
  eventually,
  jobManifest,
  podManifest,
  withCluster,
  type KubeObject,
  type Node,
  type Pod,
} from '../support/index.ts';
import { simulation } from '../../tools/cluster/index.ts';

const seconds = (from: string, to: string) => (Date.parse(to) - Date.parse(from)) / 1000;

describe('a simulated pod', { concurrency: true }, () => {
  const cluster = withCluster({ nodes: 2 });
  const nodeName = 'h200-00000';
  const untilPhase = (pod: KubeObject, phase: string) =>
    eventually(async () => {
      const found = await cluster.client.get<Pod>(pod);
      assert.equal(found.status.phase, phase);
      return found;
    });

  test('runs as soon as it is bound', async () => {
    const pod = podManifest({ name: 'prompt' });
    await cluster.client.create(pod);
    const binding = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: pod.metadata,
      target: { kind: 'Node', name: nodeName },
    };
    await cluster.client.transport.request({
      method: 'POST',
      path: await cluster.client.path(pod, 'binding'),
      body: binding,
    });
    const running = await eventually(
      async () => {
        const found = await cluster.client.get<Pod>(pod);
        assert.equal(found.status.phase, 'Running');
        return found;
      },
      { timeoutMs: 5000, everyMs: 20 },
    );
    assert.ok(running.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'));
  });

  test('succeeds after the duration that its annotation gives, and records it', async () => {
    const pod = podManifest({ name: 'timed', nodeName, duration: '2s' });
    await cluster.client.create(pod);
    const ended = await untilPhase(pod, 'Succeeded');
    const state = ended.status.containerStatuses?.[0]?.state.terminated;
    assert.equal(state?.exitCode, 0);
    assert.equal(state.startedAt, ended.status.startTime);
    const ran = seconds(state.startedAt, state.finishedAt);
    assert.ok(ran >= 2 && ran <= 5, `ran for ${ran} s`);
  });

  test('does not start over when its labels change while it runs', async () => {
    const pod = podManifest({ name: 'relabelled', nodeName, duration: '2s' });
    await cluster.client.create(pod);
    await untilPhase(pod, 'Running');
    const deadline = Date.now() + 8000;
    for (let round = 0; (await cluster.client.get<Pod>(pod)).status.phase === 'Running'; round += 1) {
      assert.ok(Date.now() < deadline, 'a pod that runs for 2 s is still running after 8 s');
      await cluster.client.patch(pod, { metadata: { labels: { round: String(round) } } });
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
    assert.equal((await cluster.client.get<Pod>(pod)).status.phase, 'Succeeded');
  });

  test('fails with exit code 1 when its annotation says so', async () => {
    const pod = podManifest({ name: 'failing', nodeName, duration: '1s', outcome: 'Failed' });
    await cluster.client.create(pod);
    const ended = await untilPhase(pod, 'Failed');
    assert.equal(ended.status.containerStatuses?.[0]?.state.terminated?.exitCode, 1);
  });

  test('fails at once and says why when its duration is not one', async () => {
    const pod = podManifest({ name: 'misspelt', nodeName, duration: '2 minutes' });
    await cluster.client.create(pod);
    const { status } = await untilPhase(pod, 'Failed');
    assert.match(status.message ?? '', /kwok\.moa\.dev\/duration: "2 minutes" is not a Go duration/);
  });

  test('keeps running through its grace period when deleted, then goes', async () => {
    const pod = podManifest({ name: 'graceful', nodeName, spec: { terminationGracePeriodSeconds: 3 } });
    await cluster.client.create(pod);
    await untilPhase(pod, 'Running');
    const deleted = Date.now();
    await cluster.client.delete(pod);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const dying = await cluster.client.get<Pod>(pod);
    assert.equal(dying.status.phase, 'Running');
    assert.notEqual(dying.metadata.deletionTimestamp, undefined);
    await eventually(async () => assert.equal(await cluster.client.find(pod), undefined));
    const took = (Date.now() - deleted) / 1000;
    assert.ok(took >= 3 && took < 10, `gone after ${took} s`);
  });

  test('ends its sidecars with its containers and keeps what its init containers left', async () => {
    const initContainers = [
      { name: 'prepare', image: 'example.test/prepare' },
      { name: 'sidecar', image: 'example.test/sidecar', restartPolicy: 'Always' },
    ];
    const pod = podManifest({ name: 'accompanied', nodeName, duration: '1s', spec: { initContainers } });
    await cluster.client.create(pod);
    const running = await untilPhase(pod, 'Running');
    const before = running.status.initContainerStatuses ?? [];
    assert.ok(before[0]?.state.terminated !== undefined && before[1]?.state.running !== undefined);
    const after = (await untilPhase(pod, 'Succeeded')).status.initContainerStatuses ?? [];
    assert.deepEqual(after[0]?.state, before[0].state);
    assert.equal(after[1]?.state.terminated?.startedAt, before[1].state.running.startedAt);
  });

  test('goes early when its work is done within the grace period', async () => {
    const pod = podManifest({
      name: 'finishing',
      nodeName,
      duration: '2s',
      spec: { terminationGracePeriodSeconds: 60 },
    });
    await cluster.client.create(pod);
    await untilPhase(pod, 'Running');
    await cluster.client.delete(pod);
    await eventually(async () => assert.equal(await cluster.client.find(pod), undefined), { timeoutMs: 6000 });
  });

  test('completes the Job that made it', async () => {
    const job = jobManifest({ name: 'three', parallelism: 3, duration: '1s', nodeName });
    await cluster.client.create(job);
    await eventually(async () => {
      const { status } = await cluster.client.get<KubeObject & { status: { succeeded?: number } }>(job);
      assert.equal(status.succeeded, 3);
    });
  });

  test('goes with the namespace that is deleted', async () => {
    const namespace = await cluster.namespace();
    const pod = podManifest({ name: 'leaving', namespace, nodeName, spec: { terminationGracePeriodSeconds: 1 } });
    await cluster.client.create(pod);
    const ref = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
    await cluster.client.delete(ref);
    await eventually(async () => assert.equal(await cluster.client.find(ref), undefined));
  });
});

describe('a simulated node', () => {
  const cluster = withCluster({ nodes: 1 });
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'h200-00000' } };
  const annotate = (value: string | null) =>
    cluster.client.patch(node, { metadata: { annotations: { [simulation.notReady]: value } } });
  const untilReady = (want: string, taints: readonly string[]) =>
    eventually(async () => {
      const { spec, status } = await cluster.client.get<Node>(node);
      assert.equal(status.conditions?.find(({ type }) => type === 'Ready')?.status, want);
      assert.deepEqual([...new Set(spec.taints?.map(({ key }) => key))], taints);
    });

  test('has a lease that its simulated kubelet holds', async () => {
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'h200-00000', namespace: 'kube-node-lease' },
    };
    await eventually(async () => {
      const { spec } = await cluster.client.get<KubeObject & { spec: { holderIdentity?: string } }>(lease);
      assert.ok(spec.holderIdentity);
    });
  });

  test('turns NotReady by annotation, is tainted for it, and comes back', async () => {
    await untilReady('True', []);
    await annotate('true');
    await untilReady('False', ['node.kubernetes.io/not-ready']);
    await annotate(null);
    await untilReady('True', []);
  });

  test('is managed again after its simulated kubelet was killed', async () => {
    await cluster.plane.restart('kwok');
    const pod = podManifest({ name: 'after-restart', nodeName: 'h200-00000' });
    await cluster.client.create(pod);
    await eventually(async () => assert.equal((await cluster.client.get<Pod>(pod)).status.phase, 'Running'));
  });
});
