import { Feasibility, type PlacementRequest } from '../place/index.ts';
import type { ClassRequest, QuotaTree } from '../quota/index.ts';
import type { NodeFacts, PodFacts, PoolSpec, QuotaSpec, RunningWorkload } from '../snapshot/index.ts';
import { acceleratorClass, fleetOf, pod, pool } from '../testing/world.ts';
import { VictimFinder, type Taker, type VictimFinderInput } from './index.ts';

export const hour = 3_600_000;
export const now = 100 * hour;

/** A world with what runs in it and one pod, or gang of like pods, that wants to. */
export interface Case {
  readonly pools?: readonly PoolSpec[];
  readonly quotas: readonly QuotaSpec[];
  readonly nodes: readonly NodeFacts[];
  readonly runs: readonly PodFacts[];
  readonly wants: PodFacts;
  /** A leader of the gang, beside the pods like `wants`. */
  readonly leader?: PodFacts;
  /** Class that the wanting workload would use. */
  readonly onClass?: number;
  readonly borrower?: boolean;
  /** Names of running pods that their budget admitted as borrowers. */
  readonly byBudget?: readonly string[];
  readonly excluded?: readonly string[];
  readonly within?: string;
  /** Nodes on which nothing is free. */
  readonly full?: readonly string[];
  readonly admits?: (tree: QuotaTree) => boolean;
}

/** A pod that has been running for two hours, unless said otherwise, and holds `devices` on a node. */
export function running(
  namespace: string,
  devices: number,
  nodeName: string,
  more: Parameters<typeof pod>[2] = {},
): PodFacts {
  return pod(namespace, devices, { nodeName, phase: 'Running', boundAt: now - 2 * hour, ...more });
}

/** Two classes, h200 of weight 1 and b200 of weight 2. */
export function twoClasses(): PoolSpec {
  return pool({ classes: [acceleratorClass('h200', 1), acceleratorClass('b200', 2)] });
}

/** A case made ready to search. */
export function stage(world: Case) {
  const { wants } = world;
  const filler = world.nodes
    .filter(({ name }) => world.full?.includes(name))
    .map(({ name, allocatable }) =>
      running('nobody', allocatable['nvidia.com/gpu'] ?? 0, name, { name: `full-${name}` }),
    );
  const snapshot = fleetOf({
    ...world,
    pods: [...world.runs.map((run) => ({ ...run, borrower: world.byBudget?.includes(run.name) ?? false })), ...filler],
  }).snapshot(now);
  const feasibility = new Feasibility(snapshot);
  const quota = snapshot.policy.quotaOfNamespace.get(wants.namespace);
  if (quota?.pool === undefined) throw new Error(`no quota pays for ${wants.namespace}`);
  const { tree, classes } = quota.pool;
  const size = wants.gang?.size ?? 1;
  const pods = Array.from({ length: size }, (_, i) => ({ ...wants, uid: `want-${i}`, name: `want-${i}` }));
  const classIndex = world.onClass ?? 0;
  const carrying = new Set(classes[classIndex]?.profiles);
  const profiles = feasibility.profilesOf(wants.shape).filter((profile) => carrying.has(profile.id));
  const roles = [pods, ...(world.leader === undefined ? [] : [[{ ...world.leader, uid: 'want-leader' }]])].map(
    (alike) => ({ pods: alike, profiles }),
  );
  const devices = roles
    .flatMap((role) => role.pods)
    .reduce((sum, { shape }) => sum + (shape.requests['nvidia.com/gpu'] ?? 0), 0);
  const cost: readonly ClassRequest[] = [{ classIndex, devices }];
  const placement: PlacementRequest = { roles, strategy: 'Pack', within: world.within };
  const taker: Taker = {
    quota,
    priority: wants.priority,
    borrower: world.borrower ?? false,
    cost,
    placement,
    admissible: () => world.admits?.(tree) ?? true,
  };
  const input: VictimFinderInput = {
    snapshot,
    feasibility,
    now,
  };
  return { snapshot, feasibility, quota, tree, taker, input, placement };
}

/** Names and causes of the victims, sorted by name; undefined = no set would do. */
export function victimsOf(world: Case): readonly string[] | undefined {
  const { taker, input } = stage(world);
  return new VictimFinder(input)
    .find(taker, new Set(world.excluded))
    ?.map(({ workload, cause }) => `${nameOf(workload)} ${cause}`)
    .sort();
}

function nameOf({ pods }: RunningWorkload): string {
  return pods
    .map(({ pod: own }) => own.name)
    .sort()
    .join('+');
}
