import { setTimeout as sleep } from 'node:timers/promises';

import { mergePatch } from '../../src/kube/index.ts';
import type { ControlPlane } from '../../tools/cluster/index.ts';
import type { Arrival } from './arrivals.ts';
import type { PodView, Step } from './auditor.ts';
import { claimAt, claimOf, provision, storageClassOf, type Disk } from './disks.ts';
import type { Outcome } from './outcomes.ts';
import { moa, Site } from './site.ts';

const gpusPerNode = 8;
const smallNode = 4;
/** A node for each thing that happens, so that what becomes of one decides nothing about another. */
const rooms = ['swap', 'spare', 'grow', 'shrink', 'old', 'team', 'crew', 'rush', 'drift', 'disk', 'away'] as const;
type Room = (typeof rooms)[number];
const inRoom = (room: Room | 'new') => ({ nodeSelector: { room } });
const guaranteed = { home: 76, lender: gpusPerNode, guest: 0 } as const;
const tenants = Object.keys(guaranteed) as readonly (keyof typeof guaranteed)[];

const home = { tenant: 'home' };
/** Each of them starts, or waits for what is to happen unseen. */
const before = {
  swapped: { ...home, ...inRoom('swap'), name: 'swapped', pods: 1, gpus: 2 },
  grown: { ...home, ...inRoom('grow'), name: 'grown', pods: 1, gpus: 2 * gpusPerNode },
  tight: { ...home, ...inRoom('shrink'), name: 'tight', pods: 2, gpus: smallNode },
  left: { ...home, ...inRoom('old'), name: 'left', pods: 1, gpus: gpusPerNode },
  hopeful: { ...home, ...inRoom('new'), name: 'hopeful', pods: 1, gpus: gpusPerNode },
  team: { ...home, ...inRoom('team'), name: 'team', pods: 3, gpus: 2, gang: true },
  blocker: { ...home, ...inRoom('crew'), name: 'blocker', pods: 1, gpus: 4 },
  pair: { ...inRoom('away'), tenant: 'guest', name: 'pair', pods: 2, gpus: 4, gang: true },
  /** Its claim asks for a volume that nobody makes before both are replaced. */
  disk: { ...home, ...inRoom('disk'), name: 'disk', pods: 1, gpus: 1, claim: 'disk' },
} as const satisfies Readonly<Record<string, Arrival>>;
/** Comes when the blocker is there: it has to wait for it. */
const crew: Arrival = { ...home, ...inRoom('crew'), name: 'crew', pods: 2, gpus: 4, gang: true };
/** Come last: what they bring about is under way when nobody sees any more. */
const own: Arrival = { ...inRoom('away'), tenant: 'lender', name: 'own', pods: 2, gpus: 4, gang: true };
const rush: Arrival = { ...home, ...inRoom('rush'), name: 'rush', pods: 3, gpus: 1 };
/** Bound unseen, and gone unseen. */
const drift: Arrival = { ...home, ...inRoom('drift'), name: 'drift', pods: 2, gpus: 4 };
/** Fits only when all that was bound unseen is forgotten. */
const behind: Arrival = { ...home, ...inRoom('drift'), name: 'behind', pods: 1, gpus: 6 };
const all: readonly Arrival[] = [...Object.values(before), crew, own, rush, drift, behind];
const startAtOnce = ['swapped', 'tight', 'left', 'team', 'blocker', 'pair'] as const;

/**
 * A scene in which pods, nodes and a quota change behind the back of whoever does not watch: each thing ends under the
 * name that it began with and is another.
 */
export class Replacements extends Site {
  readonly #gpus: Map<string, number>;

  private constructor(plane: ControlPlane, gpus: Map<string, number>) {
    super(plane, (node) => gpus.get(node) ?? gpusPerNode);
    this.#gpus = gpus;
  }

