import { chooseVolumes, isReservedFor, readPodClaims, type ClaimChoice } from '../../core/place/index.ts';
import { readClaim, type NodeFacts, type PodFacts, type Storage } from '../../core/snapshot/index.ts';
import { isApiError, mergePatch, type Clock, type RawObject, type Transport } from '../../kube/index.ts';

export interface VolumeBinderOptions {
  readonly transport: Transport;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly stillLeading: () => boolean;
  readonly signal: AbortSignal;
}

/** What has been decided for the claims of one pod, and how much of it is written. */
export interface VolumePlan {
  readonly choices: readonly ClaimChoice[];
  readonly node: NodeFacts;
  /** Takes back what has been written; in the order of writing. */
  readonly undo: (() => Promise<void>)[];
  /** Keys of the decisions that this pod brought about. */
  readonly decided: readonly string[];
  /** By key, the resource version of a claim before it was told its node: any other shows what came of that. */
  readonly toldAt: Map<string, string>;
}

const selectedNode = 'volume.kubernetes.io/selected-node';
const boundByController = 'pv.kubernetes.io/bound-by-controller';
/** As long as kube-scheduler waits. */
const patienceMs = 600_000;
const lookMs = 100;

/**
 * Binds the volumes of a pod before the pod, as kube-scheduler does: a free volume is reserved for the claim, or the
 * claim is told the node for which its volume is to be made; the volume controller and the provisioner do the rest.
 */
export class VolumeBinder {
  readonly #options: VolumeBinderOptions;

  constructor(options: VolumeBinderOptions) {
    this.#options = options;
  }

  /**
   * Decides, for good until {@link takeBack}, on the volumes of a pod's open claims on this node.
   * @throws Error when the claims can no longer be served there
   */
  decide(pod: PodFacts, node: NodeFacts): VolumePlan {
    const { storage } = this.#options;
    const claims = readPodClaims(storage, pod);
    const choices = claims.problem ?? chooseVolumes({ storage, decisions: storage }, claims, node);
    if ('text' in choices) throw new Error(`volumes changed since the plan: ${choices.text}`);
    const open = choices.filter(({ key }) => storage.decision(key) === undefined);
    for (const { key, decision } of open) storage.decide(key, decision);
    return { choices, node, undo: [], decided: open.map(({ key }) => key), toldAt: new Map() };
  }

  /**
   * Writes the decisions and waits until every claim is bound.
   * @throws ApiError from the API server; Error when a volume is not made, or not in time
   */
  async bind(pod: PodFacts, plan: VolumePlan, exists: () => boolean): Promise<void> {
    const { clock, signal, storage, stillLeading } = this.#options;
    for (const choice of plan.choices) {
      if (!plan.decided.includes(choice.key)) continue;
      if (!stillLeading()) throw new Error('no longer leading');
      await (choice.decision.volume === undefined ? this.#askFor(choice, plan) : this.#reserve(choice, plan));
    }
    const deadline = clock.monotonic() + patienceMs;
    for (;;) {
      const open = plan.choices.filter(({ key }) => storage.claim(key)?.bound !== true);
      const [first] = open;
      if (first === undefined) return;
      if (!exists()) throw new Error(`pod ${pod.name} is gone`);
      if (clock.monotonic() > deadline) throw new Error(`claim ${first.claim.name} was not bound within ten minutes`);
      for (const choice of open) this.#checkProgress(choice, plan);
      await clock.sleep(lookMs, signal);
    }
  }

  /** @throws Error when there is nothing more to wait for */
  #checkProgress({ key, claim, decision }: ClaimChoice, { node, toldAt }: VolumePlan): void {
    const { storage } = this.#options;
    const now = storage.claim(key);
    if (now?.uid !== claim.uid) throw new Error(`claim ${claim.name} is gone`);
    // Another pod of the claim had brought the decision about and has given up.
    if (storage.decision(key) === undefined) throw new Error(`claim ${claim.name} is open again`);
    if (decision.volume !== undefined || !toldAt.has(key) || now.resourceVersion === toldAt.get(key)) return;
    // The provisioner takes the node away from the claim when it cannot make a volume there.
    if (now.selectedNode !== node.name)
      throw new Error(`no volume could be made for claim ${claim.name} on ${node.name}`);
  }

  /** Gives up the decisions and, as far as nobody has acted on them, what was written. Never rejects. */
  async takeBack(plan: VolumePlan): Promise<void> {
    for (const step of plan.undo.toReversed()) if (this.#options.stillLeading()) await step().catch(() => undefined);
    this.forget(plan);
  }

  /** Gives up the decisions and leaves what was written. */
  forget({ decided }: VolumePlan): void {
    for (const key of decided) this.#options.storage.revert(key);
  }

  /** Names the claim in the volume; the volume controller completes the binding. */
  async #reserve({ claim, decision }: ClaimChoice, { undo }: VolumePlan): Promise<void> {
    const { storage } = this.#options;
    const volume = storage.volume(decision.volume ?? '');
    if (volume === undefined) throw new Error(`volume ${decision.volume ?? ''} is gone`);
    if (volume.claim?.uid === claim.uid) return;
    const { uid, namespace, name } = claim;
    const path = `/api/v1/persistentvolumes/${volume.name}`;
    // One that someone reserved by name stays theirs to release.
    const annotations = isReservedFor(volume, claim) ? {} : { [boundByController]: 'yes' };
    const claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid };
    const { metadata } = await this.#patch(path, volume.resourceVersion, { annotations, spec: { claimRef } });
    // Only while the volume is as it was left: once the controller has acted, the claim must not lose its volume.
    const before = volume.claim === undefined ? null : { uid: null };
    undo.push(async () => {
      const cleared = Object.fromEntries(Object.keys(annotations).map((key) => [key, null]));
      await this.#patch(path, metadata.resourceVersion, { annotations: cleared, spec: { claimRef: before } });
    });
  }

  /** Tells the claim the node; the provisioner makes a volume. */
  async #askFor({ key, claim }: ClaimChoice, { node, undo, toldAt }: VolumePlan): Promise<void> {
    const { resourceVersion, selectedNode: told } = this.#options.storage.claim(key) ?? claim;
    if (told === node.name) {
      toldAt.set(key, '');
      return;
    }
    const path = `/api/v1/namespaces/${claim.namespace}/persistentvolumeclaims/${claim.name}`;
    await this.#patch(path, resourceVersion, { annotations: { [selectedNode]: node.name } });
    toldAt.set(key, resourceVersion);
    undo.push(async () => {
      // The watch may be behind: what is to be taken back may be younger than what it has shown.
      const { transport, signal } = this.#options;
      const now = readClaim(await transport.request<RawObject>({ method: 'GET', path, signal }));
      if (now.bound || now.uid !== claim.uid || now.selectedNode !== node.name) return;
      await this.#patch(path, now.resourceVersion, { annotations: { [selectedNode]: null } });
    });
  }

  async #patch(
    path: string,
    resourceVersion: string,
    { annotations, spec }: { readonly annotations: object; readonly spec?: object },
  ): Promise<{ readonly metadata: { readonly resourceVersion: string } }> {
    const body = { metadata: { resourceVersion, annotations }, ...(spec === undefined ? {} : { spec }) };
    return this.#options.transport.request({
      method: 'PATCH',
      path,
      contentType: mergePatch,
      body,
      signal: this.#options.signal,
    });
  }
}

/** Whether the failure is the work of others, who were faster: no reason to warn. */
export function isRace(error: unknown): boolean {
  return isApiError(error, 'Conflict', 'NotFound');
}
