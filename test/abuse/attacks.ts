import { setTimeout as sleep } from 'node:timers/promises';

import { isApiError } from '../../src/kube/index.ts';
import { podManifest, uniqueName, type KubeObject, type TestClient } from '../support/index.ts';

/** What one institution may do to a cluster that it shares with others. */
export interface Attack {
  readonly name: string;
  /** One line: what is done. */
  readonly what: string;
  /** Does it, or keeps doing it until the signal aborts; `ready` is called when it is in full swing. */
  run(on: Victim, ready: () => void): Promise<void>;
}

/** Where an attack takes place. */
export interface Victim {
  readonly client: TestClient;
  /** A namespace of a quota that is guaranteed a node and may borrow nothing. */
  readonly namespace: string;
  /** How many objects: pods that wait, gangs, running pods. */
  readonly size: number;
  readonly signal: AbortSignal;
}

const writers = 16;

type Spec = Omit<Parameters<typeof podManifest>[0], 'name' | 'namespace'>;

/** Pods that can never run, each in a way of its own and nothing like the next. */
function neverRuns(i: number): Spec {
  const term = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { [`group-${i}`]: 'x' } } };
  const annotations = { 'moa.dev/walltime': `${i + 60}s` };
  switch (i % 6) {
    case 0:
      return { gpus: 8, annotations, spec: { nodeSelector: { [`made-up-${i}`]: 'x' } } };
    case 1:
      return { gpus: 9 + i, annotations };
    case 2:
      return {
        gpus: 1,
        spec: { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } },
      };
    case 3:
      return { gpus: 1, resourceName: `made.up/device-${i}` };
    case 4:
      return { gpus: 1, labels: { 'moa.dev/gang': `gang-${i}` }, annotations: { 'moa.dev/gang-size': '2' } };
    default:
      return { gpus: 1, annotations: { ...annotations, 'moa.dev/topology': `level-${i}` } };
  }
}

export const attacks: readonly Attack[] = [
  {
    name: 'never',
    what: 'pods that can never run, each in a way of its own',
    run: async (on, ready) => {
      await standing(on, neverRuns);
      ready();
    },
  },
  {
    name: 'gangs',
    what: 'gangs of which one pod is always missing',
    run: async (on, ready) => {
      const gangOf = (i: number): string => `gang-${Math.floor(i / 3)}`;
      const annotations = { 'moa.dev/gang-size': '4' };
      await standing(on, (i) => ({ gpus: 1, labels: { 'moa.dev/gang': gangOf(i) }, annotations }));
      ready();
    },
  },
  {
    name: 'churn',
    what: 'creates pods that could run and deletes them at once, as fast as the API server lets it',
    run: async ({ client, namespace, signal }, ready) => {
      ready();
      await asFastAsItCan(signal, async (i) => {
        const name = uniqueName('churn');
        await client.create(
          podManifest({ name, namespace, gpus: 1, annotations: { 'moa.dev/walltime': `${i + 60}s` } }),
        );
        await client.delete(podRef(namespace, name), { gracePeriodSeconds: 0 });
      });
    },
  },
  {
    name: 'relabel',
    what: 'changes labels and annotations of pods that run, as fast as the API server lets it',
    run: async ({ client, namespace, signal }, ready) => {
      const names = Array.from({ length: 8 }, () => uniqueName('relabelled'));
      for (const name of names) await client.create(podManifest({ name, namespace, gpus: 1 }));
      ready();
      await asFastAsItCan(signal, async (i) => {
        const changed = { 'moa.dev/user': `user-${i}`, 'moa.dev/gang': `gang-${i}`, [`label-${i % 100}`]: `v${i}` };
        const metadata = { labels: changed, annotations: { note: `${i}`.repeat(500) } };
        await client.patch(podRef(namespace, names[i % names.length] ?? ''), { metadata });
      });
    },
  },
];

/** Removes every pod of a namespace at once, and waits until they are gone. */
export async function clear(client: TestClient, namespace: string): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  for (;;) {
    await client.transport.request({
      method: 'DELETE',
      path,
      body: { gracePeriodSeconds: 0 },
      query: { limit: '500' },
    });
    const query = { limit: '1' };
    const { items } = await client.transport.request<{ items: readonly unknown[] }>({ method: 'GET', path, query });
    if (items.length === 0) return;
  }
}

async function standing({ client, namespace, size, signal }: Victim, specOf: (i: number) => Spec): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < size && !signal.aborted) {
      const i = next++;
      await client.create(podManifest({ ...specOf(i), name: uniqueName('standing'), namespace }));
    }
  };
  await Promise.all(Array.from({ length: writers }, worker));
}

/** Repeats until the signal aborts; what the API server refuses or no longer has is no reason to stop. */
async function asFastAsItCan(signal: AbortSignal, act: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        await act(next++);
      } catch (error) {
        if (!isApiError(error)) throw error;
        await sleep(10);
      }
    }
  };
  await Promise.all(Array.from({ length: writers }, worker));
}

function podRef(namespace: string, name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace } };
}
