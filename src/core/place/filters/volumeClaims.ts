import {
  claimKey,
  claimKeysOf,
  type ClaimDecision,
  type Holder,
  type NodeTable,
  type PodFacts,
  type Storage,
} from '../../snapshot/index.ts';
import { attachObstacle } from './attachLimits.ts';
import type { Obstacle } from './obstacle.ts';
import { readPodClaims, type PodClaims } from './podClaims.ts';
import { chooseVolumes, type Decisions } from './volumeBinding.ts';

const singleUser: Obstacle = { text: 'a ReadWriteOncePod claim of the pod in use by another pod' };

interface Tentative {
  readonly decision: ClaimDecision;
  /** Pods held that use the claim. */
  users: number;
}

/**
 * Volume claims: which node can serve them (VolumeBinding, VolumeZone), how many a node can attach (NodeVolumeLimits),
 * and claims of a single pod (VolumeRestrictions). A pod that is held keeps the volumes chosen for it, so that the next
 * pod finds others.
 */
export class VolumeClaims implements Decisions {
  readonly #storage: Storage;
  readonly #nodes: NodeTable;
  /** Pods held, by claim; claims that were made for one pod are left out. */
  readonly #users = new Map<string, number>();
  /** Pods held, by node and claim. */
  readonly #onNode = new Map<number, Map<string, number>>();
  readonly #tentative = new Map<string, Tentative>();
  readonly #takers = new Map<string, string>();
  readonly #read = new WeakMap<PodFacts, { readonly version: number; readonly claims: PodClaims }>();

  constructor(storage: Storage, nodes: NodeTable) {
    this.#storage = storage;
    this.#nodes = nodes;
  }

  decision(key: string): ClaimDecision | undefined {
    return this.#storage.decision(key) ?? this.#tentative.get(key)?.decision;
  }

  takerOf(volume: string): string | undefined {
    return this.#storage.takerOf(volume) ?? this.#takers.get(volume);
  }

  hold(holder: Holder, node: number, count: number): void {
    if (holder.claims.length === 0) return;
    for (const { name, ephemeral } of holder.claims) {
      const key = claimKey(holder.namespace, name);
      let claims = this.#onNode.get(node);
      if (claims === undefined) this.#onNode.set(node, (claims = new Map<string, number>()));
      addTo(claims, key, count);
      if (claims.size === 0) this.#onNode.delete(node);
      if (!ephemeral) addTo(this.#users, key, count);
    }
    if (count > 0) this.#choose(holder, node, count);
    else this.#giveBack(holder, -count);
  }

  obstacle(pod: PodFacts, node: number): Obstacle | undefined {
    if (pod.claims.length === 0) return undefined;
    const facts = this.#nodes.facts[node];
    if (facts === undefined) return undefined;
    const claims = this.#claimsOf(pod);
    if (claims.problem !== undefined) return claims.problem;
    if (this.#isInUse(pod)) return singleUser;
    const choice = chooseVolumes({ storage: this.#storage, decisions: this }, claims, facts);
    if ('text' in choice) return choice;
    const held = this.#onNode.get(node)?.keys() ?? [];
    return attachObstacle(this.#storage, pod, { nodeName: facts.name, held });
  }

  #claimsOf(pod: PodFacts): PodClaims {
    const { version } = this.#storage;
    let known = this.#read.get(pod);
    if (known?.version !== version)
      this.#read.set(pod, (known = { version, claims: readPodClaims(this.#storage, pod) }));
    return known.claims;
  }

  #isInUse(pod: PodFacts): boolean {
    return pod.claims.some(({ name, ephemeral }) => {
      const key = claimKey(pod.namespace, name);
      if (ephemeral || (this.#users.get(key) ?? 0) <= 0) return false;
      return this.#storage.claim(key)?.accessModes.includes('ReadWriteOncePod') === true;
    });
  }

  #choose(holder: Holder, node: number, count: number): void {
    const facts = this.#nodes.facts[node];
    if (facts === undefined) return;
    const claims = readPodClaims(this.#storage, holder);
    const choice = chooseVolumes({ storage: this.#storage, decisions: this }, claims, facts);
    if ('text' in choice) return;
    for (const { key, decision } of choice) {
      if (this.#storage.decision(key) !== undefined) continue;
      const known = this.#tentative.get(key);
      if (known !== undefined) known.users += count;
      else {
        this.#tentative.set(key, { decision, users: count });
        if (decision.volume !== undefined) this.#takers.set(decision.volume, key);
      }
    }
  }

  #giveBack(holder: Holder, count: number): void {
    for (const key of claimKeysOf(holder)) {
      const known = this.#tentative.get(key);
      if (known === undefined) continue;
      known.users -= count;
      if (known.users > 0) continue;
      this.#tentative.delete(key);
      if (known.decision.volume !== undefined) this.#takers.delete(known.decision.volume);
    }
  }
}

function addTo(counts: Map<string, number>, key: string, count: number): void {
  const sum = (counts.get(key) ?? 0) + count;
  if (sum === 0) counts.delete(key);
  else counts.set(key, sum);
}
