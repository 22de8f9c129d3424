import { setTimeout as sleep } from 'node:timers/promises';

import { podManifest, uniqueName, type Pod, type TestClient } from '../support/index.ts';

/** Milliseconds of each pod that was tried. */
export interface Latencies {
  /** From the answer to the creation until the watch shows the pod with a node, bound by Moa. */
  readonly moa: readonly number[];
  /** The same for a pod that this process binds itself as soon as it exists: what the API server alone takes. */
  readonly bare: readonly number[];
}

const patienceMs = 60_000;

/**
 * Somebody who minds their own business: creates a pod now and then, and sees how long it takes until it has a node.
 * Pods that Moa binds and pods that are bound by hand take turns, so that what slows the API server down is told apart
 * from what slows Moa down.
 */
export class Prober {
  readonly #client: TestClient;
  readonly #namespace: string;
  readonly #binder: TestClient;
  readonly #node: string;
  readonly #seen = new Map<string, (at: number) => void>();
  readonly #stop = new AbortController();
  readonly #watching: Promise<void>;

  /**
   * @param of whose `client` creates pods in which namespace; the `binder` binds those that are bound by hand to `node`
   */
  constructor(of: {
    readonly client: TestClient;
    readonly namespace: string;
    readonly binder: TestClient;
    readonly node: string;
  }) {
    this.#client = of.client;
    this.#namespace = of.namespace;
    this.#binder = of.binder;
    this.#node = of.node;
    this.#watching = this.#watch();
  }

  /** Tries pods for so long, one after the other, with a pause before each: the last one's end is news, too. */
  async measure(seconds: number, pauseMs = 200): Promise<Latencies> {
    const moa: number[] = [];
    const bare: number[] = [];
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end) {
      await sleep(pauseMs);
      bare.push(await this.#try('none'));
      await sleep(pauseMs);
      moa.push(await this.#try('moa-scheduler'));
    }
    return { moa, bare };
  }

  /** How long a pod that cannot start waits until it is told why, milliseconds. */
  async untilTold(): Promise<number> {
    const name = uniqueName('asking');
    const namespace = this.#namespace;
    const pod = podManifest({ name, namespace, gpus: 1, spec: { nodeSelector: { nowhere: 'x' } } });
    await this.#client.create(pod);
    const began = performance.now();
    for (;;) {
      const { status } = await this.#client.get<Pod>(pod);
      if (status.conditions?.some(({ type, message }) => type === 'PodScheduled' && message !== undefined)) break;
      if (performance.now() - began > patienceMs) throw new Error(`${name} was not told why it waits`);
      await sleep(50);
    }
    const took = performance.now() - began;
    await this.#client.delete(pod, { gracePeriodSeconds: 0 });
    return took;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
  }

  async #try(schedulerName: string): Promise<number> {
    const name = uniqueName('probe');
    const namespace = this.#namespace;
    const late = new AbortController();
    const bound = new Promise<number>((resolve, reject) => {
      this.#seen.set(name, resolve);
      void sleep(patienceMs, undefined, { signal: late.signal }).then(
        () => reject(new Error(`${name} was not bound after ${patienceMs / 1000} s`)),
        () => undefined,
      );
    });
    // Whoever cannot even create the pod is told so by that.
    bound.catch(() => undefined);
    const pod = podManifest({ name, namespace, schedulerName, ...(schedulerName === 'none' ? {} : { gpus: 1 }) });
    await this.#client.create(pod);
    const began = performance.now();
    try {
      if (schedulerName === 'none') {
        const target = { apiVersion: 'v1', kind: 'Node', name: this.#node };
        const path = `/api/v1/namespaces/${namespace}/pods/${name}/binding`;
        const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target };
        await this.#binder.transport.request({ method: 'POST', path, body });
      }
      return (await bound) - began;
    } finally {
      late.abort();
      this.#seen.delete(name);
      await this.#client.delete(pod, { gracePeriodSeconds: 0 });
    }
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    const path = `/api/v1/namespaces/${this.#namespace}/pods`;
    while (!signal.aborted) {
      try {
        const query = { watch: 'true', fieldSelector: 'spec.nodeName!=' };
        for await (const line of this.#client.transport.stream({ method: 'GET', path, query, signal })) {
          const { object } = JSON.parse(line) as { readonly object: Pod };
          this.#seen.get(object.metadata.name)?.(performance.now());
        }
      } catch {
        // A busy API server drops a watch that it cannot serve in time; the next begins with what is there.
        await sleep(20);
      }
    }
  }
}

/** The value that a fraction of the others do not exceed; NaN of none. */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? NaN;
}
