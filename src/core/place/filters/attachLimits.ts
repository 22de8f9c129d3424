import { claimKey, type ClaimFacts, type ClaimUse, type Storage } from '../../snapshot/index.ts';
import type { Obstacle } from './obstacle.ts';

/** Provisioners of clouds' disks: their volumes are counted by the CSI driver that took over, node by node. */
const migratedProvisioners: ReadonlySet<string> = new Set(
  ['aws-ebs', 'azure-disk', 'azure-file', 'cinder', 'gce-pd', 'portworx-volume', 'vsphere-volume'].map(
    (name) => `kubernetes.io/${name}`,
  ),
);

const exceeded: Obstacle = { text: 'the number of volumes that a node can attach' };

/**
 * Whether the node can attach the volumes of the claims beside those of the pods on it, as the plugin NodeVolumeLimits
 * of kube-scheduler: each volume counts once, however many pods use it; a claim without a volume counts as one of its
 * class's provisioner. Volumes that are still being detached are not known here and do not count.
 * Cost: O(claims of the pod and of the node); O(1) on a node without limits.
 */
export function attachObstacle(
  storage: Storage,
  pod: { readonly namespace: string; readonly claims: readonly ClaimUse[] },
  { nodeName, held }: { readonly nodeName: string; readonly held: Iterable<string> },
): Obstacle | undefined {
  const limits = storage.csiNode(nodeName)?.limits;
  if (limits === undefined || limits.size === 0) return undefined;
  const attached = new Map<string, string>();
  const wanted = new Map<string, string>();
  for (const key of held) note(storage, key, attached);
  for (const { name } of pod.claims) note(storage, claimKey(pod.namespace, name), wanted);
  for (const volume of attached.keys()) wanted.delete(volume);
  for (const driver of wanted.values()) {
    const limit = limits.get(driver);
    if (limit !== undefined && countOf(driver, attached) + countOf(driver, wanted) > limit) return exceeded;
  }
  return undefined;
}

/** Notes the driver of the claim's volume under a name of the volume. */
function note(storage: Storage, key: string, drivers: Map<string, string>): void {
  const claim = storage.claim(key);
  const volume = claim === undefined ? undefined : attachedVolume(storage, claim, key);
  if (volume !== undefined && volume.driver !== '' && volume.handle !== '')
    drivers.set(`${volume.driver}/${volume.handle}`, volume.driver);
}

function attachedVolume(storage: Storage, claim: ClaimFacts, key: string) {
  const volume = claim.volumeName === '' ? undefined : storage.volume(claim.volumeName);
  if (volume !== undefined) return volume.csi;
  const provisioner = storage.storageClass(claim.className)?.provisioner;
  if (provisioner === undefined || migratedProvisioners.has(provisioner)) return undefined;
  return { driver: provisioner, handle: `claim ${key}` };
}

function countOf(driver: string, volumes: ReadonlyMap<string, string>): number {
  let count = 0;
  for (const other of volumes.values()) if (other === driver) count++;
  return count;
}
