import {
  awaitingList,
  claimKey,
  type ClaimFacts,
  type Holder,
  type Storage,
  type StorageClassFacts,
  type VolumeFacts,
} from '../../snapshot/index.ts';
import type { Obstacle } from './obstacle.ts';

/** A claim for which a volume must be chosen or made on the pod's node. */
export interface OpenClaim {
  readonly key: string;
  readonly claim: ClaimFacts;
  readonly storageClass: StorageClassFacts;
}

/** The claims of a pod as they stand, whatever node it goes to. */
export interface PodClaims {
  /** Why no node will do as long as the claims stand like this. */
  readonly problem: Obstacle | undefined;
  readonly bound: readonly { readonly volume: VolumeFacts; readonly ephemeral: boolean }[];
  /** Smallest first, so that each finds the smallest volume that is large enough. */
  readonly open: readonly OpenClaim[];
}

/**
 * Reads the claims of a pod, as the plugin VolumeBinding of kube-scheduler does before it looks at nodes: each must
 * exist and be usable, and either be bound or wait for its first consumer.
 */
export function readPodClaims(storage: Storage, pod: Holder): PodClaims {
  const bound: { volume: VolumeFacts; ephemeral: boolean }[] = [];
  const open: OpenClaim[] = [];
  const unusable = (text: string): PodClaims => ({ problem: { text }, bound, open });
  for (const [kind, problem] of storage.unlisted)
    if (problem === awaitingList) return unusable(`the list of ${kind}, which is not complete yet,`);
  for (const { name, ephemeral } of pod.claims) {
    const key = claimKey(pod.namespace, name);
    const claim = storage.claim(key);
    const what = `PersistentVolumeClaim ${name}`;
    if (claim === undefined)
      return unusable(
        `${what}, which does not exist${ephemeral ? ' yet' : ''}${because(storage, 'persistentvolumeclaims')},`,
      );
    if (claim.lost) return unusable(`${what}, whose volume is lost,`);
    if (claim.deleting) return unusable(`${what}, which is being deleted,`);
    if (ephemeral && claim.owner !== pod.uid) return unusable(`${what}, which was not made for the pod,`);
    if (claim.bound) {
      const volume = storage.volume(claim.volumeName);
      if (volume === undefined)
        return unusable(`volume ${claim.volumeName}, which does not exist${because(storage, 'persistentvolumes')},`);
      if (volume.migrated !== undefined)
        return unusable(`volume ${volume.name} of kind ${volume.migrated}, which Moa does not support,`);
      bound.push({ volume, ephemeral });
      continue;
    }
    const storageClass = storage.storageClass(claim.className);
    if (storageClass?.waits !== true || claim.volumeName !== '')
      return unusable(`${what}, which is not bound to a volume yet${because(storage, 'storageclasses')},`);
    open.push({ key, claim, storageClass });
  }
  return { problem: undefined, bound, open: open.sort((a, b) => a.claim.size - b.claim.size) };
}

/** What is not known about the kind, for a sentence. */
function because(storage: Storage, kind: Parameters<Storage['setListed']>[0]): string {
  const problem = storage.unlisted.get(kind);
  return problem === undefined ? '' : ` (${kind}: ${problem})`;
}
