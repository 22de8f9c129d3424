import { ConditionReason } from '../../api/v1alpha1/constants/index.ts';
import type { NamespaceFacts } from './facts.ts';
import { matches } from './match.ts';
import type { Problem } from './problem.ts';
import type { QuotaSpec } from './specs.ts';

/** Which quota pays for which namespace, and who was too late for one. */
export interface NamespaceOwners {
  readonly quotaOf: ReadonlyMap<string, string>;
  readonly remarks: ReadonlyMap<string, readonly Problem[]>;
}

/**
 * A namespace that several quotas select belongs to the oldest, then to the one whose name sorts first; the others are
 * told. Selectors that ask for one label value, the usual form, are found by that value, so that the cost is
 * O(namespaces + quotas) for them and O(namespaces) for each quota of another form.
 */
export function resolveNamespaces(quotas: readonly QuotaSpec[], namespaces: Iterable<NamespaceFacts>): NamespaceOwners {
  const byValue = new Map<string, Map<string, QuotaSpec[]>>();
  const others: QuotaSpec[] = [];
  for (const quota of quotas) {
    if (quota.namespaceSelector === undefined) continue;
    const only = quota.namespaceSelector.find((r) => r.operator === 'In' && r.values.length === 1);
    if (only === undefined) {
      others.push(quota);
      continue;
    }
    let values = byValue.get(only.key);
    if (values === undefined) {
      values = new Map<string, QuotaSpec[]>();
      byValue.set(only.key, values);
    }
    const value = only.values[0] ?? '';
    values.set(value, [...(values.get(value) ?? []), quota]);
  }

  const quotaOf = new Map<string, string>();
  const lost = new Map<string, string[]>();
  for (const namespace of namespaces) {
    const candidates = [...others];
    for (const [key, values] of byValue) candidates.push(...(values.get(namespace.labels[key] ?? '') ?? []));
    const [owner, ...late] = candidates
      .filter((quota) => quota.namespaceSelector !== undefined && matches(quota.namespaceSelector, namespace.labels))
      .sort((a, b) => a.createdAt - b.createdAt || (a.name < b.name ? -1 : 1));
    if (owner === undefined) continue;
    quotaOf.set(namespace.name, owner.name);
    for (const quota of late) {
      lost.set(quota.name, [...(lost.get(quota.name) ?? []), `${namespace.name} (paid for by ${owner.name})`]);
    }
  }
  const remarks = new Map<string, readonly Problem[]>();
  for (const [quota, names] of lost) {
    const shown = names.sort().slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '');
    const message = `spec.namespaceSelector selects namespaces of older quotas as well: ${shown}`;
    remarks.set(quota, [{ reason: ConditionReason.NamespaceConflict, message }]);
  }
  return { quotaOf, remarks };
}
