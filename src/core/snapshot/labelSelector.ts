import type { Labels, Requirement, Selector } from './facts.ts';
import { listOf, objectOf, textMembersOf, textOf, textsOf } from './raw.ts';

/**
 * Reads a LabelSelector as the API server shows it. Undefined where there is none: such a selector matches nothing,
 * while an empty one matches everything. An operator that Kubernetes does not know makes it match nothing.
 */
export function readLabelSelector(value: unknown): Selector | undefined {
  if (value === undefined || value === null) return undefined;
  const { matchLabels, matchExpressions } = objectOf(value);
  const expressions: Requirement[] = [];
  for (const element of listOf(matchExpressions)) {
    const { key, operator, values } = objectOf(element);
    if (!isSetOperator(operator)) return undefined;
    expressions.push({ key: textOf(key) ?? '', operator, values: textsOf(values) });
  }
  return [...requirementsOf(textMembersOf(matchLabels)), ...expressions];
}

/** One requirement for each label, in the order of keys. */
export function requirementsOf(labels: Labels): Selector {
  return Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, wanted]) => ({ key, operator: 'In', values: [wanted] }));
}

function isSetOperator(value: unknown): value is 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' {
  return value === 'In' || value === 'NotIn' || value === 'Exists' || value === 'DoesNotExist';
}
