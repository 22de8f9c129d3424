import { at } from '../ds/index.ts';
import type { ClassRequest } from '../quota/index.ts';
import type { PodShape, PoolState, Snapshot } from '../snapshot/index.ts';
import type { Feasibility } from './feasibility.ts';

/** One way to run a workload, as far as the choice among several goes. */
interface Choice {
  readonly request: readonly ClassRequest[];
  readonly cost: number;
}

/** Devices that typical pods ask for which accept the same classes, in weights of the mix. */
interface Demand {
  readonly classes: readonly number[];
  devices: number;
}

/**
 * The ways to run a workload that prefers none, the one first that leaves the pool most useful to others: normalized
 * GPUs that it takes, each times the pressure on its class. Pressure is what typical pods ask of the class for each free
 * device; pods that accept several classes press on all of them alike. Of equals the cheaper goes first, then the one
 * that came first; what has no free device comes last.
 *
 * What is typical is learned from arrivals, by what nodes their shapes accept. O(options + kinds of demand x classes +
 * profiles x buckets).
 */
export function rankOptions<T extends Choice>(
  { snapshot, feasibility, pool }: { snapshot: Snapshot; feasibility: Feasibility; pool: PoolState },
  options: readonly T[],
): readonly T[] {
  if (options.length < 2) return options;
  const pressure = pressures(snapshot, pool, demandsOf(snapshot, feasibility, pool));
  const burden = ({ request }: Choice) =>
    request.reduce((sum, { classIndex, devices }) => {
      const weight = pool.classes[classIndex]?.spec.weight ?? 0;
      return sum + devices * weight * at(pressure, classIndex);
    }, 0);
  return options
    .map((option) => ({ option, burden: burden(option) }))
    .sort((a, b) => (a.burden === b.burden ? a.option.cost - b.option.cost : a.burden - b.burden))
    .map(({ option }) => option);
}

/** By class: devices asked of it for each that is free. */
function pressures(snapshot: Snapshot, pool: PoolState, demands: Iterable<Demand>): Float64Array {
  const free = pool.classes.map((_, index) => freeDevices(snapshot, pool, index));
  const pressure = Float64Array.from(free, (devices) => (devices > 0 ? 0 : Infinity));
  for (const { classes, devices } of demands) {
    const open = classes.reduce((sum, index) => sum + at(free, index), 0);
    if (open > 0) for (const index of classes) pressure[index] = at(pressure, index) + devices / open;
  }
  return pressure;
}

/** Whole devices of a class that no pod holds. */
function freeDevices(snapshot: Snapshot, pool: PoolState, classIndex: number): number {
  const { spec, profiles } = at(pool.classes, classIndex);
  const slot = snapshot.slotOf(spec.resourceName);
  let devices = 0;
  for (const profile of profiles) {
    const index = snapshot.nodes.freeIndex(profile, slot);
    for (let bucket = 1; bucket < index.bucketCount; bucket++) devices += bucket * index.size(bucket);
  }
  return devices;
}

interface Known {
  readonly generation: number;
  readonly demands: readonly Demand[];
}

const known = new WeakMap<PoolState, Known>();

/** O(shapes x profiles) when the mix has changed, else O(1). */
function demandsOf(snapshot: Snapshot, feasibility: Feasibility, pool: PoolState): readonly Demand[] {
  const { generation } = snapshot.mix;
  let kept = known.get(pool);
  if (kept?.generation !== generation) {
    kept = { generation, demands: readDemands(snapshot, feasibility, pool) };
    known.set(pool, kept);
  }
  return kept.demands;
}

function readDemands(snapshot: Snapshot, feasibility: Feasibility, pool: PoolState): readonly Demand[] {
  const demands = new Map<string, Demand>();
  for (const [shape, weight] of snapshot.mix.entries()) {
    for (const { resourceName, devices } of snapshot.acceleratorsOf(shape)) {
      const classes = classesFor(snapshot, feasibility, { pool, shape, resourceName });
      const key = classes.join();
      const demand = demands.get(key);
      if (demand === undefined) demands.set(key, { classes, devices: devices * weight });
      else demand.devices += devices * weight;
    }
  }
  return [...demands.values()];
}

/** Indices of the pool's classes that some node offers to the shape. */
function classesFor(
  snapshot: Snapshot,
  feasibility: Feasibility,
  { pool, shape, resourceName }: { pool: PoolState; shape: PodShape; resourceName: string },
): readonly number[] {
  const classes = new Set<number>();
  for (const { id } of feasibility.profilesOf(shape)) {
    const index = snapshot.policy.claims.classOf(id, resourceName);
    if (index !== undefined && snapshot.poolOfProfile(id) === pool) classes.add(index);
  }
  return [...classes].sort((a, b) => a - b);
}
