import type { Condition, Kind } from '../../api/v1alpha1/index.ts';
import type { ConditionValue, Verdict } from '../../core/status/index.ts';
import { setCondition } from '../../kube/index.ts';
import type { StatusOf } from '../manifests/index.ts';

/** What is to be written, and what about it is new. */
export interface NextStatus<K extends Kind> {
  readonly status: StatusOf<K>;
  /** `figures`: nothing but numbers and sentences differs, so that the write can wait. */
  readonly change: 'nothing' | 'figures' | 'substance';
  /** Conditions whose status or reason differs from before, or that were not there. */
  readonly turned: readonly { readonly value: ConditionValue; readonly isFirst: boolean }[];
}

/**
 * The status that a verdict asks for. Times of conditions that did not turn are kept; conditions and figures that the
 * verdict leaves out are gone.
 *
 * @param observed the status as it is now
 */
export function nextStatus<K extends Kind>(
  verdict: Verdict<StatusOf<K>>,
  observed: StatusOf<K> | undefined,
  nowIso: string,
): NextStatus<K> {
  const { generation } = verdict;
  const before = new Map((observed?.conditions ?? []).map((condition) => [condition.type, condition]));
  const conditions = verdict.conditions.flatMap((value) =>
    setCondition(known(before.get(value.type)), { ...value, observedGeneration: generation }, nowIso),
  );
  // A verdict's figures are the kind's status without these two; the compiler cannot see that of a generic kind.
  const status = { observedGeneration: generation, ...verdict.figures, conditions } as unknown as StatusOf<K>;
  if (canonical(status) === canonical(observed)) return { status, change: 'nothing', turned: [] };
  const turned = verdict.conditions
    .filter(({ type, status: now, reason }) => before.get(type)?.status !== now || before.get(type)?.reason !== reason)
    .map((value) => ({ value, isFirst: !before.has(value.type) }));
  const isSubstance =
    turned.length > 0 || before.size !== conditions.length || observed?.observedGeneration !== generation;
  return { status, change: isSubstance ? 'substance' : 'figures', turned };
}

function known(condition: Condition | undefined): Parameters<typeof setCondition>[0] {
  if (condition === undefined) return [];
  const { observedGeneration, ...rest } = condition;
  return [{ ...rest, ...(observedGeneration === undefined ? {} : { observedGeneration }) }];
}

/**
 * Text that is the same for equal statuses: keys in order, fields without value left out. Every list of a status is a
 * map by key, so that the order of its entries, which the server may change, says nothing.
 */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).sort().join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, field]) => `${key}:${canonical(field)}`).join(',')}}`;
}
