import type { Eviction } from '../../core/plan/index.ts';
import type { Workload } from '../../core/snapshot/index.ts';
import { formatInstant } from '../../core/units/index.ts';

/** Why the beneficiary may take the victim's place, as a clause about the beneficiary or the victim. */
const causes: Readonly<Record<Eviction['cause'], string>> = {
  Reclaim: 'which is within its guarantee and takes back what was lent',
  Priority: 'which has a higher priority in the same quota',
  Fairness: 'whose quota has the lower fair share',
  Overdue: 'since this workload is past its walltime',
};

/** What the victim is told, in its event and in the mark on each of its pods. `endsAt` in epoch milliseconds. */
export function preemptedNote({ victim, beneficiary, cause }: Eviction, endsAt: number): string {
  const gang = victim.pods.length === 1 ? '' : ` with all ${victim.pods.length} pods of its gang`;
  return `evicted${gang} for ${nameOf(beneficiary)}, ${causes[cause]}; killed at ${formatInstant(endsAt)} at the latest`;
}

/**
 * What the beneficiary is told of all that make way for it.
 *
 * @param quotaOf name of the quota that pays for a namespace
 */
export function makingRoomNote(
  evictions: readonly Eviction[],
  quotaOf: (namespace: string) => string,
  endsAt: number,
): string {
  const byQuota = Map.groupBy(evictions, ({ victim }) => quotaOf(victim.namespace));
  const counts = [...byQuota].map(
    ([quota, { length }]) => `${length} ${length === 1 ? 'workload' : 'workloads'} of ${quota}`,
  );
  const verb = evictions.length === 1 ? 'ends' : 'end';
  return `making room: ${counts.join(', ')} ${verb} by ${formatInstant(endsAt)}`;
}

/** Namespace and name of a waiting workload, as people know it. */
function nameOf({ namespace, gang, pods }: Workload): string {
  return `${namespace}/${gang?.name ?? pods[0]?.name ?? ''}`;
}
