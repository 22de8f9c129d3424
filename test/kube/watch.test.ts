import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import {
  createTransport,
  isApiError,
  keyOf,
  loadKubeConfig,
  runReflector,
  Store,
  systemClock,
  type RawObject,
  type ReflectorObservation,
  type Stored,
  type Transport,
} from '../../src/kube/index.ts';
import { eventually, withCluster, type TestCluster } from '../support/index.ts';

interface WatchEvent {
  readonly type: string;
  readonly object: {
    readonly code?: number;
    readonly reason?: string;
    readonly metadata: {
      readonly name?: string;
      readonly resourceVersion: string;
      readonly annotations?: Readonly<Record<string, string>>;
    };
  };
}

interface List {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly { readonly metadata: { readonly name: string } }[];
}

interface Labelled extends Stored {
  readonly colour: string;
}

function project(raw: RawObject): Labelled {
  const metadata = raw['metadata'] as Stored & { labels?: Record<string, string> };
  const { uid, namespace, name, resourceVersion, labels } = metadata;
  return { uid, namespace, name, resourceVersion, colour: labels?.['colour'] ?? '' };
}

function configMap(namespace: string, name: string, colour: string) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name, labels: { colour } } };
}

/** The events of a watch of namespace `namespace`'s ConfigMaps, until the server ends it. */
async function watchOf(transport: Transport, namespace: string, query: Record<string, string>): Promise<WatchEvent[]> {
  const events: WatchEvent[] = [];
  const lines = transport.stream({
    method: 'GET',
    path: `/api/v1/namespaces/${namespace}/configmaps`,
    query: { watch: 'true', timeoutSeconds: '5', ...query },
  });
  for await (const line of lines) events.push(JSON.parse(line) as WatchEvent);
  return events;
}

/** A reflector of one namespace's ConfigMaps through a transport of its own. */
function reflect(cluster: TestCluster, namespace: string) {
  const transport = createTransport({ kubeConfig: loadKubeConfig(cluster.kubeconfig), userAgent: 'moa-test' });
  const store = new Store<Labelled>();
  const observations: ReflectorObservation[] = [];
  const controller = new AbortController();
  const finished = runReflector({
    transport,
    path: '/api/v1/configmaps',
    query: { fieldSelector: `metadata.namespace=${namespace}` },
    project,
    store,
    clock: systemClock(),
    random: () => 0,
    signal: controller.signal,
    observe: (observation) => observations.push(observation),
  });
  return {
    store,
    observations,
    stop: async () => {
      controller.abort(new Error('test is over'));
      await finished;
      await transport.close();
    },
  };
}

describe('lists and watches of the API server', { concurrency: true }, () => {
  const cluster = withCluster({ kwok: false, controllerManager: false });

  test('a watch that lists ends its list with the annotated bookmark, and its last bookmark comes before its end', async () => {
    const namespace = await cluster.namespace();
    for (const name of ['a', 'b']) await cluster.client.create(configMap(namespace, name, 'red'));
    const events = await watchOf(cluster.client.transport, namespace, {
      sendInitialEvents: 'true',
      resourceVersionMatch: 'NotOlderThan',
      allowWatchBookmarks: 'true',
    });
    const summary = events.map(({ type, object: { metadata } }) => {
      return [type, metadata.name, metadata.annotations?.['k8s.io/initial-events-end']];
    });
    assert.deepEqual(summary.slice(0, 3), [
      ['ADDED', 'a', undefined],
      ['ADDED', 'b', undefined],
      ['BOOKMARK', undefined, 'true'],
    ]);
    assert.ok(summary.length > 3 && summary.slice(3).every(([type]) => type === 'BOOKMARK'), String(summary));
  });

  test('a list comes in pages of one version, with a token for the next', async () => {
    const namespace = await cluster.namespace();
    for (const name of ['a', 'b', 'c']) await cluster.client.create(configMap(namespace, name, 'red'));
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const page = (query: Record<string, string>) =>
      cluster.client.transport.request<List>({ method: 'GET', path, query: { limit: '2', ...query } });
    const first = await page({});
    await cluster.client.create(configMap(namespace, 'd', 'red'));
    const second = await page({ continue: first.metadata.continue ?? '' });
    assert.deepEqual(
      [...first.items, ...second.items].map(({ metadata }) => metadata.name),
      ['a', 'b', 'c'],
    );
    assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
    assert.equal(second.metadata.continue, undefined);
  });

  test('a reflector holds what there is and follows what happens', async () => {
    const namespace = await cluster.namespace();
    await cluster.client.create(configMap(namespace, 'old', 'red'));
    const { store, observations, stop } = reflect(cluster, namespace);
    await store.whenSynced(AbortSignal.timeout(10_000));
    assert.deepEqual(
      [...store.values()].map(({ name }) => name),
      ['old'],
    );
    assert.ok(observations.some((one) => one.type === 'listed' && one.by === 'stream'));
    await cluster.client.create(configMap(namespace, 'new', 'red'));
    await cluster.client.apply(configMap(namespace, 'new', 'green'));
    await cluster.client.delete(configMap(namespace, 'old', 'red'));
    await eventually(() => {
      assert.deepEqual(
        [...store.values()].map(({ name, colour }) => [name, colour]),
        [['new', 'green']],
      );
    });
    assert.equal(store.get(keyOf(namespace, 'new'))?.colour, 'green');
    await stop();
  });
});

