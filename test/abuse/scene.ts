import { Estate, type Tenant } from '../scheduler/estate.ts';
import type { Operator, TestCluster } from '../support/index.ts';
import { clear, type Attack } from './attacks.ts';
import { Prober, type Latencies } from './probe.ts';

/** How much of an attack, and how long others are watched. */
export interface Extent {
  /** Objects of an attack. */
  readonly size: number;
  /** Seconds of each measurement, without the attack and under it. */
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/** What the operator takes, MiB. */
export interface Memory {
  readonly resident: number;
  readonly heap: number;
}

/** What one round of an attack did to others. */
export interface Round {
  readonly attack: string;
  readonly quiet: Latencies;
  readonly attacked: Latencies;
  /** Milliseconds until someone else's waiting pod was told why it waits, under the attack. */
  readonly toldAfterMs: number;
  readonly memory: { readonly before: Memory; readonly under: Memory; readonly after: Memory };
}

/** A pool of which one institution minds its own business while another does what it wants. */
export class Scene {
  readonly #cluster: TestCluster;
  readonly #operator: Pick<Operator, 'metric'>;
  readonly #bad: Tenant;
  readonly #prober: Prober;

  private constructor(cluster: TestCluster, operator: Pick<Operator, 'metric'>, bad: Tenant, prober: Prober) {
    this.#cluster = cluster;
    this.#operator = operator;
    this.#bad = bad;
    this.#prober = prober;
  }

  static async create(cluster: TestCluster, operator: Pick<Operator, 'metric'>, nodes: number): Promise<Scene> {
    const estate = await Estate.create(
      cluster,
      Array.from({ length: nodes }, () => ({})),
    );
    const good = await estate.tenant({ guaranteed: 8 });
    const bad = await estate.tenant({ guaranteed: 8, borrowingLimit: 0 });
    const [node] = await estate.nodes();
    return new Scene(cluster, operator, bad, new Prober(cluster.client, good.namespace, node?.metadata.name ?? ''));
  }

  close(): Promise<void> {
    return this.#prober.close();
  }

  /** Others without the attack, others under it, and the place as it was. */
  async round(attack: Attack, { size, seconds, signal }: Extent): Promise<Round> {
    const { client } = this.#cluster;
    const { namespace } = this.#bad;
    await this.#prober.measure(1);
    const before = await this.#memory();
    const quiet = await this.#prober.measure(seconds);
    const ended = new AbortController();
    const { promise: ready, resolve } = Promise.withResolvers<undefined>();
    const running = attack.run({ client, namespace, size, signal: AbortSignal.any([signal, ended.signal]) }, () =>
      resolve(undefined),
    );
    try {
      await Promise.race([ready, running]);
      const attacked = await this.#prober.measure(seconds);
      const toldAfterMs = await this.#prober.untilTold();
      const under = await this.#memory();
      ended.abort();
      await running;
      await clear(client, namespace);
      return {
        attack: attack.name,
        quiet,
        attacked,
        toldAfterMs,
        memory: { before, under, after: await this.#memory() },
      };
    } finally {
      ended.abort();
      await running.catch(() => undefined);
    }
  }

  async #memory(): Promise<Memory> {
    const [resident, heap] = await Promise.all([
      this.#operator.metric('process_resident_memory_bytes'),
      this.#operator.metric('nodejs_heap_size_used_bytes'),
    ]);
    return { resident: resident / 2 ** 20, heap: heap / 2 ** 20 };
  }
}
