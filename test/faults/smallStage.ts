import type { ControlPlane } from '../../tools/cluster/index.ts';
import type { Arrival } from './arrivals.ts';
import { claimOf, provision, storageClassOf, volumeOf, type Disk, type RawClaim } from './disks.ts';
import type { Outcome } from './outcomes.ts';
import { moa, Site } from './site.ts';

const gpusPerNode = 8;
const nodes = [
  { node: 'home', half: 'home' },
  { node: 'away-0', half: 'away' },
  { node: 'away-1', half: 'away' },
] as const;
/** The investor's, who brought the nodes of the other half and lends them to `guest` and `friend`. */
const investor = 'lender';
const invested = 2 * gpusPerNode;
/** Of equal borrowers the one with the larger share has to go: `guest`, always. */
const quotas: Readonly<Record<string, object>> = {
  home: { capacity: { guaranteed: gpusPerNode } },
  guest: {},
  friend: { weight: 4 },
  [investor]: {},
};
const tenants = Object.keys(quotas);
const home = { tenant: 'home', nodeSelector: { half: 'home' } };
const away = { nodeSelector: { half: 'away' } };

/** Two claims of `home`: for a volume that is there, and for one that is made when a node is known. */
const claims = ['there', 'made'] as const;

const arriving: readonly Arrival[] = [
  { ...home, name: 'single', pods: 2, gpus: 1 },
  { ...home, name: 'trio', pods: 3, gpus: 1, gang: true },
  ...claims.map((claim) => ({ ...home, name: `disk-${claim}`, pods: 1, gpus: 1, claim })),
  { ...away, tenant: 'guest', name: 'pair', pods: 2, gpus: gpusPerNode / 2, gang: true },
  { ...away, tenant: 'friend', name: 'lone', pods: 1, gpus: gpusPerNode },
];
/** The investor takes back what it needs; whoever comes with it has to wait. */
const reclaiming: readonly Arrival[] = [
  { ...away, tenant: investor, name: 'own', pods: 2, gpus: gpusPerNode / 2, gang: true },
  { ...away, tenant: 'guest', name: 'late', pods: 1, gpus: gpusPerNode },
  { ...home, name: 'extra', pods: 1, gpus: 2 },
];
const podsOf = (arrivals: readonly Arrival[]) => arrivals.reduce((sum, { pods }) => sum + pods, 0);

/**
 * A scene that is over in seconds and has the operator make every kind of write that it makes: single pods and a gang,
 * an investor's reclaim from a borrower's gang, pods that wait, volumes that are reserved and made, an isolated pool,
 * and all three resources.
 */
export class SmallStage extends Site {
  private constructor(plane: ControlPlane) {
    super(plane, () => gpusPerNode);
  }