describe('an API server that is killed', () => {
  const cluster = withCluster({ kwok: false, controllerManager: false });

  test('is followed by a reflector, which sees after the restart what was changed before its watch came back', async () => {
    const namespace = await cluster.namespace();
    for (const name of ['stays', 'goes', 'turns']) await cluster.client.create(configMap(namespace, name, 'red'));
    const { store, observations, stop } = reflect(cluster, namespace);
    await store.whenSynced(AbortSignal.timeout(10_000));
    await cluster.plane.restart('kube-apiserver');
    await cluster.client.delete(configMap(namespace, 'goes', 'red'));
    await cluster.client.apply(configMap(namespace, 'turns', 'green'));
    await cluster.client.create(configMap(namespace, 'comes', 'blue'));
    await eventually(
      () => {
        const held = [...store.values()].map(({ name, colour }) => `${name} ${colour}`).sort();
        assert.deepEqual(held, ['comes blue', 'stays red', 'turns green']);
      },
      { timeoutMs: 30_000 },
    );
    assert.ok(
      observations.some(({ type }) => type === 'failed'),
      'the watch was broken',
    );
    await stop();
  });

  test('a watch from a version that is forgotten is answered with 410, as a status or within the stream', async () => {
    const namespace = await cluster.namespace();
    // A server remembers versions since its start, at most.
    await cluster.plane.restart('kube-apiserver');
    const watching = watchOf(cluster.client.transport, namespace, { resourceVersion: '1' });
    const answer = await watching.catch((error: unknown) => error);
    if (isApiError(answer)) assert.deepEqual([answer.status, answer.code], [410, 'Expired']);
    else {
      const [event] = answer as WatchEvent[];
      assert.deepEqual([event?.type, event?.object.code, event?.object.reason], ['ERROR', 410, 'Expired']);
    }
  });
});

describe('a reflector and an API server without lists by streaming', () => {
  const flags = ['--feature-gates=WatchList=false'];
  const cluster = withCluster({ kwok: false, controllerManager: false, apiServerFlags: flags });

  test('is refused with 422 and lists page by page', async () => {
    const namespace = await cluster.namespace();
    await cluster.client.create(configMap(namespace, 'old', 'red'));
    const { store, observations, stop } = reflect(cluster, namespace);
    await store.whenSynced(AbortSignal.timeout(10_000));
    await cluster.client.create(configMap(namespace, 'new', 'red'));
    await eventually(() => assert.equal(store.size, 2));
    const failed = observations.flatMap((one) => (one.type === 'failed' ? [one.error] : []));
    assert.deepEqual(
      failed.map((error) => isApiError(error) && error.status),
      [422],
    );
    assert.ok(observations.some((one) => one.type === 'listed' && one.by === 'pages'));
    await stop();
  });
});
