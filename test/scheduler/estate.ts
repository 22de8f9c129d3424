import assert from 'node:assert/strict';

import { apiVersion, type Kind } from '../../src/api/v1alpha1/index.ts';
import type { SimulatedNode } from '../../tools/cluster/index.ts';
import {
  eventually,
  nodeManifest,
  podManifest,
  uniqueName,
  type KubeObject,
  type Node,
  type Pod,
  type TestCluster,
} from '../support/index.ts';

/** What a node of an estate may differ in. Default: eight H200. */
export type NodeOptions = Omit<SimulatedNode, 'name'> & { readonly b200?: boolean };

/** What a pod may differ in. */
export type PodOptions = Partial<Parameters<typeof podManifest>[0]>;

/** A resource of Moa as tests look at it. */
export interface Resource extends KubeObject {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
    readonly [field: string]: unknown;
  };
}

/** The product label of a node, apart from the estate that it belongs to. */
export const productLabel = 'nvidia.com/gpu.product';
const estateLabel = 'estate';

/**
 * A pool of its own for one test: no other test's nodes, quotas or pods count in it, so that tests run side by side on
 * one control plane. Its classes are `h200`, weight 1, and `b200`, weight 2.
 */
export class Estate {
  readonly name = uniqueName('estate');
  readonly #cluster: TestCluster;

  constructor(cluster: TestCluster) {
    this.#cluster = cluster;
  }

  /** Creates the pool and waits until its nodes can be used. */
  static async create(cluster: TestCluster, nodes: readonly NodeOptions[], spec: object = {}): Promise<Estate> {
    const estate = new Estate(cluster);
    const acceleratorClass = (name: string, weight: number) => ({
      name,
      nodeSelector: { matchLabels: { [estateLabel]: estate.name, [productLabel]: name } },
      weight,
    });
    await cluster.client.create(
      resource('GpuPool', estate.name, {
        acceleratorClasses: [acceleratorClass('h200', 1), acceleratorClass('b200', 2)],
        ...spec,
      }),
    );
    await estate.addNodes(nodes);
    return estate;
  }

  /** @returns the nodes' names */
  async addNodes(nodes: readonly NodeOptions[]): Promise<string[]> {
    const { client } = this.#cluster;
    const manifests = nodes.map(({ b200 = false, labels, ...options }) => ({
      ...options,
      name: uniqueName('node'),
      labels: { [estateLabel]: this.name, [productLabel]: b200 ? 'b200' : 'h200', ...labels },
    }));
    await Promise.all(manifests.map((node) => client.create(nodeManifest(node))));
    const names = manifests.map(({ name }) => name);
    await eventually(
      async () => {
        const usable = new Set((await this.nodes()).filter(isUsable).map(({ metadata }) => metadata.name));
        assert.deepEqual(
          names.filter((name) => !usable.has(name)),
          [],
        );
      },
      { timeoutMs: 30_000 },
    );
    return names;
  }

  /** The pool itself. */
  get pool(): KubeObject {
    return resource('GpuPool', this.name, {});
  }

  /** A manifest of a resource of this pool. */
  resource(kind: Exclude<Kind, 'GpuPool'>, name: string, spec: object): KubeObject {
    return resource(kind, name, { poolName: this.name, ...spec });
  }

  nodes(): Promise<Node[]> {
    const labelSelector = `${estateLabel}=${this.name}`;
    return this.#cluster.client.list<Node>({ apiVersion: 'v1', kind: 'Node' }, { labelSelector });
  }

  /** A quota of this pool, and a namespace that it pays for. */
  async tenant(capacity: object = {}, spec: object = {}): Promise<Tenant> {
    const name = uniqueName('quota');
    const selected = { institution: name };
    await this.#cluster.client.create(
      this.resource('ResearchQuota', name, {
        namespaceSelector: { matchLabels: selected },
        capacity,
        ...spec,
      }),
    );
    return new Tenant(this.#cluster, name, await this.#cluster.namespace(selected));
  }
}

/** A namespace and the quota that pays for it. */
export class Tenant {
  readonly quota: string;
  readonly namespace: string;
  readonly #cluster: TestCluster;

  constructor(cluster: TestCluster, quota: string, namespace: string) {
    this.#cluster = cluster;
    this.quota = quota;
    this.namespace = namespace;
  }

