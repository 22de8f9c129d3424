import { Estate, type Tenant } from '../scheduler/estate.ts';
import {
  clientOf,
  eventually,
  renderChart,
  uniqueName,
  type KubeObject,
  type Operator,
  type TestClient,
  type TestCluster,
} from '../support/index.ts';
import { clear, type Attack } from './attacks.ts';
import { startAttack } from './attackThread.ts';
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

/** A namespace, and somebody who may do there what people may do. */
interface Party {
  readonly tenant: Tenant;
  readonly user: string;
  readonly client: TestClient;
}

interface Setting {
  readonly cluster: TestCluster;
  readonly operator: Pick<Operator, 'metric'>;
  readonly good: Party;
  readonly bad: Party;
  readonly prober: Prober;
}

/**
 * A pool of which one institution minds its own business while another does what it wants. Both speak to the API server
 * as people do, not as its administrator, whom it lets go before everyone.
 */
export class Scene {
  readonly #setting: Setting;
  #flowControl: readonly KubeObject[] = [];

  private constructor(setting: Setting) {
    this.#setting = setting;
  }

  static async create(cluster: TestCluster, operator: Pick<Operator, 'metric'>, nodes: number): Promise<Scene> {
    const estate = await Estate.create(
      cluster,
      Array.from({ length: nodes }, () => ({})),
    );
    const good = await partyOf(cluster, await estate.tenant({ guaranteed: 8 }));
    const bad = await partyOf(cluster, await estate.tenant({ guaranteed: 8, borrowingLimit: 0 }));
    const [node] = await estate.nodes();
    const prober = new Prober({
      client: good.client,
      namespace: good.tenant.namespace,
      binder: cluster.client,
      node: node?.metadata.name ?? '',
    });
    return new Scene({ cluster, operator, good, bad, prober });
  }

  async close(): Promise<void> {
    const { prober, good, bad } = this.#setting;
    await prober.close();
    for (const { client } of [good, bad]) await client.transport.close();
  }

  /** From now on the API server takes requests by the chart's flow schemas, or (false) by those of Kubernetes alone. */
  async takeTurns(wanted: boolean): Promise<void> {
    const { client } = this.#setting.cluster;
    if (wanted === this.#flowControl.length > 0) return;
    if (!wanted) for (const object of this.#flowControl) await client.delete(object);
    this.#flowControl = wanted ? await renderChart(['flowcontrol.yaml']) : [];
    for (const object of this.#flowControl) await client.create(object);
    // The API server takes them up one by one, within some moments.
    for (const schema of this.#flowControl.filter(({ kind }) => kind === 'FlowSchema'))
      await eventually(async () => {
        const { status } = await client.get<FlowSchema>(schema);
        if (status.conditions?.some(({ type, status }) => type === 'Dangling' && status === 'False') !== true)
          throw new Error(`${schema.metadata.name} is not in force`);
      });
  }

  /** Others without the attack, others under it, and the place as it was. */
  async round(attack: Attack, { size, seconds, signal }: Extent): Promise<Round> {
    const { cluster, bad, prober } = this.#setting;
    const { namespace } = bad.tenant;
    await prober.measure(1);
    const before = await this.#memory();
    const quiet = await prober.measure(seconds);
    const { kubeconfig } = cluster;
    const attacker = startAttack({ attack: attack.name, kubeconfig, user: bad.user, namespace, size });
    const end = (): void => void attacker.stop();
    signal.addEventListener('abort', end);
    try {
      await attacker.ready;
      const attacked = await prober.measure(seconds);
      const toldAfterMs = await prober.untilTold();
      const under = await this.#memory();
      await attacker.stop();
      await clear(cluster.client, namespace);
      return {
        attack: attack.name,
        quiet,
        attacked,
        toldAfterMs,
        memory: { before, under, after: await this.#memory() },
      };
    } finally {
      signal.removeEventListener('abort', end);
      await attacker.stop();
    }
  }

  async #memory(): Promise<Memory> {
    const { operator } = this.#setting;
    const [resident, heap] = await Promise.all([
      operator.metric('process_resident_memory_bytes'),
      operator.metric('nodejs_heap_size_used_bytes'),
    ]);
    return { resident: resident / 2 ** 20, heap: heap / 2 ** 20 };
  }
}

interface FlowSchema extends KubeObject {
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Somebody who may edit the namespace of a tenant. */
async function partyOf(cluster: TestCluster, tenant: Tenant): Promise<Party> {
  const user = uniqueName('researcher');
  const apiGroup = 'rbac.authorization.k8s.io';
  await cluster.client.create({
    apiVersion: `${apiGroup}/v1`,
    kind: 'RoleBinding',
    metadata: { name: user, namespace: tenant.namespace },
    roleRef: { apiGroup, kind: 'ClusterRole', name: 'edit' },
    subjects: [{ apiGroup, kind: 'User', name: user }],
  } as KubeObject);
  return { tenant, user, client: clientOf(cluster.kubeconfig, { user }) };
}
