import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import { createTransport, isApiError, loadKubeConfig, type Transport } from '../../src/kube/index.ts';
import { createNodes, type ControlPlane } from '../../tools/cluster/index.ts';
import { Auditor } from './auditor.ts';
import { launchOperator, untilReady, type OperatorProcess } from './operatorProcess.ts';
import type { Rules } from './proxy.ts';

/** Who uses the pool of a stage. */
export const tenants = ['home', 'guest', 'lender'] as const;
type Tenant = (typeof tenants)[number];

/** The pool: half of the nodes is where `home` lives, the other half is what `lender` lends to `guest`. */
const nodesOfAHalf = 6;
const gpusPerNode = 8;
const gpusOfAHalf = nodesOfAHalf * gpusPerNode;
const guaranteed: Readonly<Record<Tenant, number>> = { home: gpusOfAHalf, guest: 0, lender: gpusOfAHalf };
const noticeSeconds = 1;
/** Longer than explanations and statuses take. */
const restMs = 3000;

/** One kind of pod that arrives. */
interface Arrival {
  readonly tenant: Tenant;
  readonly name: string;
  readonly pods: number;
  readonly gpus: number;
  readonly gang?: boolean;
}

/** Fills the pool to the last GPU. */
const arriving = [
  { tenant: 'home', name: 'single', pods: 24, gpus: 1 },
  { tenant: 'home', name: 'wide', pods: 16, gpus: 1, gang: true },
  { tenant: 'home', name: 'narrow', pods: 8, gpus: 1, gang: true },
  { tenant: 'guest', name: 'single', pods: 4, gpus: gpusPerNode },
  { tenant: 'guest', name: 'pair', pods: 2, gpus: gpusPerNode, gang: true },
] as const satisfies readonly Arrival[];
/** The lender takes back all that it lent; whoever comes with it has to wait. */
const reclaiming: readonly Arrival[] = [
  { tenant: 'lender', name: 'own', pods: nodesOfAHalf, gpus: gpusPerNode, gang: true },
  { tenant: 'guest', name: 'late', pods: 2, gpus: gpusPerNode },
  { tenant: 'home', name: 'extra', pods: 1, gpus: 1 },
];
const podsOf = (arrivals: readonly Arrival[]) => arrivals.reduce((sum, { pods }) => sum + pods, 0);
/** All that arrive first are bound. */
export const arrivingPods = podsOf(arriving);

/** What a stage has come to: the same for every run of the same acts, whatever happened to it. */
export type Outcome = Readonly<Record<string, unknown>>;

const moa = '/apis/moa.dev/v1alpha1';
let stages = 0;

/**
 * A pool of its own on a control plane, with operators behind proxies and an auditor beside them. Two acts follow each
 * other on it: the pool fills up, then what was lent is taken back. What they come to is given, however they interleave.
 */
export class Stage {
  readonly plane: ControlPlane;
  readonly auditor: Auditor;
  /** Begun so far, the ended ones included. */
  readonly operators: OperatorProcess[] = [];
  readonly #name: string;
  /** Past every proxy. */
  readonly transport: Transport;

  private constructor(plane: ControlPlane, name: string, transport: Transport) {
    this.plane = plane;
    this.#name = name;
    this.transport = transport;
    this.auditor = new Auditor(transport, { labelSelector: `stage=${name}`, gpusPerNode });
  }

  /** Sets the pool up; nobody schedules yet. */
  static async open(plane: ControlPlane): Promise<Stage> {
    stages += 1;
    const transport = createTransport({ kubeConfig: loadKubeConfig(plane.kubeconfig), userAgent: 'moa-faults' });
    const stage = new Stage(plane, `stage-${stages}`, transport);
    await stage.#setUp();
    return stage;
  }

  /** Starts an operator and waits until it is ready. With the usual leader election unless the flags say otherwise. */
  async operator(rules: Rules = {}, flags: readonly string[] = []): Promise<OperatorProcess> {
    const launched = await launchOperator({
      kubeconfig: this.plane.kubeconfig,
      folder: join(this.plane.dataDir, 'operators'),
      name: `${this.#name}-${this.operators.length + 1}`,
      flags,
      rules,
    });
    this.operators.push(launched);
    return untilReady(launched);
  }

