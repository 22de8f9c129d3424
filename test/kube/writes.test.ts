import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import {
  applyObject,
  applyStatus,
  bindPod,
  EventRecorder,
  patchPodCondition,
  setCondition,
  systemClock,
  type Condition,
  type EventObservation,
} from '../../src/kube/index.ts';
import { eventually, podManifest, withCluster, type KubeObject, type Pod } from '../support/index.ts';

interface EventObject extends KubeObject {
  readonly eventTime: string;
  readonly note: string;
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
}

describe('what the API server makes of our writes', { concurrency: true }, () => {
  const cluster = withCluster({ kwok: false, controllerManager: false });

  async function createPod(name: string): Promise<{ pod: Pod; namespace: string; uid: string }> {
    const namespace = await cluster.namespace();
    const pod = await cluster.client.create<Pod>(podManifest({ name, namespace }));
    return { pod, namespace, uid: pod.metadata.uid! };
  }

  test('a binding puts the pod on the node, and a second one is a conflict', async () => {
    const { pod, namespace, uid } = await createPod('bound');
    const { transport } = cluster.client;
    await bindPod(transport, { namespace, name: 'bound', uid, nodeName: 'node-1' });
    assert.equal((await cluster.client.get<Pod>(pod)).spec.nodeName, 'node-1');
    const again = bindPod(transport, { namespace, name: 'bound', uid, nodeName: 'node-1' });
    await assert.rejects(again, { status: 409, code: 'Conflict', retryable: false });
  });

  test('a binding of another pod of the same name is a conflict', async () => {
    const { pod, namespace } = await createPod('reborn');
    const uid = '00000000-0000-4000-8000-000000000000';
    const binding = bindPod(cluster.client.transport, { namespace, name: 'reborn', uid, nodeName: 'node-1' });
    await assert.rejects(binding, { status: 409, code: 'Conflict' });
    assert.equal((await cluster.client.get<Pod>(pod)).spec.nodeName, undefined);
  });

  test('a binding of a pod that is gone is not found', async () => {
    const { pod, namespace, uid } = await createPod('gone');
    await cluster.client.delete(pod, { gracePeriodSeconds: 0 });
    const binding = bindPod(cluster.client.transport, { namespace, name: 'gone', uid, nodeName: 'node-1' });
    await assert.rejects(binding, { status: 404, code: 'NotFound' });
  });

  test('a binding of a pod that is being deleted is a conflict', async () => {
    const namespace = await cluster.namespace();
    const { metadata, ...rest } = podManifest({ name: 'going', namespace });
    const held = { ...rest, metadata: { ...metadata, finalizers: ['example.test/hold'] } };
    const pod = await cluster.client.create(held);
    await cluster.client.delete(pod);
    const uid = pod.metadata.uid!;
    const binding = bindPod(cluster.client.transport, { namespace, name: 'going', uid, nodeName: 'node-1' });
    await assert.rejects(binding, { status: 409, code: 'Conflict' });
  });

  test('a condition is set beside the others of the pod, and set again in its place', async () => {
    const { pod, namespace, uid } = await createPod('waiting');
    const target = { namespace, name: 'waiting', uid };
    const { transport } = cluster.client;
    await patchPodCondition(transport, { ...target, condition: { type: 'example.test/Other', status: 'True' } });
    const unschedulable = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable' } as const;
    await patchPodCondition(transport, { ...target, condition: { ...unschedulable, message: '8 short' } });
    await patchPodCondition(transport, { ...target, condition: { ...unschedulable, message: '7 short' } });
    const { status } = await cluster.client.get<Pod>(pod);
    const conditions = status.conditions?.map(({ type, status, message }) => [type, status, message]);
    assert.deepEqual(conditions?.sort(), [
      ['PodScheduled', 'False', '7 short'],
      ['example.test/Other', 'True', undefined],
    ]);
    assert.equal(status.phase, 'Pending');
  });

  test('a condition for another pod of the same name is a conflict', async () => {
    const { namespace } = await createPod('other');
    const uid = '00000000-0000-4000-8000-000000000000';
    const condition = { type: 'PodScheduled', status: 'False' } as const;
    const patch = patchPodCondition(cluster.client.transport, { namespace, name: 'other', uid, condition });
    await assert.rejects(patch, { status: 409, code: 'Conflict' });
  });

  test('apply creates, owns its fields, removes what it leaves out and leaves alone what is not its own', async () => {
    const namespace = await cluster.namespace();
    const path = `/api/v1/namespaces/${namespace}/configmaps/c`;
    const apply = (fieldManager: string, data: object) =>
      applyObject<{ data: object }>(cluster.client.transport, {
        path,
        fieldManager,
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data },
      });
    await apply('one', { mine: '1', gone: '1' });
    await apply('two', { other: '2' });
    assert.deepEqual((await apply('one', { mine: '3' })).data, { mine: '3', other: '2' });
  });

  test('apply takes fields over, unless told not to', async () => {
    const namespace = await cluster.namespace();
    const request = (fieldManager: string, value: string, force?: boolean) => ({
      path: `/api/v1/namespaces/${namespace}/configmaps/c`,
      fieldManager,
      ...(force === undefined ? {} : { force }),
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { value } },
    });
    const { transport } = cluster.client;
    await applyObject(transport, request('one', '1'));
    await assert.rejects(applyObject(transport, request('two', '2', false)), { status: 409, code: 'Conflict' });
    const { data } = await applyObject<{ data: object }>(transport, request('two', '2'));
    assert.deepEqual(data, { value: '2' });
  });

  test('apply with a version or uid that is no longer so is a conflict', async () => {
    const namespace = await cluster.namespace();
    const path = `/api/v1/namespaces/${namespace}/configmaps/c`;
    const apply = (metadata: object, value: string) =>
      applyObject<KubeObject>(cluster.client.transport, {
        path,
        fieldManager: 'one',
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', ...metadata }, data: { value } },
      });
    const { metadata } = await apply({}, '1');
    await apply({ resourceVersion: metadata.resourceVersion }, '2');
    await assert.rejects(apply({ resourceVersion: metadata.resourceVersion }, '3'), { code: 'Conflict' });
    await assert.rejects(apply({ uid: '00000000-0000-4000-8000-000000000000' }, '3'), { code: 'Conflict' });
  });

  test('applied conditions keep what others set, and their times hold to the second', async () => {
    const crd = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'things.example.test' },
      spec: thingSpec,
    };
    await cluster.client.apply(crd);
    const path = '/apis/example.test/v1/things/t';
    const thing = { apiVersion: 'example.test/v1', kind: 'Thing', metadata: { name: 't' } };
    const { transport } = cluster.client;
    await eventually(() => applyObject(transport, { path, fieldManager: 'user', body: { ...thing, spec: {} } }));
    const applyConditions = (fieldManager: string, conditions: readonly Condition[]) =>
      applyStatus<{ status: { conditions: Condition[] } }>(transport, {
        path,
        fieldManager,
        body: { ...thing, status: { conditions } },
      });
    const nowIso = new Date().toISOString();
    const next = { type: 'Ready', status: 'True', reason: 'Fine', message: '', observedGeneration: 1 } as const;
    const ready = setCondition([], next, nowIso);
    await applyConditions('one', ready);
    await applyConditions('two', setCondition([], { ...next, type: 'Other' }, nowIso));
    const { status } = await applyConditions('one', ready);
    assert.deepEqual(status.conditions.map(({ type }) => type).sort(), ['Other', 'Ready']);
    // What comes back can be compared with what was sent: nothing of it was rounded or dropped.
    const back = status.conditions.filter(({ type }) => type === 'Ready');
    assert.deepEqual(back, ready);
    assert.equal(setCondition(back, next, nowIso), back);
  });

  test('events are accepted, and counted in their series', async () => {
    const { namespace, uid } = await createPod('p');
    const controller = new AbortController();
    const observations: EventObservation[] = [];
    const recorder = new EventRecorder({
      transport: cluster.client.transport,
      // A clock that makes half a minute of counting pass within half a second.
      clock: {
        ...systemClock(),
        monotonic: () => systemClock().monotonic() * 60,
        sleep: (ms, signal) => systemClock().sleep(ms / 60, signal),
      },
      random: () => 0,
      reportingController: 'moa.dev/controller',
      reportingInstance: 'moa-0',
      observe: (observation) => observations.push(observation),
    });
    const finished = recorder.run(controller.signal);
    const regarding = { apiVersion: 'v1', kind: 'Pod', namespace, name: 'p', uid };
    const event = { regarding, type: 'Warning', reason: 'NoCapacity', action: 'Scheduling', note: '8 short' } as const;
    recorder.record(event);
    await eventually(() => assert.deepEqual(observations, [{ type: 'created' }]));
    recorder.record(event);
    recorder.record(event);
    await eventually(() => assert.deepEqual(observations.at(-1), { type: 'counted' }));
    recorder.record({
      ...event,
      regarding: { apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'node' },
      note: 'x'.repeat(2000),
    });
    await eventually(() => assert.equal(observations.length, 3));
    controller.abort(new Error('test is over'));
    await finished;
    assert.deepEqual(
      observations.map(({ type }) => type),
      ['created', 'counted', 'created'],
    );
    const [counted] = await cluster.client.list<EventObject>(
      { apiVersion: 'events.k8s.io/v1', kind: 'Event' },
      { namespace },
    );
    assert.equal(counted?.series?.count, 3);
    assert.match(counted.eventTime, /\.\d{6}Z$/);
    const ofNodes = await cluster.client.list<EventObject>(
      { apiVersion: 'events.k8s.io/v1', kind: 'Event' },
      { namespace: 'default' },
    );
    assert.equal(ofNodes[0]?.note.length, 1024);
  });
});

const thingSpec = {
  group: 'example.test',
  scope: 'Cluster',
  names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
  versions: [
    {
      name: 'v1',
      served: true,
      storage: true,
      subresources: { status: {} },
      schema: {
        openAPIV3Schema: {
          type: 'object',
          properties: {
            spec: { type: 'object' },
            status: {
              type: 'object',
              properties: {
                conditions: {
                  type: 'array',
                  'x-kubernetes-list-type': 'map',
                  'x-kubernetes-list-map-keys': ['type'],
                  items: {
                    type: 'object',
                    required: ['type'],
                    properties: {
                      type: { type: 'string' },
                      status: { type: 'string' },
                      reason: { type: 'string' },
                      message: { type: 'string' },
                      lastTransitionTime: { type: 'string', format: 'date-time' },
                      observedGeneration: { type: 'integer', format: 'int64' },
                    },
                  },
                },
              },
            },
          },
        },
      },
    },
  ],
};
