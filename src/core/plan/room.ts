import { WaitReason } from '../../api/v1alpha1/constants/index.ts';
import type { PlacementRequest } from '../place/index.ts';
import type { PoolState, Snapshot } from '../snapshot/index.ts';
import { refuse, type Refusal } from './refusal.ts';
import type { Option } from './request.ts';

/** A placement that the quota allows and the nodes do not. */
export interface FailedPlacement {
  readonly request: PlacementRequest;
  readonly option: Option;
  readonly pool: PoolState;
}

/** Why the nodes have no room, by the free devices on nodes that the workload may use. Cost: O(profiles x sizes). */
export function noRoom(snapshot: Snapshot, { request, option, pool }: FailedPlacement): Refusal {
  const asked = option.request.reduce((sum, r) => sum + r.devices, 0);
  const free = freeDevices(snapshot, request);
  if (!free.anyNode) {
    return refuse(
      WaitReason.NoCapacity,
      () =>
        `no ready, uncordoned node of class ${option.label} in pool ${pool.spec.name} matches the pod's selectors and tolerations`,
    );
  }
  if (free.total < asked) {
    return refuse(
      WaitReason.NoCapacity,
      () => `${free.total} of the ${asked} ${option.label} asked for are free on nodes that the pod may use`,
    );
  }
  const largest = Math.max(...request.roles.map((role) => devicesOfPod(snapshot, role)));
  return refuse(
    WaitReason.Fragmented,
    () =>
      `${free.total} ${option.label} are free, but no node has room for ${largest} and the pod's cpu and memory ` +
      `(most on one node: ${free.largest}) as often as needed; ask for fewer GPUs a pod, or wait`,
  );
}

function freeDevices(snapshot: Snapshot, { roles }: PlacementRequest) {
  const seen = new Set<number>();
  let total = 0;
  let largest = 0;
  for (const { pods, profiles } of roles) {
    const [accelerator] = pods[0] === undefined ? [] : snapshot.acceleratorsOf(pods[0].shape);
    if (accelerator === undefined) continue;
    for (const { id } of profiles) {
      if (seen.has(id)) continue;
      seen.add(id);
      const index = snapshot.nodes.freeIndex(id, accelerator.slot);
      for (let bucket = index.bucketCount - 1; bucket > 0; bucket--) {
        const nodes = index.size(bucket);
        total += nodes * bucket;
        if (nodes > 0) largest = Math.max(largest, bucket);
      }
    }
  }
  return { total, largest, anyNode: seen.size > 0 };
}

function devicesOfPod(snapshot: Snapshot, { pods }: PlacementRequest['roles'][number]): number {
  const [first] = pods;
  return first === undefined ? 0 : snapshot.acceleratorsOf(first.shape).reduce((sum, a) => sum + a.devices, 0);
}