  /** The first act: more pods than can be bound in a moment. */
  arrive(): Promise<void> {
    return this.#create(arriving);
  }

  /** Resolves when the first act is over. */
  arrived(timeoutMs = 60_000): Promise<void> {
    const bound = () => this.auditor.pods.filter(({ nodeName }) => nodeName !== undefined).length;
    return this.auditor.until(
      () => bound() === arrivingPods,
      timeoutMs,
      () => `${bound()} of ${arrivingPods} pods are bound`,
    );
  }

  /** The second act: the lender wants its own. */
  reclaim(): Promise<void> {
    return this.#create(reclaiming);
  }

  /** Resolves when the second act is over. */
  reclaimed(timeoutMs = 60_000): Promise<void> {
    const settled = () => {
      const { pods } = this.auditor;
      const own = pods.filter(({ namespace }) => namespace === this.#of('lender'));
      return (
        own.length > 0 && own.every(({ nodeName }) => nodeName !== undefined) && !pods.some(({ ending }) => ending)
      );
    };
    return this.auditor.until(settled, timeoutMs, () => JSON.stringify(this.#podOutcome()));
  }

  /** What it has come to now. Nothing in it depends on names or times. */
  async outcome(): Promise<Outcome> {
    const [pool, ...quotas] = await Promise.all([
      this.#statusOf(`${moa}/gpupools/${this.#name}`),
      ...tenants.map((tenant) => this.#statusOf(`${moa}/researchquotas/${this.#of(tenant)}`)),
    ]);
    return { pods: this.#podOutcome(), pool, ...Object.fromEntries(tenants.map((name, i) => [name, quotas[i]])) };
  }

  /** Waits until it has come to this. @returns what it has come to in time */
  async outcomeBecomes(wanted: Outcome, timeoutMs = 60_000): Promise<Outcome> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const outcome = await this.outcome().catch((error: unknown) => ({ error: String(error) }));
      if (isDeepStrictEqual(outcome, wanted) || performance.now() > deadline) return outcome;
      await sleep(100);
    }
  }

  /** What it has come to once nothing has changed for some seconds. */
  async outcomeAtRest(): Promise<Outcome> {
    for (let outcome = await this.outcome(); ;) {
      await sleep(restMs);
      const now = await this.outcome();
      if (isDeepStrictEqual(now, outcome)) return now;
      outcome = now;
    }
  }

  /** Takes everything away. */
  async close(): Promise<void> {
    await Promise.all(this.operators.map((operator) => operator.close()));
    await this.auditor.close();
    await this.#removeAll();
    await this.transport.close();
  }

  #of(tenant: Tenant): string {
    return `${this.#name}-${tenant}`;
  }

  #podOutcome(): Outcome {
    const { pods, steps } = this.auditor;
    const all = [...arriving, ...reclaiming].map(({ tenant, name }) => {
      const own = pods.filter((pod) => pod.namespace === this.#of(tenant) && pod.name.startsWith(`${name}-`));
      const evicted = steps.filter(
        ({ what, pod }) => what === 'ending' && pod.namespace === this.#of(tenant) && pod.name.startsWith(`${name}-`),
      );
      const waits = own.flatMap(({ nodeName, waitsFor }) => (nodeName === undefined ? [waitsFor ?? 'untold'] : []));
      return [`${tenant} ${name}`, { bound: own.length - waits.length, waits, evicted: evicted.length }] as const;
    });
    return Object.fromEntries(all);
  }

  async #setUp(): Promise<void> {
    const nodes = ['home', 'away'].flatMap((half) =>
      Array.from({ length: nodesOfAHalf }, (_, i) => ({
        name: `${this.#name}-${half}-${i}`,
        labels: { stage: this.#name, half },
        capacity: { 'nvidia.com/gpu': String(gpusPerNode) },
      })),
    );
    await this.#post(`${moa}/gpupools`, {
      apiVersion: 'moa.dev/v1alpha1',
      kind: 'GpuPool',
      metadata: { name: this.#name },
      spec: {
        acceleratorClasses: [{ name: 'h200', weight: 1, nodeSelector: { matchLabels: { stage: this.#name } } }],
        scheduling: { reclaim: { minRuntime: '0s', notice: `${noticeSeconds}s` } },
      },
    });
    await Promise.all(
      tenants.map(async (tenant) => {
        const selected = { tenant: this.#of(tenant) };
        await this.#post('/api/v1/namespaces', {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name: this.#of(tenant), labels: selected },
        });
        await this.#post(`${moa}/researchquotas`, {
          apiVersion: 'moa.dev/v1alpha1',
          kind: 'ResearchQuota',
          metadata: { name: this.#of(tenant) },
          spec: {
            poolName: this.#name,
            namespaceSelector: { matchLabels: selected },
            capacity: { guaranteed: guaranteed[tenant] },
          },
        });
      }),
    );
    await createNodes(this.transport, nodes);
    await this.#untilUsable(nodes.length);
  }

  async #untilUsable(count: number): Promise<void> {
    for (;;) {
      const { items } = await this.transport.request<{ items: RawNode[] }>({
        method: 'GET',
        path: '/api/v1/nodes',
        query: { labelSelector: `stage=${this.#name}` },
      });
      const usable = items.filter(
        ({ spec, status }) =>
          spec.taints === undefined &&
          status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
      );
      if (usable.length === count) return;
      await sleep(50);
    }
  }

  async #create(arrivals: readonly Arrival[]): Promise<void> {
    const pods = arrivals.flatMap((arrival) =>
      Array.from({ length: arrival.pods }, (_, i) => ({ arrival, name: `${arrival.name}-${i}` })),
    );
    await Promise.all(
      pods.map(({ arrival, name }) =>
        this.#post(`/api/v1/namespaces/${this.#of(arrival.tenant)}/pods`, this.#pod(arrival, name)),
      ),
    );
  }

  #pod({ tenant, name: kind, pods, gpus, gang }: Arrival, name: string): object {
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        labels: { stage: this.#name, ...(gang === true ? { 'moa.dev/gang': kind } : {}) },
        annotations: gang === true ? { 'moa.dev/gang-size': String(pods) } : {},
      },
      spec: {
        schedulerName: 'moa-scheduler',
        nodeSelector: { half: tenant === 'home' ? 'home' : 'away' },
        containers: [
          { name: 'main', image: 'example.test/main', resources: { limits: { 'nvidia.com/gpu': String(gpus) } } },
        ],
      },
    };
  }

  /** Creates an object, and outlives an API server that is away. */
  async #post(path: string, body: object): Promise<void> {
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

  /** The status without what differs from run to run. */
  async #statusOf(path: string): Promise<unknown> {
    const { status } = await this.transport.request<{ status?: RawStatus }>({ method: 'GET', path });
    if (status === undefined) return undefined;
    const moving = ['conditions', 'fairShare', 'budget'];
    const figures = Object.fromEntries(Object.entries(status).filter(([name]) => !moving.includes(name)));
    const verdicts = status.conditions?.map(({ type, status, reason }) => `${type} ${status} ${reason}`).toSorted();
    return { ...figures, conditions: verdicts };
  }

  async #removeAll(): Promise<void> {
    const remove = async (path: string, query: Readonly<Record<string, string>> = {}) => {
      const body = { gracePeriodSeconds: 0, propagationPolicy: 'Background' };
      await this.transport.request({ method: 'DELETE', path, query, body }).catch((error: unknown) => {
        if (!isApiError(error, 'NotFound')) throw error;
      });
    };
    const labelSelector = `stage=${this.#name}`;
    for (const tenant of tenants) await remove(`/api/v1/namespaces/${this.#of(tenant)}/pods`);
    await remove('/api/v1/nodes', { labelSelector });
    for (const tenant of tenants) {
      await remove(`${moa}/researchquotas/${this.#of(tenant)}`);
      await remove(`/api/v1/namespaces/${this.#of(tenant)}`);
    }
    await remove(`${moa}/gpupools/${this.#name}`);
    // Else the next stage waits until the lease of an operator that was killed has run out.
    await remove('/apis/coordination.k8s.io/v1/namespaces/moa-system/leases/moa-leader');
  }
}

interface RawNode {
  readonly spec: { readonly taints?: readonly unknown[] };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

interface RawStatus {
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
  readonly fairShare?: unknown;
  readonly budget?: unknown;
  readonly [field: string]: unknown;
}
