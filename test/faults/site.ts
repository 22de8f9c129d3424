import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { createTransport, isApiError, loadKubeConfig, type Transport } from '../../src/kube/index.ts';
import { createNodes, type ControlPlane, type SimulatedNode } from '../../tools/cluster/index.ts';
import { podNames, podOf, podOutcome, type Arrival } from './arrivals.ts';
import { Auditor } from './auditor.ts';
import { launchOperator, untilReady, type LaunchedOperator, type OperatorProcess } from './operatorProcess.ts';
import type { Outcome } from './outcomes.ts';
import type { Rules } from './proxy.ts';

/** An object as its manifest. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** Collection of the resources of Moa. */
export const moa = '/apis/moa.dev/v1alpha1';
let sites = 0;

/**
 * A pool of its own on a control plane, with operators behind proxies and an auditor beside them. What happens on it is
 * up to the scene; whatever was set up through it, `close` takes away.
 */
export class Site {
  readonly plane: ControlPlane;
  /** Of the pool, and the value of the label `stage` on all nodes and pods. */
  readonly name: string;
  /** Past every proxy. */
  readonly transport: Transport;
  readonly auditor: Auditor;
  /** Begun so far, the ended ones included. */
  readonly operators: LaunchedOperator[] = [];
  readonly #namespaces: string[] = [];
  /** What goes on beside the scene, until it is over. */
  readonly #beside: Promise<void>[] = [];
  #isOver = false;
  /** Paths of what `close` removes, in the order in which it was made. */
  readonly #made: string[] = [];

  /** @param gpusOf how many GPUs a node has */
  constructor(plane: ControlPlane, gpusOf: (node: string) => number) {
    sites += 1;
    this.plane = plane;
    this.name = `stage-${sites}`;
    this.transport = createTransport({ kubeConfig: loadKubeConfig(plane.kubeconfig), userAgent: 'moa-faults' });
    this.auditor = new Auditor(this.transport, { labelSelector: `stage=${this.name}`, gpusOf });
  }

  /** Name of a tenant's quota and namespace. */
  of(tenant: string): string {
    return `${this.name}-${tenant}`;
  }

  /** Whether it is being taken away: what goes on beside the scene ends then. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Has something go on beside the scene that ends by itself once {@link isOver}. Its failure is one of the run. */
  beside(work: Promise<void>): void {
    const failed = (error: unknown) => void this.auditor.violations.push(`beside the scene: ${String(error)}`);
    this.#beside.push(work.catch(failed));
  }

  /** Where the operators of this site keep their ledger, kubeconfigs and logs. */
  get folder(): string {
    return join(this.plane.dataDir, 'operators', this.name);
  }

  /**
   * Starts an operator, with the usual leader election unless the flags say otherwise. It may not be ready yet.
   *
   * @param place whose folder and journal it has: another's that has ended, when it takes its place
   */
  async launch(rules: Rules = {}, flags: readonly string[] = [], place?: string): Promise<LaunchedOperator> {
    const launched = await launchOperator({
      kubeconfig: this.plane.kubeconfig,
      folder: this.folder,
      name: place ?? `operator-${this.operators.length + 1}`,
      flags,
      rules,
    });
    this.operators.push(launched);
    return launched;
  }

  /** Starts an operator and waits until it is ready. */
  async operator(rules: Rules = {}, flags: readonly string[] = []): Promise<OperatorProcess> {
    return untilReady(await this.launch(rules, flags));
  }

  /** A pool of all nodes of the site, of which evictions take a second. */
  async makePool(spec: object = {}): Promise<void> {
    await this.make(`${moa}/gpupools`, {
      apiVersion: 'moa.dev/v1alpha1',
      kind: 'GpuPool',
      metadata: { name: this.name },
      spec: {
        acceleratorClasses: [{ name: 'h200', weight: 1, nodeSelector: { matchLabels: { stage: this.name } } }],
        scheduling: { reclaim: { minRuntime: '0s', notice: '1s' } },
        ...spec,
      },
    });
  }

