import { labels } from '../../src/api/v1alpha1/constants/index.ts';
import type { Transport } from '../../src/kube/index.ts';
import { gpusPerNode } from './load.ts';

/** The part of a pod that this benchmark looks at. */
export interface PodView {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly nodeName?: string };
}

interface PodList {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly PodView[];
}

/** All pods, by pages, and a version of the store from which a watch misses nothing. */
export async function listPods(transport: Transport): Promise<{ pods: PodView[]; resourceVersion: string }> {
  const pods: PodView[] = [];
  let next: string | undefined;
  for (;;) {
    const query: Record<string, string> = { limit: '1000', ...(next === undefined ? {} : { continue: next }) };
    const { metadata, items } = await transport.request<PodList>({ method: 'GET', path: '/api/v1/pods', query });
    pods.push(...items);
    next = metadata.continue;
    if (next === undefined || next === '') return { pods, resourceVersion: metadata.resourceVersion };
  }
}

/** When binds were seen, in milliseconds of `performance.now()`. */
export interface BindTimes {
  readonly first: number;
  readonly last: number;
}

/**
 * Watches until `count` pods are on nodes. The watch shows only pods that have one, so that other changes of pods cost
 * the measurement nothing. A busy API server drops a watch that it can't serve in time; it goes on where it stopped.
 *
 * @throws Error when no pod is bound for `patienceMs`
 */
export async function watchBinds(
  transport: Transport,
  options: { resourceVersion: string; count: number; patienceMs: number; signal: AbortSignal },
): Promise<BindTimes> {
  const { count, patienceMs, signal } = options;
  let { resourceVersion } = options;
  const seen = new Set<string>();
  let first = 0;
  try {
    for (;;) {
      const query = { watch: 'true', resourceVersion, fieldSelector: 'spec.nodeName!=', timeoutSeconds: '7200' };
      const path = '/api/v1/pods';
      for await (const line of transport.stream({ method: 'GET', path, query, inactivityMs: patienceMs, signal })) {
        const { type, object } = JSON.parse(line) as { type: string; object: PodView };
        if (type === 'ERROR') throw new Error(`the watch of pods broke: ${line.slice(0, 200)}`);
        resourceVersion = object.metadata.resourceVersion;
        seen.add(object.metadata.uid);
        const now = performance.now();
        if (seen.size === 1) first = now;
        if (seen.size === count) return { first, last: now };
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`${seen.size} of ${count} pods were bound`, { cause: error });
  }
}

/** What is wrong with how the pods stand: waiting pods, nodes with too many, gangs that are partly bound. */
export function findFaults(pods: readonly PodView[], gangSize: number): string[] {
  const onNode = new Map<string, number>();
  const ofGang = new Map<string, number>();
  let waiting = 0;
  for (const { metadata, spec } of pods) {
    if (spec.nodeName === undefined) {
      waiting += 1;
      continue;
    }
    onNode.set(spec.nodeName, (onNode.get(spec.nodeName) ?? 0) + 1);
    const gang = metadata.labels?.[labels.gang.key];
    if (gang !== undefined) ofGang.set(gang, (ofGang.get(gang) ?? 0) + 1);
  }
  const full = [...onNode].filter(([, bound]) => bound > gpusPerNode);
  const partly = [...ofGang].filter(([, bound]) => bound !== gangSize);
  return [
    ...(waiting === 0 ? [] : [`${waiting} pods are not bound`]),
    ...full.map(([node, bound]) => `${node} holds ${bound} one-GPU pods and has ${gpusPerNode} GPUs`),
    ...partly.map(([gang, bound]) => `${bound} of ${gangSize} pods of ${gang} are bound`),
  ];
}
