import type {
  AffinityTerm,
  ClaimUse,
  HostPort,
  InlineDisk,
  Labels,
  PodConstraints,
  SpreadConstraint,
} from './facts.ts';
import { readLabelSelector, requirementsOf } from './labelSelector.ts';
import { isSidecar } from './podRequests.ts';
import { listOf, objectOf, textMembersOf, textOf, textsOf, type Raw } from './raw.ts';

const required = 'requiredDuringSchedulingIgnoredDuringExecution';
const everyAddress = '0.0.0.0';
const noClaims: readonly ClaimUse[] = [];

/** What of a pod depends on other pods or on volumes; undefined = nothing does. */
export function readConstraints(pod: Raw): PodConstraints | undefined {
  const spec = objectOf(pod['spec']);
  const affinity = objectOf(spec['affinity']);
  const constraints = {
    hostPorts: readHostPorts(spec),
    disks: listOf(spec['volumes']).flatMap((volume) => readDisk(objectOf(volume))),
    affinity: readTerms(affinity['podAffinity']),
    antiAffinity: readTerms(affinity['podAntiAffinity']),
    spread: readSpread(spec, textMembersOf(objectOf(pod['metadata'])['labels'])),
    claims: listOf(spec['volumes']).some((volume) => isClaim(objectOf(volume))),
  };
  const { claims, ...lists } = constraints;
  return claims || Object.values(lists).some((list) => list.length > 0) ? constraints : undefined;
}

/** The claims of a pod. One that is made from a template is called after the pod and the volume. */
export function readClaimUses(pod: Raw): readonly ClaimUse[] {
  const volumes = listOf(objectOf(pod['spec'])['volumes']).map(objectOf);
  if (!volumes.some(isClaim)) return noClaims;
  const podName = textOf(objectOf(pod['metadata'])['name']) ?? '';
  return volumes.flatMap((volume): ClaimUse[] => {
    if (isPresent(volume['persistentVolumeClaim']))
      return [{ name: textOf(objectOf(volume['persistentVolumeClaim'])['claimName']) ?? '', ephemeral: false }];
    if (isPresent(volume['ephemeral']))
      return [{ name: `${podName}-${textOf(volume['name']) ?? ''}`, ephemeral: true }];
    return [];
  });
}

/** Ports of containers that live as long as the pod: an init container that is no sidecar gives its port back. */
function readHostPorts(spec: Raw): readonly HostPort[] {
  const sidecars = listOf(spec['initContainers']).map(objectOf).filter(isSidecar);
  const containers = [...sidecars, ...listOf(spec['containers']).map(objectOf)];
  const ports = containers.flatMap((container) => listOf(container['ports']).map(objectOf));
  return ports.flatMap(({ hostPort, hostIP, protocol }): HostPort[] => {
    if (typeof hostPort !== 'number' || hostPort <= 0) return [];
    return [{ ip: textOf(hostIP) || everyAddress, protocol: textOf(protocol) || 'TCP', port: hostPort }];
  });
}

function readDisk(volume: Raw): InlineDisk[] {
  if (isPresent(volume['iscsi'])) {
    const { iqn, readOnly } = objectOf(volume['iscsi']);
    return [{ names: [`iscsi ${textOf(iqn) ?? ''}`], readOnly: readOnly === true }];
  }
  if (isPresent(volume['rbd'])) {
    const { monitors, pool, image, readOnly } = objectOf(volume['rbd']);
    const disk = `${textOf(pool) ?? ''}/${textOf(image) ?? ''}`;
    return [{ names: textsOf(monitors).map((monitor) => `rbd ${monitor} ${disk}`), readOnly: readOnly === true }];
  }
  return [];
}

/** `matchLabelKeys` and `mismatchLabelKeys` are in the selector already: the API server merges them at creation. */
function readTerms(value: unknown): readonly AffinityTerm[] {
  return listOf(objectOf(value)[required]).map((element): AffinityTerm => {
    const term = objectOf(element);
    return {
      topologyKey: textOf(term['topologyKey']) ?? '',
      selector: readLabelSelector(term['labelSelector']),
      namespaces: textsOf(term['namespaces']),
      namespaceSelector: readLabelSelector(term['namespaceSelector']),
    };
  });
}

function readSpread(spec: Raw, labels: Labels): readonly SpreadConstraint[] {
  return listOf(spec['topologySpreadConstraints'])
    .map(objectOf)
    .filter((constraint) => constraint['whenUnsatisfiable'] !== 'ScheduleAnyway')
    .map((constraint): SpreadConstraint => {
      const { topologyKey, maxSkew, minDomains, labelSelector, matchLabelKeys } = constraint;
      const selector = readLabelSelector(labelSelector);
      const own = textsOf(matchLabelKeys).flatMap((key) => {
        const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
        return value === undefined ? [] : [[key, value]];
      });
      return {
        topologyKey: textOf(topologyKey) ?? '',
        maxSkew: typeof maxSkew === 'number' ? maxSkew : 1,
        minDomains: typeof minDomains === 'number' ? minDomains : 1,
        selector:
          selector === undefined ? undefined : [...requirementsOf(Object.fromEntries(own) as Labels), ...selector],
        honorsAffinity: constraint['nodeAffinityPolicy'] !== 'Ignore',
        honorsTaints: constraint['nodeTaintsPolicy'] === 'Honor',
      };
    });
}

function isClaim(volume: Raw): boolean {
  return isPresent(volume['persistentVolumeClaim']) || isPresent(volume['ephemeral']);
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}