  /** Creates a pod of one GPU, unless the options say otherwise. @returns its name */
  async pod(options: PodOptions = {}): Promise<string> {
    const name = options.name ?? uniqueName('pod');
    await this.#cluster.client.create(podManifest({ gpus: 1, ...options, name, namespace: this.namespace }));
    return name;
  }

  /** Creates pods. Their age is told in whole seconds: which of them starts first is open. @returns their names */
  async pods(count: number, options: PodOptions = {}): Promise<string[]> {
    const names: string[] = [];
    for (let i = 0; i < count; i++) names.push(await this.pod(options));
    return names;
  }

  /** Creates pods and waits until they are bound. @returns their names */
  async running(count: number, options: PodOptions = {}): Promise<string[]> {
    const names = await this.pods(count, options);
    await this.bound(names);
    return names;
  }

  async remove(pod: string): Promise<void> {
    const ref = { apiVersion: 'v1', kind: 'Pod', metadata: { name: pod, namespace: this.namespace } };
    await this.#cluster.client.delete(ref, { gracePeriodSeconds: 0 });
  }

  get(name: string): Promise<Pod> {
    return this.#cluster.client.get<Pod>({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: this.namespace },
    });
  }

  all(): Promise<Pod[]> {
    return this.#cluster.client.list<Pod>({ apiVersion: 'v1', kind: 'Pod' }, { namespace: this.namespace });
  }

  /** Changes the quota's spec. */
  async edit(spec: object): Promise<void> {
    const ref = { apiVersion, kind: 'ResearchQuota', metadata: { name: this.quota } };
    await this.#cluster.client.patch(ref, { spec });
  }

  status(): Promise<Resource> {
    return this.#cluster.client.get<Resource>({
      apiVersion,
      kind: 'ResearchQuota',
      metadata: { name: this.quota },
    });
  }

  /** Waits until the pods are bound. @returns the node of each, in the same order */
  async bound(names: readonly string[], timeoutMs = 15_000): Promise<string[]> {
    return eventually(
      async () => {
        const pods = new Map((await this.all()).map((pod) => [pod.metadata.name, pod]));
        return names.map((name) => {
          const pod = pods.get(name);
          assert.ok(pod?.spec.nodeName, `${name} waits: ${messageOf(pod)}`);
          return pod.spec.nodeName;
        });
      },
      { timeoutMs },
    );
  }

  /**
   * Waits until exactly these pods of the namespace are without a node, and each says why: the reason token, then the
   * sentence. @returns the sentence of the first
   */
  async waiting(names: readonly string[], reason: string): Promise<string> {
    return eventually(async () => {
      const pending = (await this.all()).filter(({ spec }) => spec.nodeName === undefined);
      assert.deepEqual(pending.map(({ metadata }) => metadata.name).sort(), [...names].sort());
      for (const pod of pending) {
        const scheduled = pod.status.conditions?.find(({ type }) => type === 'PodScheduled');
        assert.deepEqual([scheduled?.status, scheduled?.reason], ['False', 'Unschedulable'], pod.metadata.name);
        assert.ok(scheduled?.message?.startsWith(`${reason}: `), `${pod.metadata.name}: ${scheduled?.message ?? ''}`);
      }
      return messageOf(pending.find(({ metadata }) => metadata.name === names[0]));
    });
  }

  /** Warnings about pods of the namespace, as `pod reason`. */
  async warnings(): Promise<string[]> {
    const events = await this.#cluster.client.list<
      KubeObject & { readonly type: string; readonly reason: string; readonly regarding: { readonly name: string } }
    >({ apiVersion: 'events.k8s.io/v1', kind: 'Event' }, { namespace: this.namespace });
    return events
      .filter(({ type }) => type === 'Warning')
      .map(({ regarding, reason }) => `${regarding.name} ${reason}`)
      .sort();
  }
}

function resource(kind: Kind, name: string, spec: object): KubeObject {
  return { apiVersion, kind, metadata: { name }, spec } as KubeObject;
}

function isUsable({ spec, status }: Node): boolean {
  const ready = status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
  return ready && spec.taints?.some(({ key }) => key === 'node.kubernetes.io/not-ready') !== true;
}

function messageOf(pod: Pod | undefined): string {
  return pod?.status.conditions?.find(({ type }) => type === 'PodScheduled')?.message ?? 'nothing is said';
}
