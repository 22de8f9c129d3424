import type { ControlPlane } from '../../tools/cluster/index.ts';
import type { Arrival } from './arrivals.ts';
import type { Outcome } from './outcomes.ts';
import { Site } from './site.ts';

/** Who uses the pool of a stage. */
const tenants = ['home', 'guest', 'lender'] as const;
type Tenant = (typeof tenants)[number];

/** The pool: half of the nodes is where `home` lives, the other half is what `lender` lends to `guest`. */
const halves = ['home', 'away'] as const;
const nodesOfAHalf = 6;
const gpusPerNode = 8;
const gpusOfAHalf = nodesOfAHalf * gpusPerNode;
const guaranteed: Readonly<Record<Tenant, number>> = { home: gpusOfAHalf, guest: 0, lender: gpusOfAHalf };
const home = { nodeSelector: { half: 'home' } };
const away = { nodeSelector: { half: 'away' } };

/** Fills the pool to the last GPU. */
const arriving: readonly Arrival[] = [
  { ...home, tenant: 'home', name: 'single', pods: 24, gpus: 1 },
  { ...home, tenant: 'home', name: 'wide', pods: 16, gpus: 1, gang: true },
  { ...home, tenant: 'home', name: 'narrow', pods: 8, gpus: 1, gang: true },
  { ...away, tenant: 'guest', name: 'single', pods: 4, gpus: gpusPerNode },
  { ...away, tenant: 'guest', name: 'pair', pods: 2, gpus: gpusPerNode, gang: true },
];
/** The lender takes back all that it lent; whoever comes with it has to wait. */
const reclaiming: readonly Arrival[] = [
  { ...away, tenant: 'lender', name: 'own', pods: nodesOfAHalf, gpus: gpusPerNode, gang: true },
  { ...away, tenant: 'guest', name: 'late', pods: 2, gpus: gpusPerNode },
  { ...home, tenant: 'home', name: 'extra', pods: 1, gpus: 1 },
];
/** All that arrive first are bound. */
const arrivingPods = arriving.reduce((sum, { pods }) => sum + pods, 0);

/**
 * The scene in which most faults strike. Two acts follow each other: the pool fills up, then what was lent is taken back.
 * What they come to is given, however they interleave.
 */
export class Stage extends Site {
  private constructor(plane: ControlPlane) {
    super(plane, () => gpusPerNode);
  }

  /** Sets the pool up; nobody schedules yet. */
  static async open(plane: ControlPlane): Promise<Stage> {
    const stage = new Stage(plane);
    await stage.makePool();
    await Promise.all(
      tenants.map((tenant) => stage.makeTenant(tenant, { capacity: { guaranteed: guaranteed[tenant] } })),
    );
    await stage.makeNodes(
      halves.flatMap((half) =>
        Array.from({ length: nodesOfAHalf }, (_, i) => ({
          name: `${stage.name}-${half}-${i}`,
          labels: { half },
          capacity: { 'nvidia.com/gpu': String(gpusPerNode) },
        })),
      ),
    );
    return stage;
  }

  /** The first act: more pods than can be bound in a moment. */
  arrive(): Promise<void> {
    return this.makePods(arriving);
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
    return this.makePods(reclaiming);
  }

  /** Resolves when the second act is over. */
  reclaimed(timeoutMs = 60_000): Promise<void> {
    const settled = () => {
      const { pods } = this.auditor;
      const own = pods.filter(({ namespace }) => namespace === this.of('lender'));
      return (
        own.length > 0 && own.every(({ nodeName }) => nodeName !== undefined) && !pods.some(({ ending }) => ending)
      );
    };
    return this.auditor.until(settled, timeoutMs, () => JSON.stringify(this.#podOutcome()));
  }

  /** What it has come to now. Nothing in it depends on names or times. */
  readonly outcome = async (): Promise<Outcome> => ({
    pods: this.#podOutcome(),
    ...(await this.statusOutcome(tenants)),
  });

  #podOutcome(): Outcome {
    return this.podOutcome([...arriving, ...reclaiming]);
  }
}
