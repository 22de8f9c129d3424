import type { NodeTerm, Requirement, Selector } from './facts.ts';
import { readLabelSelector } from './labelSelector.ts';
import { readAmount } from './podRequests.ts';
import { listOf, objectOf, textMembersOf, textOf, textsOf, type Raw } from './raw.ts';
import type { ClaimFacts, CsiNodeFacts, StorageClassFacts, VolumeFacts } from './storage.ts';

const classAnnotation = 'volume.beta.kubernetes.io/storage-class';
const selectedNodeAnnotation = 'volume.kubernetes.io/selected-node';
const boundAnnotation = 'pv.kubernetes.io/bind-completed';
/** Kinds of volumes that Kubernetes hands to a CSI driver where the node says so. */
const migratedKinds = [
  'awsElasticBlockStore',
  'azureDisk',
  'azureFile',
  'cinder',
  'gcePersistentDisk',
  'portworxVolume',
];

/** Reads a PersistentVolumeClaim. Never throws: what is missing is read as absent. */
export function readClaim(raw: Raw): ClaimFacts {
  const { metadata, spec, notes, identity } = partsOf(raw);
  const owner = listOf(metadata['ownerReferences'])
    .map(objectOf)
    .find((reference) => reference['controller'] === true);
  return {
    ...identity,
    uid: textOf(metadata['uid']) ?? '',
    namespace: textOf(metadata['namespace']) ?? '',
    className: notes[classAnnotation] ?? textOf(spec['storageClassName']) ?? '',
    volumeName: textOf(spec['volumeName']) ?? '',
    bound: Object.hasOwn(notes, boundAnnotation) && (textOf(spec['volumeName']) ?? '') !== '',
    lost: objectOf(raw['status'])['phase'] === 'Lost',
    deleting: metadata['deletionTimestamp'] !== undefined,
    owner: textOf(owner?.['uid']),
    selectedNode: notes[selectedNodeAnnotation],
    size: sizeOf(objectOf(objectOf(spec['resources'])['requests'])['storage']),
    accessModes: textsOf(spec['accessModes']),
    block: spec['volumeMode'] === 'Block',
    selector: readLabelSelector(spec['selector']),
    attributesClass: textOf(spec['volumeAttributesClassName']) ?? '',
  };
}

/** Reads a PersistentVolume. Never throws. */
export function readVolume(raw: Raw): VolumeFacts {
  const { metadata, spec, notes, identity } = partsOf(raw);
  const csi = objectOf(spec['csi']);
  const claim = objectOf(spec['claimRef']);
  const required = objectOf(spec['nodeAffinity'])['required'];
  return {
    ...identity,
    className: notes[classAnnotation] ?? textOf(spec['storageClassName']) ?? '',
    claim:
      textOf(claim['name']) === undefined
        ? undefined
        : {
            namespace: textOf(claim['namespace']) ?? '',
            name: textOf(claim['name']) ?? '',
            uid: textOf(claim['uid']) ?? '',
          },
    size: sizeOf(objectOf(spec['capacity'])['storage']),
    accessModes: textsOf(spec['accessModes']),
    block: spec['volumeMode'] === 'Block',
    available: objectOf(raw['status'])['phase'] === 'Available',
    deleting: metadata['deletionTimestamp'] !== undefined,
    labels: textMembersOf(metadata['labels']),
    nodeTerms: required === undefined || required === null ? undefined : readTerms(objectOf(required)),
    attributesClass: textOf(spec['volumeAttributesClassName']) ?? '',
    csi:
      spec['csi'] === undefined
        ? undefined
        : { driver: textOf(csi['driver']) ?? '', handle: textOf(csi['volumeHandle']) ?? '' },
    migrated: migratedKinds.find((kind) => spec[kind] !== undefined),
  };
}

/** Reads a StorageClass. Never throws. */
export function readStorageClass(raw: Raw): StorageClassFacts {
  return {
    name: textOf(objectOf(raw['metadata'])['name']) ?? '',
    provisioner: textOf(raw['provisioner']) ?? '',
    waits: raw['volumeBindingMode'] === 'WaitForFirstConsumer',
    topologies: listOf(raw['allowedTopologies']).map((term): Selector => {
      const expressions = listOf(objectOf(term)['matchLabelExpressions']).map(objectOf);
      return expressions.map(({ key, values }) => ({
        key: textOf(key) ?? '',
        operator: 'In',
        values: textsOf(values),
      }));
    }),
  };
}

/** Reads a CSINode. Never throws. */
export function readCsiNode(raw: Raw): CsiNodeFacts {
  const limits = new Map<string, number>();
  for (const driver of listOf(objectOf(raw['spec'])['drivers']).map(objectOf)) {
    const count = objectOf(driver['allocatable'])['count'];
    if (typeof count === 'number') limits.set(textOf(driver['name']) ?? '', count);
  }
  return { name: textOf(objectOf(raw['metadata'])['name']) ?? '', limits };
}

function partsOf(raw: Raw) {
  const metadata = objectOf(raw['metadata']);
  const identity = { name: textOf(metadata['name']) ?? '', resourceVersion: textOf(metadata['resourceVersion']) ?? '' };
  return { metadata, spec: objectOf(raw['spec']), notes: textMembersOf(metadata['annotations']), identity };
}

/** Bytes; one that cannot be read holds nothing and asks for nothing. */
function sizeOf(quantity: unknown): number {
  return readAmount('storage', quantity) ?? 0;
}

/** A requirement on anything but labels matches no volume: the scheduler of Kubernetes shows it labels only. */
function readTerms(required: Raw): readonly NodeTerm[] {
  return listOf(required['nodeSelectorTerms'])
    .map(objectOf)
    .map((term) => ({
      labels: listOf(term['matchExpressions']).map(readRequirement),
      names: listOf(term['matchFields']).map(readRequirement),
    }));
}

function readRequirement(value: unknown): Requirement {
  const { key, operator, values } = objectOf(value);
  const known = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'] as const;
  // `In` without values matches nothing.
  const operand = known.find((name) => name === operator);
  return { key: textOf(key) ?? '', operator: operand ?? 'In', values: operand === undefined ? [] : textsOf(values) };
}
