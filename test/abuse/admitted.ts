import fc from 'fast-check';

import { definitions, type Kind } from '../../src/api/v1alpha1/index.ts';
import { isApiError } from '../../src/kube/index.ts';
import { manifests } from '../api/arbitraries.ts';
import { uniqueName, type KubeObject, type TestClient } from '../support/index.ts';
import { sayings, type Hostile } from './hostile.ts';

const { waitingPods, oddNodes } = sayings(false);

/** How many objects were put before the API server, and how many it took. */
export interface Tried {
  readonly offered: number;
  readonly admitted: readonly KubeObject[];
}

/** How often an object that is refused is offered again without what the refusal names. */
const mostOffers = 16;

/**
 * Puts objects before the API server, without strict field validation. From what it refuses the fields that it names are
 * taken out, so that what else is odd about the object is tried; what it refuses to the end is left.
 */
export async function offer(client: TestClient, objects: readonly KubeObject[]): Promise<Tried> {
  const admitted: KubeObject[] = [];
  const queue = objects.values();
  const worker = async (): Promise<void> => {
    for (const object of queue) {
      const path = await client.path(object);
      const collection = path.slice(0, path.lastIndexOf('/'));
      for (let offers = 0, body: KubeObject | undefined = object; offers < mostOffers && body !== undefined; offers++) {
        try {
          await client.transport.request({ method: 'POST', path: collection, body });
          admitted.push(body);
          break;
        } catch (error) {
          if (!isApiError(error)) throw error;
          body = without(body, error);
        }
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return { offered: objects.length, admitted };
}

/** The object without the fields that a refusal names; undefined when it names none that the object has. */
function without(object: KubeObject, refusal: unknown): KubeObject | undefined {
  const { details } = refusal as { readonly details?: { readonly causes?: readonly { readonly field?: string }[] } };
  const copy = structuredClone(object);
  let changed = false;
  for (const { field = '' } of details?.causes ?? []) {
    // The innermost part of the path that exists goes: of `spec.volumes[0].name: Required value` the volume.
    const steps = field.split(/[.[\]]+/).filter((step) => step !== '');
    let holder: object | undefined;
    let last = '';
    let value: unknown = copy;
    for (const step of steps) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) break;
      [holder, last, value] = [value, step, (value as Record<string, unknown>)[step]];
    }
    // Not all of the metadata or the spec.
    if (holder !== undefined && holder !== copy) changed = Reflect.deleteProperty(holder, last) || changed;
  }
  return changed ? compact(copy) : undefined;
}

/** Without the gaps that removed elements leave in lists. */
function compact<T>(value: T): T {
  if (Array.isArray(value)) return value.filter((element) => element !== undefined).map(compact) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, compact(each as unknown)])) as T;
}

/** Resources of Moa: good ones, ones with mistakes, ones at the edge of what the schema takes. */
export function resources(seed: number, count: number): KubeObject[] {
  return (Object.keys(definitions) as Kind[]).flatMap((kind) =>
    fc.sample(manifests(kind), { seed, numRuns: count }).map((manifest) => named(manifest, kind.toLowerCase())),
  );
}

/** Pods of one container at the least, so that most of what is odd about them reaches the scheduler. */
export function pods(seed: number, count: number, namespace: string): KubeObject[] {
  const complete = (raw: Hostile): Hostile => {
    const spec = raw['spec'] as Hostile;
    const containers = Array.isArray(spec['containers']) ? (spec['containers'] as readonly Hostile[]) : [];
    const images = [...containers, {}].map((one, i) => ({
      ...one,
      name: `c${i}`,
      image: 'example.test/main',
      ports: undefined,
    }));
    // The API server works out priority and overhead; what pods ask for themselves is behind a gate.
    const worked = { priority: undefined, overhead: undefined, resources: undefined, nodeName: undefined };
    return { ...spec, containers: images, initContainers: undefined, ...worked };
  };
  return fc
    .sample(waitingPods, { seed, numRuns: count })
    .flat()
    .slice(0, count)
    .map((raw) => {
      const metadata = {
        ...(raw['metadata'] as Hostile),
        namespace,
        uid: undefined,
        creationTimestamp: undefined,
        ownerReferences: undefined,
      };
      return named({ apiVersion: 'v1', kind: 'Pod', ...raw, metadata, spec: complete(raw), status: undefined }, 'fuzz');
    });
}

