import { WaitReason } from '../../api/v1alpha1/constants/index.ts';
import { placeAll, release, type Feasibility, type PlacementRequest, type PlacementRole } from '../place/index.ts';
import type { PoolState, Snapshot } from '../snapshot/index.ts';
import { refuse, type Refusal } from './refusal.ts';
import type { Option } from './request.ts';

/** A placement that the quota allows and the nodes do not. */
export interface FailedPlacement {
  readonly request: PlacementRequest;
  readonly option: Option;
  readonly pool: PoolState;
}

/**
 * Why the nodes have no room: the one thing without which there would be, else what is free. The snapshot is as before.
 *
 * Cost: O(profiles x sizes); where enough devices are free, that of one or two placements.
 */
export function noRoom(snapshot: Snapshot, feasibility: Feasibility, failed: FailedPlacement): Refusal {
  const { request, option, pool } = failed;
  const asked = option.request.reduce((sum, r) => sum + r.devices, 0);
  const free = freeDevices(snapshot, request);
  if (!free.anyNode) {
    return refuse(
      WaitReason.NoCapacity,
      () =>
        `no ready, uncordoned node of class ${option.label} in pool ${pool.spec.name} matches the pod's selectors and tolerations`,
    );
  }
  if (free.total < asked) return tooFewFree(option, pool, free.total);
  const fits = (other: PlacementRequest): boolean => {
    const placed = placeAll(snapshot, feasibility, other);
    if (placed !== undefined) release(snapshot, placed);
    return placed !== undefined;
  };
  if (hasPowerLimit(pool) && fits({ ...request, ignorePower: true })) return powerLimited(snapshot, failed);
  if (request.within !== undefined && fits({ ...request, within: undefined })) {
    const { within } = request;
    const pods = request.roles.reduce((sum, role) => sum + role.pods.length, 0);
    return refuse(
      WaitReason.TopologyUnsatisfiable,
      () =>
        `${free.total} ${option.label} are free, but no single domain of ${within} has room for all ${pods} pods ` +
        `(${asked} GPUs); it starts when one has, or ask for a wider level or for Preferred`,
    );
  }
  const obstacle = obstacleOf(feasibility, request.roles);
  if (obstacle !== undefined)
    return refuse(WaitReason.NoCapacity, () => `${free.total} ${option.label} are free, but ${obstacle}`);
  const largest = Math.max(...request.roles.map((role) => devicesOfPod(snapshot, role)));
  return refuse(
    WaitReason.Fragmented,
    () =>
      `${free.total} ${option.label} are free (most on one node: ${free.largest}), but not ${largest} on a node ` +
      `that has the pod's cpu and memory too as often as needed; ask for fewer GPUs a pod, or wait`,
  );
}

/** What of other pods and of volumes stands in the way, told of the first role that has something in its way. */
export function obstacleOf(feasibility: Feasibility, roles: readonly PlacementRole[]): string | undefined {
  for (const role of roles) {
    const obstacle = feasibility.explain(role);
    if (obstacle !== undefined) return obstacle;
  }
  return undefined;
}

/** Fewer devices are free than one workload asks for; who holds the others. */
export function tooFewFree(option: Option, pool: PoolState, free: number): Refusal {
  return refuse(WaitReason.NoCapacity, () => {
    const asked = option.request.reduce((sum, { devices }) => sum + devices, 0);
    const holders = largestHolders(pool, option);
    const held = holders === '' ? '' : `; most is held by ${holders}`;
    return `${free} of the ${asked} ${option.label} asked for are free on nodes that the pod may use${held}`;
  });
}

function powerLimited(snapshot: Snapshot, { request, option }: FailedPlacement): Refusal {
  const profiles = request.roles.flatMap((role) => role.profiles.map(({ id }) => id));
  const pod = request.roles[0]?.pods[0];
  const devices = pod === undefined ? [] : snapshot.acceleratorsOf(pod.shape);
  const short = snapshot.power.shortages(profiles, devices);
  return refuse(WaitReason.PowerLimited, () => {
    const sites = short
      .slice(0, 3)
      .map(
        ({ site, limitWatts, inUseWatts }) => `${site} draws ${kilowatts(inUseWatts)} of ${kilowatts(limitWatts)} kW`,
      );
    const which = sites.length === 0 ? 'the limits of its sites together' : sites.join(', ');
    return `nodes with room for ${option.label} exist, but not enough power: ${which}; it starts when devices there are released`;
  });
}

function kilowatts(watts: number): string {
  return (watts / 1000).toFixed(1);
}

/** The three quotas whose own pods hold most devices of the option's classes, as people read it. */
function largestHolders({ quotas, tree }: PoolState, { request }: Option): string {
  const held = quotas.map(({ index }) => request.reduce((sum, r) => sum + tree.devices(index, r.classIndex), 0));
  const own = [...held];
  for (const { index } of quotas) {
    const parent = tree.parentOf(index);
    if (parent < tree.size) own[parent] = (own[parent] ?? 0) - (held[index] ?? 0);
  }
  return quotas
    .map(({ index, spec }) => ({ name: spec.name, held: own[index] ?? 0 }))
    .filter(({ held }) => held > 0)
    .sort((a, b) => b.held - a.held || (a.name < b.name ? -1 : 1))
    .slice(0, 3)
    .map(({ name, held }) => `${name} (${held})`)
    .join(', ');
}

function hasPowerLimit({ spec }: PoolState): boolean {
  return spec.sites.some((site) => site.powerLimitWatts !== undefined);
}

/** Devices free on nodes that a request may use, in all and at the most on one. O(profiles x sizes). */
export function freeDevices(snapshot: Snapshot, { roles }: PlacementRequest) {
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
