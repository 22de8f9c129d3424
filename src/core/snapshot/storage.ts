import type { ClaimUse, Labels, NodeTerm, Selector } from './facts.ts';

/** A PersistentVolumeClaim, as far as scheduling looks at it. */
export interface ClaimFacts {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: string;
  /** Empty = none. */
  readonly className: string;
  /** Empty = none yet. */
  readonly volumeName: string;
  /** The volume controller has completed the binding to `volumeName`. */
  readonly bound: boolean;
  /** Its volume is gone for good. */
  readonly lost: boolean;
  readonly deleting: boolean;
  /** Uid of the controller that owns it: the pod, for a claim made from a pod's template. */
  readonly owner: string | undefined;
  /** The node for which a volume is being made. */
  readonly selectedNode: string | undefined;
  /** Bytes. */
  readonly size: number;
  readonly accessModes: readonly string[];
  /** A raw device instead of a file system. */
  readonly block: boolean;
  /** Which volumes it accepts; undefined = any. */
  readonly selector: Selector | undefined;
  readonly attributesClass: string;
}

/** A PersistentVolume, as far as scheduling looks at it. */
export interface VolumeFacts {
  readonly name: string;
  readonly resourceVersion: string;
  readonly className: string;
  /** The claim that it is meant for, or bound to; the uid is empty where someone reserved it by name. */
  readonly claim: { readonly namespace: string; readonly name: string; readonly uid: string } | undefined;
  /** Bytes. */
  readonly size: number;
  readonly accessModes: readonly string[];
  readonly block: boolean;
  /** Phase `Available`. */
  readonly available: boolean;
  readonly deleting: boolean;
  readonly labels: Labels;
  /** The nodes that reach it, terms are alternatives; undefined = all. */
  readonly nodeTerms: readonly NodeTerm[] | undefined;
  readonly attributesClass: string;
  /** Driver and handle of a CSI volume. */
  readonly csi: { readonly driver: string; readonly handle: string } | undefined;
  /** Kind of a cloud's disk that Kubernetes hands to a CSI driver, which is not modelled; undefined = another kind. */
  readonly migrated: string | undefined;
}

export interface StorageClassFacts {
  readonly name: string;
  readonly provisioner: string;
  /** `WaitForFirstConsumer`: volumes are chosen or made once the pod's node is known. */
  readonly waits: boolean;
  /** Where volumes can be made, terms are alternatives; empty = everywhere. */
  readonly topologies: readonly Selector[];
}

export interface CsiNodeFacts {
  readonly name: string;
  /** Volumes that can be attached, by driver; a driver that names no limit is left out. */
  readonly limits: ReadonlyMap<string, number>;
}

/** A kind of object that the storage is made of. */
export type StorageKind = 'persistentvolumeclaims' | 'persistentvolumes' | 'storageclasses' | 'csinodes';

/** The problem of a kind that nobody has tried to list to its end yet. */
export const awaitingList = 'the list is not complete yet';

/** Where a claim's volume is, or will be, as Moa has decided and the API server does not show yet. */
export interface ClaimDecision {
  readonly nodeName: string;
  /** Name of an existing volume; undefined = one is made for that node. */
  readonly volume: string | undefined;
}

/**
 * Volumes and claims as the watches tell them, and what has been decided about them. Part of the fleet; it changes in
 * place, and {@link version} with it.
 */
export class Storage {
  readonly #claims = new Map<string, ClaimFacts>();
  readonly #volumes = new Map<string, VolumeFacts>();
  readonly #volumesByClass = new Map<string, Map<string, VolumeFacts>>();
  readonly #classes = new Map<string, StorageClassFacts>();
  readonly #csiNodes = new Map<string, CsiNodeFacts>();
  readonly #decisions = new Map<string, ClaimDecision>();
  /** By volume name, the key of the claim that it was decided for. */
  readonly #takers = new Map<string, string>();
  readonly #unlisted = new Map<StorageKind, string>();
  #version = 0;

