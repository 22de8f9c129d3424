import type { Requirement, Selector } from '../../snapshot/index.ts';

/** What keeps a pod off a node. The same cause is the same object, so that obstacles can be counted. */
export interface Obstacle {
  /** As the subject of a sentence: `required anti-affinity to pods app=x by zone`. */
  readonly text: string;
}

/** Pods that a selector matches, as kubectl writes selectors. */
export function podsText(selector: Selector | undefined): string {
  if (selector === undefined) return 'no pods';
  return selector.length === 0 ? 'all pods' : `pods ${selector.map(requirementText).join(',')}`;
}

function requirementText({ key, operator, values }: Requirement): string {
  switch (operator) {
    case 'In':
      return values.length === 1 ? `${key}=${values[0] ?? ''}` : `${key} in (${values.join(',')})`;
    case 'NotIn':
      return values.length === 1 ? `${key}!=${values[0] ?? ''}` : `${key} notin (${values.join(',')})`;
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
    case 'Gt':
      return `${key}>${values[0] ?? ''}`;
    case 'Lt':
      return `${key}<${values[0] ?? ''}`;
  }
}