  /** A quota and its namespace. @param spec what else the quota says */
  async makeTenant(tenant: string, spec: object): Promise<void> {
    const name = this.of(tenant);
    const selected = { tenant: name };
    this.#namespaces.push(name);
    await this.make('/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: selected },
    });
    await this.make(`${moa}/researchquotas`, {
      apiVersion: 'moa.dev/v1alpha1',
      kind: 'ResearchQuota',
      metadata: { name },
      spec: { poolName: this.name, namespaceSelector: { matchLabels: selected }, ...spec },
    });
  }

  /** Nodes of this site, once they can be used. */
  async makeNodes(nodes: readonly SimulatedNode[]): Promise<void> {
    await createNodes(
      this.transport,
      nodes.map((node) => ({ ...node, labels: { stage: this.name, ...node.labels } })),
    );
    const names = new Set(nodes.map(({ name }) => name));
    for (;;) {
      const { items } = await this.transport.request<{ items: RawNode[] }>({
        method: 'GET',
        path: '/api/v1/nodes',
        query: { labelSelector: `stage=${this.name}` },
      });
      if (items.filter((node) => names.has(node.metadata.name) && isUsable(node)).length === names.size) return;
      await sleep(50);
    }
  }

  async makePods(arrivals: readonly Arrival[]): Promise<void> {
    const pods = arrivals.flatMap((arrival) => podNames(arrival).map((name) => ({ arrival, name })));
    await Promise.all(pods.map(({ arrival, name }) => this.makePod(arrival, name)));
  }

  async makePod(arrival: Arrival, name: string): Promise<void> {
    const namespace = this.of(arrival.tenant);
    await this.post(`/api/v1/namespaces/${namespace}/pods`, podOf(arrival, name, { namespace, stage: this.name }));
  }

  /** Creates an object that `close` removes. Those in a tenant's namespace go with it. */
  async make(collection: string, manifest: Manifest): Promise<void> {
    this.#made.push(`${collection}/${manifest.metadata.name}`);
    await this.post(collection, manifest);
  }

  /** Creates an object, and outlives an API server that is away. */
  async post(path: string, body: object): Promise<void> {
    for (;;) {
      try {
        await this.transport.request({ method: 'POST', path, body });
        return;
      } catch (error) {
        if (isApiError(error, 'AlreadyExists')) return;
        if (!isApiError(error) || !error.retryable) throw error;
        await sleep(100);
      }
    }
  }

  /** Removes at once what is there. */
  async remove(path: string, query: Readonly<Record<string, string>> = {}): Promise<void> {
    const body = { gracePeriodSeconds: 0, propagationPolicy: 'Background' };
    await this.transport.request({ method: 'DELETE', path, query, body }).catch((error: unknown) => {
      if (!isApiError(error, 'NotFound')) throw error;
    });
  }

  podOutcome(arrivals: readonly Arrival[]): Outcome {
    return podOutcome(this.auditor, arrivals, (tenant) => this.of(tenant));
  }

  /** What the statuses of the pool and of the tenants' quotas say. */
  async statusOutcome(tenants: readonly string[]): Promise<Outcome> {
    const [pool, ...quotas] = await Promise.all([
      this.statusOf(`${moa}/gpupools/${this.name}`),
      ...tenants.map((tenant) => this.statusOf(`${moa}/researchquotas/${this.of(tenant)}`)),
    ]);
    return { pool, ...Object.fromEntries(tenants.map((name, i) => [name, quotas[i]])) };
  }

  /** The status without what differs from run to run. */
  async statusOf(path: string): Promise<unknown> {
    const { status } = await this.transport.request<{ status?: RawStatus }>({ method: 'GET', path });
    if (status === undefined) return undefined;
    const moving = ['conditions', 'fairShare', 'budget', 'reclaim'];
    const figures = Object.fromEntries(Object.entries(status).filter(([name]) => !moving.includes(name)));
    const verdicts = status.conditions?.map(({ type, status, reason }) => `${type} ${status} ${reason}`).toSorted();
    return { ...figures, conditions: verdicts };
  }

  /** Takes everything away. */
  async close(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#beside);
    await Promise.all(this.operators.map((operator) => operator.close()));
    await this.auditor.close();
    for (const namespace of this.#namespaces) await this.remove(`/api/v1/namespaces/${namespace}/pods`);
    await this.remove('/api/v1/nodes', { labelSelector: `stage=${this.name}` });
    for (const path of this.#made.toReversed()) await this.remove(path);
    // Else the next site waits until the lease of an operator that was killed has run out.
    await this.remove('/apis/coordination.k8s.io/v1/namespaces/moa-system/leases/moa-leader');
    await this.transport.close();
  }
}

/** Plays on a site and takes it away. @throws Error with what the auditor saw and the operators logged */
export async function onSite<S extends Site, T>(site: S, play: (site: S) => Promise<T>): Promise<T> {
  try {
    return await play(site);
  } catch (error) {
    const logs = site.operators.map((operator, i) => `Operator ${i + 1} logged last:\n${operator.tail()}`);
    const seen = site.auditor.violations.join('\n');
    throw new Error([error instanceof Error ? error.message : String(error), seen, ...logs].join('\n'), {
      cause: error,
    });
  } finally {
    await site.close();
  }
}

interface RawNode {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly taints?: readonly unknown[] };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** New nodes are tainted until they are ready. */
function isUsable({ spec, status }: RawNode): boolean {
  const isReady = status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
  return spec.taints === undefined && isReady === true;
}

interface RawStatus {
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
  readonly [field: string]: unknown;
}
