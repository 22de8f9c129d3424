import type { NodeTerm, PodShape, Requirement, Selector, Toleration } from './facts.ts';
import { requirementsOf } from './labelSelector.ts';
import { readConstraints } from './podConstraints.ts';
import { effectiveRequests, type Refuse } from './podRequests.ts';
import { quoted } from './quoted.ts';
import { listOf, objectOf, textMembersOf, textOf, textsOf, type Raw } from './raw.ts';

/**
 * Volumes that are modelled, most of them as what any node can serve. The disks of clouds (`awsElasticBlockStore` and
 * the like) are not: Kubernetes hands them to a CSI driver node by node.
 */
const knownVolumes = new Set([
  'cephfs',
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'glusterfs',
  'hostPath',
  'image',
  'iscsi',
  'nfs',
  'persistentVolumeClaim',
  'projected',
  'rbd',
  'secret',
]);

const required = 'requiredDuringSchedulingIgnoredDuringExecution';

/**
 * The part of a pod that decides where it may run, without its key. The first field that cannot be modelled is named in
 * `unsupported`; preferences are left out, as they keep a pod off no node.
 */
export function readShape(pod: Raw): Omit<PodShape, 'key'> {
  const spec = objectOf(pod['spec']);
  let unsupported: string | undefined;
  const refuse = (sentence: string) => (unsupported ??= sentence);
  const requests = effectiveRequests(pod, refuse);
  const nodeSelector = requirementsOf(textMembersOf(spec['nodeSelector']));
  const nodeTerms = readNodeTerms(spec, refuse);
  const tolerations = readTolerations(spec['tolerations'], refuse);
  refuseUnmodelled(spec, (field) =>
    refuse(
      `${field} is not supported by this version of Moa; remove it, or give the pod another scheduler in spec.schedulerName.`,
    ),
  );
  return { requests, nodeSelector, nodeTerms, tolerations, constraints: readConstraints(pod), unsupported };
}

function readNodeTerms(spec: Raw, refuse: Refuse): readonly NodeTerm[] | undefined {
  const asked = objectOf(objectOf(spec['affinity'])['nodeAffinity'])[required];
  if (asked === undefined || asked === null) return undefined;
  return listOf(objectOf(asked)['nodeSelectorTerms']).map((value, i): NodeTerm => {
    const term = objectOf(value);
    const field = `spec.affinity.nodeAffinity.${required}.nodeSelectorTerms[${i}]`;
    return {
      labels: readRequirements(term['matchExpressions'], `${field}.matchExpressions`, refuse),
      names: readNameRequirements(term['matchFields'], `${field}.matchFields`, refuse),
    };
  });
}

function readRequirements(value: unknown, field: string, refuse: Refuse): Selector {
  return listOf(value).map((element, i): Requirement => {
    const { key, operator, values } = objectOf(element);
    if (!isOperator(operator))
      refuse(`${field}[${i}].operator is ${shown(operator)}: write In, NotIn, Exists, DoesNotExist, Gt or Lt.`);
    return { key: textOf(key) ?? '', operator: isOperator(operator) ? operator : 'In', values: textsOf(values) };
  });
}

/** The name of the node is the only field that Kubernetes lets a pod ask for. */
function readNameRequirements(value: unknown, field: string, refuse: Refuse): Selector {
  listOf(value).forEach((element, i) => {
    const { key } = objectOf(element);
    if (key !== 'metadata.name') refuse(`${field}[${i}].key is ${shown(key)}: write metadata.name.`);
  });
  return readRequirements(value, field, refuse);
}

function readTolerations(value: unknown, refuse: Refuse): readonly Toleration[] {
  return listOf(value).map((element, i): Toleration => {
    const { key, operator: given, value: wanted, effect } = objectOf(element);
    const operator = given === undefined || given === '' ? 'Equal' : given;
    const known = operator === 'Exists' || operator === 'Equal' || operator === 'Lt' || operator === 'Gt';
    if (!known) refuse(`spec.tolerations[${i}].operator is ${shown(operator)}: write Exists or Equal.`);
    return {
      key: textOf(key) ?? '',
      operator: known ? operator : 'Equal',
      value: textOf(wanted) ?? '',
      effect: textOf(effect) ?? '',
    };
  });
}

/** Names every field that limits the nodes in a way that is not modelled. */
function refuseUnmodelled(spec: Raw, refuse: Refuse): void {
  listOf(spec['volumes']).forEach((volume, i) => {
    const kind = Object.keys(objectOf(volume)).find((member) => member !== 'name' && !knownVolumes.has(member));
    if (kind !== undefined) refuse(`spec.volumes[${i}].${kind}`);
  });
  if (listOf(spec['resourceClaims']).length > 0) refuse('spec.resourceClaims');
}

function isOperator(value: unknown): value is Requirement['operator'] {
  return (
    value === 'In' ||
    value === 'NotIn' ||
    value === 'Exists' ||
    value === 'DoesNotExist' ||
    value === 'Gt' ||
    value === 'Lt'
  );
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : quoted(value);
}
