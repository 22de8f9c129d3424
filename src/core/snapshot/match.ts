import type { Labels, NodeTerm, PodShape, Requirement, Selector, Taint, Toleration } from './facts.ts';

/** Whether the labels meet every requirement. Semantics of `k8s.io/apimachinery/pkg/labels`. */
export function matches(selector: Selector, labels: Labels): boolean {
  return selector.every((requirement) => meets(requirement, valueOf(labels, requirement.key)));
}

/**
 * Whether a node with these labels and this name satisfies the pod's node selector and required node affinity.
 * A term without requirements matches no node, as in Kubernetes.
 */
export function matchesNode(shape: PodShape, labels: Labels, nodeName: string): boolean {
  if (!matches(shape.nodeSelector, labels)) return false;
  return shape.nodeTerms === undefined || matchesAnyTerm(shape.nodeTerms, labels, nodeName);
}

/** Whether one of the terms, which are alternatives, matches. */
export function matchesAnyTerm(terms: readonly NodeTerm[], labels: Labels, nodeName: string): boolean {
  return terms.some((term) => matchesTerm(term, labels, nodeName));
}

/** The first taint that keeps the pod off the node, or undefined. PreferNoSchedule keeps no one off. */
export function untoleratedTaint(taints: readonly Taint[], tolerations: readonly Toleration[]): Taint | undefined {
  return taints.find(
    (taint) => taint.effect !== 'PreferNoSchedule' && !tolerations.some((toleration) => tolerates(toleration, taint)),
  );
}

/**
 * Whether labels could exist that satisfy both selectors: false only where a requirement of one rules the other out.
 * Used to tell "no class fits" from "no such node today".
 */
export function compatible(a: Selector, b: Selector): boolean {
  return a.every((one) => b.every((other) => one.key !== other.key || !excludes(one, other)));
}

/** A label named like a member of every object (`constructor`) is not there unless the node has it. */
function valueOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

function matchesTerm(term: NodeTerm, labels: Labels, nodeName: string): boolean {
  if (term.labels.length + term.names.length === 0) return false;
  return matches(term.labels, labels) && term.names.every((requirement) => meets(requirement, nodeName));
}

function meets(requirement: Requirement, value: string | undefined): boolean {
  switch (requirement.operator) {
    case 'In':
      return value !== undefined && requirement.values.includes(value);
    case 'NotIn':
      return value === undefined || !requirement.values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
    case 'Lt':
      return compares(requirement, value);
  }
}

/** Gt and Lt compare whole numbers; anything else on either side matches nothing. */
function compares(requirement: Requirement, value: string | undefined): boolean {
  const bound = requirement.values[0];
  if (requirement.values.length !== 1 || !isWhole(bound) || !isWhole(value)) return false;
  const difference = BigInt(value) - BigInt(bound);
  return requirement.operator === 'Gt' ? difference > 0n : difference < 0n;
}

function isWhole(text: string | undefined): text is string {
  return text !== undefined && /^-?\d+$/.test(text);
}

function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect !== '' && toleration.effect !== taint.effect) return false;
  if (toleration.key === '') return toleration.operator === 'Exists';
  if (toleration.key !== taint.key) return false;
  // Lt and Gt are behind a feature gate of Kubernetes: taken as "does not tolerate", which can only delay a pod.
  return toleration.operator === 'Exists' || (toleration.operator === 'Equal' && toleration.value === taint.value);
}

function excludes(a: Requirement, b: Requirement): boolean {
  if (a.operator === 'DoesNotExist') return b.operator === 'In' || b.operator === 'Exists';
  if (b.operator === 'DoesNotExist') return a.operator === 'In' || a.operator === 'Exists';
  if (a.operator === 'In') return !a.values.some((value) => meets(b, value));
  if (b.operator === 'In') return !b.values.some((value) => meets(a, value));
  return false;
}