  /** Sets it up; nobody schedules yet. */
  static async open(plane: ControlPlane): Promise<Replacements> {
    const site = new Replacements(plane, new Map());
    await site.makePool();
    await Promise.all(
      tenants.map((tenant) => site.makeTenant(tenant, { capacity: { guaranteed: guaranteed[tenant] } })),
    );
    await site.makeNodes(rooms.map((room) => site.#node(room)));
    await site.make('/apis/storage.k8s.io/v1/storageclasses', storageClassOf(site.#disk));
    await site.#claim();
    await site.makePods(Object.values(before));
    return site;
  }

  /** Resolves when all is bound or told to wait, and what waits behind the blocker is there as well. */
  async begun(): Promise<void> {
    const starting = startAtOnce.reduce((sum, name) => sum + before[name].pods, 0);
    await this.#until(() => this.auditor.pods.filter(({ nodeName }) => nodeName !== undefined).length === starting);
    await this.makePods([crew]);
    const isTold = ({ name, nodeName, waitsFor }: PodView) =>
      nodeName !== undefined || waitsFor !== undefined || name.startsWith(before.disk.name);
    await this.#until(() => this.auditor.pods.every(isTold));
  }

  /** The lender wants its own. Resolves when the borrowers are being deleted. */
  async reclaim(): Promise<void> {
    await this.makePods([own]);
    await this.#until(() => this.auditor.steps.filter(({ what }) => what === 'ending').length === before.pair.pods);
  }

  /** Many come at once: those of whose bindings `heldBindings` decides. */
  rush(): Promise<void> {
    return this.makePods([rush, drift]);
  }

  /** Resolves when the bindings of those that drift were carried out. */
  drifted(): Promise<void> {
    const isBound = ({ what, pod }: Step) => what === 'bound' && pod.name.startsWith(drift.name);
    return this.#until(() => this.auditor.steps.filter(isBound).length === drift.pods);
  }

  /** Everything becomes something else. @param pauseMs between two things */
  async replaceAll(pauseMs: number): Promise<void> {
    const things = [
      () => this.#replace({ ...before.swapped, ...inRoom('spare'), gpus: 4 }, 0),
      () => this.#replace({ ...before.grown, gpus: gpusPerNode }, 0),
      () => this.#shrink(),
      () => this.#move(),
      () => this.#replace({ ...before.team, gpus: 3 }, 1),
      () => this.remove(this.#path(before.blocker, 0)),
      () => this.#guarantee(guaranteed.home + gpusPerNode),
      () => this.#replace(own, 1),
      () => this.#replace({ ...rush, gpus: 2 }, 0),
      () => this.#replace(rush, 1),
      () => this.#replace({ ...drift, gpus: 2 }, 0),
      () => this.remove(this.#path(drift, 1)),
      () => this.makePods([behind]),
      () => this.#replaceDisk(),
      () => this.#guarantee(guaranteed.home),
      () => this.#bringBack(),
    ];
    for (const thing of things) {
      await thing();
      await sleep(pauseMs);
    }
  }

  readonly outcome = async (): Promise<Outcome> => ({
    pods: this.podOutcome(all),
    ...(await this.statusOutcome(tenants)),
  });

  async #replaceDisk(): Promise<void> {
    await this.remove(this.#path(before.disk, 0));
    await this.remove(this.#claimPath);
    await this.#until(() => !this.auditor.pods.some(({ name }) => name.startsWith(before.disk.name)));
    await this.#claim();
    await this.makePods([before.disk]);
    this.beside(provision(this, { disk: this.#disk, path: this.#claimPath }));
  }

  /** Once an earlier one of that name is gone. */
  async #claim(): Promise<void> {
    const { name } = before.disk;
    const collection = `/api/v1/namespaces/${this.of('home')}/persistentvolumeclaims`;
    for (;;) {
      await this.post(collection, claimOf(this.#disk, name));
      const claim = await claimAt(this, this.#claimPath);
      if (claim !== undefined && claim.metadata.deletionTimestamp === undefined) return;
      await sleep(50);
    }
  }

  get #disk(): Disk {
    return { name: this.of('disk'), provisioner: 'example.test/made' };
  }

  get #claimPath(): string {
    return `/api/v1/namespaces/${this.of('home')}/persistentvolumeclaims/${before.disk.claim}`;
  }

  /** The node with pods of its own, which come again, has fewer GPUs than before. */
  async #shrink(): Promise<void> {
    const { tight } = before;
    for (let i = 0; i < tight.pods; i++) await this.remove(this.#path(tight, i));
    const node = { ...this.#node('shrink'), capacity: { 'nvidia.com/gpu': String(smallNode) } };
    await this.remove(`/api/v1/nodes/${node.name}`);
    this.#gpus.set(node.name, smallNode);
    await this.makeNodes([node]);
    await this.makePods([tight]);
  }

  /** The node is another room's, and its pod comes again where there is no node now. */
  async #move(): Promise<void> {
    await this.remove(this.#path(before.left, 0));
    const node = this.#node('old');
    await this.remove(`/api/v1/nodes/${node.name}`);
    await this.makeNodes([{ ...node, labels: { room: 'new' } }]);
    await this.makePods([before.left]);
  }

  /** What was evicted comes back under its names, as a Job's pods do. */
  async #bringBack(): Promise<void> {
    const { pair } = before;
    const isThere = () => this.auditor.pods.some(({ namespace }) => namespace === this.of(pair.tenant));
    await this.#until(() => !isThere());
    await this.makePods([pair]);
  }

  async #replace(arrival: Arrival, index: number): Promise<void> {
    await this.remove(this.#path(arrival, index));
    await this.makePod(arrival, `${arrival.name}-${index}`);
  }

  async #guarantee(gpus: number): Promise<void> {
    await this.transport.request({
      method: 'PATCH',
      path: `${moa}/researchquotas/${this.of('home')}`,
      contentType: mergePatch,
      body: { spec: { capacity: { guaranteed: gpus } } },
    });
  }

  #path({ tenant, name }: Arrival, index: number): string {
    return `/api/v1/namespaces/${this.of(tenant)}/pods/${name}-${index}`;
  }

  #node(room: Room) {
    return {
      name: `${this.name}-${room}`,
      labels: { room },
      capacity: { 'nvidia.com/gpu': String(gpusPerNode) },
    };
  }

  #until(holds: () => boolean): Promise<void> {
    return this.auditor.until(holds, 60_000, () => JSON.stringify(this.podOutcome(all)));
  }
}
