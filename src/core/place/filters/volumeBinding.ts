import {
  matches,
  matchesAnyTerm,
  type ClaimDecision,
  type ClaimFacts,
  type Labels,
  type NodeFacts,
  type Storage,
  type VolumeFacts,
} from '../../snapshot/index.ts';
import type { Obstacle } from './obstacle.ts';
import type { OpenClaim, PodClaims } from './podClaims.ts';

/** What has been decided about claims: by the binder, or by the plan that is being made. */
export interface Decisions {
  decision(claimKey: string): ClaimDecision | undefined;
  /** Key of the claim that the volume is kept for. */
  takerOf(volume: string): string | undefined;
}

/** What is to be done for an open claim of a pod once the pod goes to a node. */
export interface ClaimChoice extends OpenClaim {
  readonly decision: ClaimDecision;
}

const wrongNode: Obstacle = { text: 'the place of a volume of the pod' };
const wrongZone: Obstacle = { text: 'the zone of a volume of the pod' };
const elsewhere: Obstacle = { text: 'a volume claim of the pod that is being bound for another node' };
const noVolume: Obstacle = { text: 'the lack of a free volume that fits a claim of the pod' };

const noProvisioner = 'kubernetes.io/no-provisioner';

/**
 * Chooses a volume, or where to have one made, for each open claim of a pod on a node; or says what is in the way.
 * As the plugins VolumeBinding and VolumeZone of kube-scheduler, storage capacities left aside.
 * Cost: O(claims + free volumes of their classes).
 */
export function chooseVolumes(
  { storage, decisions }: { readonly storage: Storage; readonly decisions: Decisions },
  { bound, open }: PodClaims,
  node: NodeFacts,
): readonly ClaimChoice[] | Obstacle {
  for (const { volume, ephemeral } of bound) {
    if (!reaches(volume, node)) return wrongNode;
    if (!ephemeral && !inZone(volume, node.labels)) return wrongZone;
  }
  const choices: ClaimChoice[] = [];
  const chosen = new Set<string>();
  for (const one of open) {
    const decided = decisions.decision(one.key);
    const decision = decided ?? decide(one, node, { storage, decisions, chosen });
    if ('text' in decision) return decision;
    const volume = decision.volume === undefined ? undefined : storage.volume(decision.volume);
    if (decided !== undefined && !stillFits(decided, volume, node)) return elsewhere;
    if (decision.volume !== undefined) chosen.add(decision.volume);
    choices.push({ ...one, decision });
  }
  return choices;
}

function decide(
  { key, claim, storageClass }: OpenClaim,
  node: NodeFacts,
  context: { readonly storage: Storage; readonly decisions: Decisions; readonly chosen: ReadonlySet<string> },
): ClaimDecision | Obstacle {
  if (claim.selectedNode !== undefined && claim.selectedNode !== node.name) return elsewhere;
  if (claim.selectedNode === undefined) {
    const volume = smallestMatch(key, claim, node, context);
    if (volume !== undefined) return { nodeName: node.name, volume: volume.name };
  }
  const { provisioner, topologies } = storageClass;
  const made =
    provisioner !== '' &&
    provisioner !== noProvisioner &&
    (topologies.length === 0 || topologies.some((term) => term.length > 0 && matches(term, node.labels)));
  return made ? { nodeName: node.name, volume: undefined } : noVolume;
}

/** A volume that is decided for a claim serves other pods of the claim too; one still to be made is for its node. */
function stillFits(decision: ClaimDecision, volume: VolumeFacts | undefined, node: NodeFacts): boolean {
  return volume === undefined ? decision.nodeName === node.name : reaches(volume, node);
}

/** The volume that is reserved for the claim, else the smallest that is free, large enough and of its kind. */
function smallestMatch(
  key: string,
  claim: ClaimFacts,
  node: NodeFacts,
  { storage, decisions, chosen }: Parameters<typeof decide>[2],
): VolumeFacts | undefined {
  let best: VolumeFacts | undefined;
  for (const volume of storage.volumesOfClass(claim.className)) {
    if (chosen.has(volume.name) || (decisions.takerOf(volume.name) ?? key) !== key) continue;
    const reserved = isReservedFor(volume, claim);
    if (volume.claim !== undefined && !reserved) continue;
    if (volume.size < claim.size || volume.block !== claim.block || volume.deleting) continue;
    if (volume.attributesClass !== claim.attributesClass) continue;
    if (reserved) return reaches(volume, node) ? volume : undefined;
    if (!volume.available || (claim.selector !== undefined && !matches(claim.selector, volume.labels))) continue;
    if (!claim.accessModes.every((mode) => volume.accessModes.includes(mode)) || !reaches(volume, node)) continue;
    if (best === undefined || volume.size < best.size) best = volume;
  }
  return best;
}

/** Whether the volume names the claim, be it that someone reserved it or that they are bound. */
export function isReservedFor({ claim: named }: VolumeFacts, claim: ClaimFacts): boolean {
  if (named?.name !== claim.name || named.namespace !== claim.namespace) return false;
  return named.uid === '' || named.uid === claim.uid;
}

/** The node's name is no part of what a volume may ask for: only labels are. */
function reaches({ nodeTerms }: VolumeFacts, { labels }: NodeFacts): boolean {
  return nodeTerms === undefined || matchesAnyTerm(nodeTerms, labels, '');
}

/** Keys of zones and regions, with the key that replaced it. */
const zoneKeys = [
  ['failure-domain.beta.kubernetes.io/zone', 'topology.kubernetes.io/zone'],
  ['failure-domain.beta.kubernetes.io/region', 'topology.kubernetes.io/region'],
  ['topology.kubernetes.io/zone', 'topology.kubernetes.io/zone'],
  ['topology.kubernetes.io/region', 'topology.kubernetes.io/region'],
] as const;

/** Labels of a volume may name its zones, with `__` between them. A node without any zone is in all of them. */
function inZone(volume: VolumeFacts, node: Labels): boolean {
  if (!zoneKeys.some(([key]) => Object.hasOwn(node, key))) return true;
  return zoneKeys.every(([key, successor]) => {
    const zones = Object.hasOwn(volume.labels, key) ? volume.labels[key]?.split('__').map((zone) => zone.trim()) : [];
    if (zones === undefined || zones.length === 0 || zones.includes('')) return true;
    const own = Object.hasOwn(node, key) ? node[key] : node[successor];
    return own !== undefined && zones.includes(own);
  });
}
