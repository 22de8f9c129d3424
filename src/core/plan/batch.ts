import type { PlacementRole } from '../place/index.ts';
import type { Workload } from '../snapshot/index.ts';
import { milli } from '../units/index.ts';
import type { Proposal } from './proposals.ts';

/**
 * The first `count` of workloads that are alike as if they were one, so that finding room for a hundred takes one
 * search.
 *
 * @param proposal that of the first
 */
export function batchOf(
  workloads: readonly Workload[],
  { option, ask, asBorrower }: Proposal,
  count: number,
): Proposal {
  if (count === 1) return { option, ask, asBorrower };
  const request = option.request.map(({ classIndex, devices }) => ({ classIndex, devices: devices * count }));
  const cost = milli(option.cost * count);
  const pods = workloads.slice(0, count).flatMap((workload) => workload.pods);
  const byShape = Map.groupBy(pods, (pod) => pod.shape);
  const roles = ask.placement.roles.map(({ pods: [first], profiles }): PlacementRole => ({
    pods: first === undefined ? [] : (byShape.get(first.shape) ?? []),
    profiles,
  }));
  const placement = { ...ask.placement, roles };
  return {
    option: { ...option, request, cost },
    ask: { ...ask, workload: { ...ask.workload, pods }, request, cost, placement },
    asBorrower,
  };
}

/** The result for the largest count from 1 to `most` that has one, as far as halving finds it. O(log most) attempts. */
export function largest<T>(
  most: number,
  attempt: (count: number) => T | undefined,
): { readonly count: number; readonly result: T } | undefined {
  let result = attempt(1);
  if (result === undefined) return undefined;
  let [low, high] = [1, most + 1];
  for (let count = most; low + 1 < high; count = (low + high) >> 1) {
    const more = attempt(count);
    if (more === undefined) high = count;
    else {
      low = count;
      result = more;
    }
  }
  return { count: low, result };
}
