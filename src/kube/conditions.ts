/** A condition as Kubernetes defines it (meta/v1 Condition). */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  /** One CamelCase word, for programs. */
  readonly reason: string;
  /** One sentence, for people; may be empty. */
  readonly message: string;
  /** When `status` last changed, RFC 3339 with whole seconds. */
  readonly lastTransitionTime: string;
  /** The generation of the spec that was judged. */
  readonly observedGeneration?: number;
}

/**
 * The conditions with one of them set: in its place, or at the end when it is the first of its type. The transition
 * time moves only when the status does. When nothing differs, the very same array comes back, so that `===` tells
 * whether there is something to write.
 *
 * @param nowIso of the change; fractions of a second are cut off, since the server does not keep them
 */
export function setCondition(
  existing: readonly Condition[],
  next: Omit<Condition, 'lastTransitionTime'>,
  nowIso: string,
): readonly Condition[] {
  const at = existing.findIndex(({ type }) => type === next.type);
  const before = existing[at];
  if (before === undefined) return [...existing, { ...next, lastTransitionTime: wholeSeconds(nowIso) }];
  if (isSame(before, next)) return existing;
  const lastTransitionTime = before.status === next.status ? before.lastTransitionTime : wholeSeconds(nowIso);
  return existing.with(at, { ...next, lastTransitionTime });
}

function isSame(before: Condition, next: Omit<Condition, 'lastTransitionTime'>): boolean {
  return (
    before.status === next.status &&
    before.reason === next.reason &&
    before.message === next.message &&
    before.observedGeneration === next.observedGeneration
  );
}

function wholeSeconds(iso: string): string {
  return iso.replace(/\.\d+/, '');
}
