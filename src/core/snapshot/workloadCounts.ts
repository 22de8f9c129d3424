import type { PodFacts } from './facts.ts';
import type { PendingClass } from './pending.ts';
import type { Policy } from './policy.ts';
import { acceleratorNames, type WorkloadCounts } from './snapshot.ts';
import type { UnderWay } from './underWay.ts';
import { gangKeyOf } from './workloads.ts';

/** Workloads of each quota's own namespaces, by the quota's name. O(pods): asked for by status, not by plans. */
export function countWorkloads(
  pods: Iterable<PodFacts>,
  underWay: Pick<UnderWay, 'nodeOf'>,
  pending: Iterable<PendingClass>,
  policy: Policy,
): ReadonlyMap<string, WorkloadCounts> {
  const accelerators = acceleratorNames(policy);
  const counts = new Map<string, { pending: number; running: number }>();
  const countOf = (namespace: string) => {
    const quota = policy.quotaOfNamespace.get(namespace)?.spec.name;
    if (quota === undefined) return undefined;
    let count = counts.get(quota);
    if (count === undefined) counts.set(quota, (count = { pending: 0, running: 0 }));
    return count;
  };
  for (const { namespace, size } of pending) {
    const count = countOf(namespace);
    if (count !== undefined) count.pending += size;
  }
  const seen = new Set<string>();
  for (const pod of pods) {
    if (underWay.nodeOf(pod) === undefined) continue;
    const key = gangKeyOf(pod) ?? pod.uid;
    if (seen.has(key) || !Object.keys(pod.shape.requests).some((name) => accelerators.has(name))) continue;
    seen.add(key);
    const count = countOf(pod.namespace);
    if (count !== undefined) count.running++;
  }
  return counts;
}