  /** Grows with every change. */
  get version(): number {
    return this.#version;
  }

  /** Why the objects of a kind are not known, by kind; what cannot be listed is taken as absent. */
  get unlisted(): ReadonlyMap<StorageKind, string> {
    return this.#unlisted;
  }

  /** @param problem why the objects of the kind are not known; undefined = they are */
  setListed(kind: StorageKind, problem: string | undefined): void {
    if (problem === undefined) this.#unlisted.delete(kind);
    else this.#unlisted.set(kind, problem);
    this.#version++;
  }

  claim(key: string): ClaimFacts | undefined {
    return this.#claims.get(key);
  }

  volume(name: string): VolumeFacts | undefined {
    return this.#volumes.get(name);
  }

  /** Volumes of a class, in the order in which they became known. */
  volumesOfClass(className: string): Iterable<VolumeFacts> {
    return this.#volumesByClass.get(className)?.values() ?? [];
  }

  storageClass(name: string): StorageClassFacts | undefined {
    return this.#classes.get(name);
  }

  csiNode(name: string): CsiNodeFacts | undefined {
    return this.#csiNodes.get(name);
  }

  /** What Moa has decided for a claim and the API server does not show yet. */
  decision(claimKey: string): ClaimDecision | undefined {
    return this.#decisions.get(claimKey);
  }

  /** Key of the claim for which Moa has decided to use the volume. */
  takerOf(volume: string): string | undefined {
    return this.#takers.get(volume);
  }

  /** A decision ends when the claim is bound, or goes. */
  putClaim(facts: ClaimFacts): void {
    const key = claimKey(facts.namespace, facts.name);
    this.#claims.set(key, facts);
    if (facts.bound) this.revert(key);
    this.#version++;
  }

  deleteClaim(namespace: string, name: string): void {
    const key = claimKey(namespace, name);
    this.#claims.delete(key);
    this.revert(key);
    this.#version++;
  }

  putVolume(facts: VolumeFacts): void {
    this.deleteVolume(facts.name);
    this.#volumes.set(facts.name, facts);
    let ofClass = this.#volumesByClass.get(facts.className);
    if (ofClass === undefined) this.#volumesByClass.set(facts.className, (ofClass = new Map<string, VolumeFacts>()));
    ofClass.set(facts.name, facts);
  }

  deleteVolume(name: string): void {
    const known = this.#volumes.get(name);
    this.#version++;
    if (known === undefined) return;
    this.#volumes.delete(name);
    this.#volumesByClass.get(known.className)?.delete(name);
  }

  putClass(facts: StorageClassFacts): void {
    this.#classes.set(facts.name, facts);
    this.#version++;
  }

  deleteClass(name: string): void {
    this.#classes.delete(name);
    this.#version++;
  }

  putCsiNode(facts: CsiNodeFacts): void {
    this.#csiNodes.set(facts.name, facts);
    this.#version++;
  }

  deleteCsiNode(name: string): void {
    this.#csiNodes.delete(name);
    this.#version++;
  }

  /** Takes a claim as decided until it is bound or {@link revert}ed. */
  decide(key: string, decision: ClaimDecision): void {
    this.#decisions.set(key, decision);
    if (decision.volume !== undefined) this.#takers.set(decision.volume, key);
    this.#version++;
  }

  /** Takes a decision back. */
  revert(key: string): void {
    const decision = this.#decisions.get(key);
    if (decision === undefined) return;
    this.#decisions.delete(key);
    if (decision.volume !== undefined) this.#takers.delete(decision.volume);
    this.#version++;
  }
}

/** How a claim is named among all claims. */
export function claimKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** The keys of the claims of a pod, in order. */
export function claimKeysOf(pod: { readonly namespace: string; readonly claims: readonly ClaimUse[] }): string[] {
  return pod.claims.map(({ name }) => claimKey(pod.namespace, name));
}