/** Nodes with odd labels, taints and capacities. Their status is written apart: see {@link offerNodes}. */
export async function offerNodes(client: TestClient, seed: number, count: number): Promise<Tried> {
  const all = fc.sample(oddNodes, { seed, numRuns: count }).flat().slice(0, count);
  const nodes = all.map((raw) => named({ apiVersion: 'v1', kind: 'Node', ...raw }, 'odd'));
  return offer(client, nodes);
}

/** Objects of the size that the API server takes at the most, of each sort that a user can make. */
export function largePods(namespace: string): KubeObject[] {
  const pod = (metadata: object, spec: object): KubeObject =>
    named(
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { namespace, ...metadata },
        spec: {
          schedulerName: 'moa-scheduler',
          containers: [{ name: 'c', image: 'x', resources: { limits: { 'nvidia.com/gpu': '1' } } }],
          ...spec,
        },
      },
      'large',
    );
  const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
  const limits = { 'nvidia.com/gpu': '1' };
  const requirement = { key: 'a', operator: 'In', values: many(20_000, (i) => `value-${i}-${'x'.repeat(30)}`) };
  const required = (nodeSelectorTerms: unknown) => ({
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
  });
  const term = (i: number) => ({ topologyKey: `k${i}`, labelSelector: { matchLabels: { [`l${i}`]: 'x' } } });
  return [
    pod({ annotations: { note: 'x'.repeat(262_000) } }, {}),
    pod({ annotations: { 'moa.dev/walltime': '1h'.repeat(130_000) } }, {}),
    pod({ annotations: { 'moa.dev/class': 'h200,'.repeat(50_000) } }, {}),
    pod({ annotations: { 'moa.dev/topology': 'x'.repeat(260_000) } }, {}),
    pod({ labels: Object.fromEntries(many(10_000, (i) => [`label-${i}`, 'x'.repeat(60)])) }, {}),
    pod({}, { containers: many(800, (i) => ({ name: `c${i}`, image: 'x', resources: { limits } })) }),
    pod(
      {},
      {
        containers: [
          {
            name: 'c',
            image: 'x',
            env: many(1000, (i) => ({ name: `E${i}`, value: 'x'.repeat(900) })),
            resources: { limits },
          },
        ],
      },
    ),
    pod(
      {},
      {
        containers: [
          {
            name: 'c',
            image: 'x',
            resources: { limits: { ...limits, ...Object.fromEntries(many(5000, (i) => [`made.up/r${i}`, '1'])) } },
          },
        ],
      },
    ),
    pod({}, { nodeSelector: Object.fromEntries(many(5000, (i) => [`k${i}`, 'x'])) }),
    pod({}, required([{ matchExpressions: [requirement] }])),
    pod({}, required(many(2000, (i) => ({ matchExpressions: [{ key: `k${i}`, operator: 'Exists' }] })))),
    pod({}, { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: many(3000, term) } } }),
    pod({}, { tolerations: many(5000, (i) => ({ key: `k${i}`, operator: 'Exists' })) }),
  ];
}

/** A namespace with labels of every legal sort, and a Job whose numbers are as large as they can be. */
export function oddments(): KubeObject[] {
  const template = {
    metadata: { annotations: { 'moa.dev/gang': 'true' } },
    spec: { schedulerName: 'moa-scheduler', restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] },
  };
  const labels = { constructor: 'x', toString: '', valueOf: 'constructor' };
  const job = (spec: object) =>
    named(
      {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { namespace: 'default' },
        spec: { suspend: true, template, ...spec },
      },
      'job',
    );
  return [
    named({ apiVersion: 'v1', kind: 'Namespace', metadata: { labels } }, 'constructor'),
    job({ parallelism: 2147483647 }),
    job({ parallelism: 0, completions: 0 }),
    job({ parallelism: 5, completions: 2147483647 }),
  ];
}

function named(object: Hostile | { readonly metadata: object }, prefix: string): KubeObject {
  const metadata = (object as { readonly metadata?: object }).metadata ?? {};
  return { ...object, metadata: { ...metadata, name: uniqueName(prefix) } } as unknown as KubeObject;
}