  /** Sets it up and has the first pods arrive; nobody schedules yet. */
  static async open(plane: ControlPlane): Promise<SmallStage> {
    const stage = new SmallStage(plane);
    await stage.makePool({ isolate: true });
    await Promise.all(Object.entries(quotas).map(([tenant, spec]) => stage.makeTenant(tenant, spec)));
    await stage.make(`${moa}/matchinginvestments`, stage.#investment());
    await stage.makeNodes(
      nodes.map(({ node, half }) => ({
        name: `${stage.name}-${node}`,
        labels: { half },
        capacity: { 'nvidia.com/gpu': String(gpusPerNode) },
      })),
    );
    await stage.#makeDisks();
    await stage.makePods(arriving);
    stage.beside(provision(stage, { disk: stage.#disk('made'), path: stage.#claimPath('made') }));
    return stage;
  }

  /** Resolves when all that arrived first is bound. */
  arrived(timeoutMs = 60_000): Promise<void> {
    const bound = () => this.auditor.pods.filter(({ nodeName }) => nodeName !== undefined).length;
    return this.auditor.until(
      () => bound() === podsOf(arriving),
      timeoutMs,
      () => JSON.stringify(this.#podOutcome()),
    );
  }

  /** The second act: the investor wants its own. */
  reclaim(): Promise<void> {
    return this.makePods(reclaiming);
  }

  readonly outcome = async (): Promise<Outcome> => {
    const request = <T>(path: string) => this.transport.request<T>({ method: 'GET', path });
    const investment = `${moa}/matchinginvestments/${this.name}`;
    const [statuses, investmentStatus, { status }, taints, volumes] = await Promise.all([
      this.statusOutcome(tenants),
      this.statusOf(investment),
      request<RawInvestment>(investment),
      Promise.all(nodes.map(({ node }) => request<RawNode>(`/api/v1/nodes/${this.name}-${node}`))),
      Promise.all(claims.map((claim) => request<RawClaim>(this.#claimPath(claim)))),
    ]);
    return {
      pods: this.#podOutcome(),
      ...statuses,
      investment: investmentStatus,
      breaches: status?.reclaim?.breaches,
      taints: taints.map(({ spec }) => spec.taints?.map(({ key, effect }) => `${key} ${effect}`)),
      volumes: volumes.map(({ status }) => status?.phase),
    };
  };

  /** Waits of the investor for what was lent, as the status of the investment tells them. */
  async waits(): Promise<number> {
    const path = `${moa}/matchinginvestments/${this.name}`;
    const { status } = await this.transport.request<RawInvestment>({ method: 'GET', path });
    return status?.reclaim?.recent?.length ?? 0;
  }

  /** How often each event about a kind of pod was told. */
  async events(): Promise<ReadonlyMap<string, number>> {
    const { items } = await this.transport.request<{ items: readonly RawEvent[] }>({
      method: 'GET',
      path: '/apis/events.k8s.io/v1/events',
    });
    const told = new Map<string, number>();
    for (const { regarding, reason, reportingController } of items) {
      const isOurs = regarding.namespace?.startsWith(`${this.name}-`) === true;
      if (!isOurs || regarding.kind !== 'Pod' || reportingController !== 'moa.dev/operator') continue;
      // Which pod of a kind is the first does not matter.
      const key = `${regarding.name.replace(/-\d+$/, '')} ${reason}`;
      told.set(key, (told.get(key) ?? 0) + 1);
    }
    return told;
  }

  #podOutcome(): Outcome {
    return this.podOutcome([...arriving, ...reclaiming]);
  }

  #investment() {
    return {
      apiVersion: 'moa.dev/v1alpha1',
      kind: 'MatchingInvestment',
      metadata: { name: this.name },
      spec: {
        poolName: this.name,
        investorName: this.of(investor),
        contribution: {
          items: [{ class: 'h200', gpus: invested }],
          nodeSelector: { matchLabels: { stage: this.name, half: 'away' } },
        },
      },
    };
  }

  #claimPath(claim: string): string {
    return `/api/v1/namespaces/${this.of('home')}/persistentvolumeclaims/${claim}`;
  }

  /** A free volume for one claim, and nothing for the other. */
  async #makeDisks(): Promise<void> {
    for (const claim of claims) {
      const disk = this.#disk(claim);
      await this.make('/apis/storage.k8s.io/v1/storageclasses', storageClassOf(disk));
      await this.post(`/api/v1/namespaces/${this.of('home')}/persistentvolumeclaims`, claimOf(disk, claim));
    }
    await this.make('/api/v1/persistentvolumes', volumeOf(this.#disk('there'), `${this.name}-home`));
  }

  #disk(claim: (typeof claims)[number]): Disk {
    const provisioner = claim === 'made' ? 'example.test/made' : 'kubernetes.io/no-provisioner';
    return { name: `${this.name}-${claim}`, provisioner };
  }
}

interface RawNode {
  readonly spec: { readonly taints?: readonly { readonly key: string; readonly effect: string }[] };
}

interface RawInvestment {
  readonly status?: { readonly reclaim?: { readonly breaches: number; readonly recent?: readonly unknown[] } };
}

interface RawEvent {
  readonly regarding: { readonly kind: string; readonly namespace?: string; readonly name: string };
  readonly reason: string;
  readonly reportingController?: string;
}
