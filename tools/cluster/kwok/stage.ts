/**
 * A step in the life of a simulated object: KWOK waits until an object matches, then until the time has come, and then
 * acts. The stages of one kind must exclude each other: of several that match, KWOK picks one at random.
 */
export interface Stage {
  readonly apiGroup: 'v1' | 'coordination.k8s.io/v1';
  readonly kind: 'Pod' | 'Node' | 'Lease';
  readonly when: readonly Condition[];
  /**
   * When to act: a jq expression that yields an instant. Absent: at once. The wait starts anew whenever the object
   * changes; that is why this is an instant of the object's own, never a length of time.
   */
  readonly at?: string;
  /** Act at a random instant between `at` and this one. */
  readonly atLatest?: string;
  readonly then: readonly Step[];
}

/** What a stage does, in this order. Templates are Go templates of YAML whose dot is the object. */
export type Step =
  | { readonly patch: 'status' | 'spec'; readonly with: string }
  /** Creates an object, or applies it to one that exists. */
  | { readonly apply: string }
  | 'delete';

interface Condition {
  readonly jq: { readonly key: string; readonly operator: Operator; readonly values?: readonly string[] };
}

type Operator = 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';

/** A condition on what a jq expression yields. */
export function when(key: string, operator: Operator, ...values: readonly string[]): Condition {
  return { jq: { key, operator, ...(values.length > 0 ? { values } : {}) } };
}

/** The manifest that KWOK reads. */
export function stageManifest(name: string, stage: Stage): object {
  const from = (expression: string) => ({ jq: { expression } });
  const delay = {
    ...(stage.at === undefined ? {} : { durationFrom: from(stage.at) }),
    ...(stage.atLatest === undefined ? {} : { jitterDurationFrom: from(stage.atLatest) }),
  };
  return {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'Stage',
    metadata: { name },
    spec: {
      resourceRef: { apiGroup: stage.apiGroup, kind: stage.kind },
      selector: { matchExpressions: stage.when },
      ...(stage.at === undefined ? {} : { delay }),
      steps: stage.then.map((step) => stepManifest(stage, step)),
    },
  };
}

function stepManifest(stage: Stage, step: Step): object {
  if (step === 'delete') return { delete: true };
  if ('apply' in step) return { apply: { template: step.apply } };
  // Lists with merge keys are merged where the server knows the type; a lease has no lists.
  const type = stage.kind === 'Lease' ? 'merge' : 'strategic';
  const subresource = step.patch === 'status' ? { subresource: 'status' } : {};
  return { patch: { ...subresource, type, template: onThisVersion(step.patch, step.with) } };
}

/**
 * A patch on condition that the object is still the one that the stage matched. KWOK hears of a pod twice when it takes
 * over the pod's node: without the condition the pod would start a second time, with another address. A patch that comes
 * too late is dropped, and the change that was in its way makes KWOK look at the object again.
 */
function onThisVersion(field: string, template: string): string {
  return `{{ $version := .metadata.resourceVersion }}
metadata: {resourceVersion: {{ $version | Quote }}}
${field}:
${template.trim().replaceAll(/^/gm, '  ')}
`;
}
