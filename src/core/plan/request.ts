import type { ClassRequest } from '../quota/index.ts';
import {
  compatible,
  type AcceleratorRequest,
  type ClassState,
  type PodFacts,
  type PodShape,
  type PoolState,
  type Snapshot,
  type Workload,
} from '../snapshot/index.ts';
import { milli, type MilliGpus } from '../units/index.ts';

/** Pods of a workload that share a shape. */
export interface Role {
  readonly shape: PodShape;
  readonly pods: readonly PodFacts[];
  readonly accelerators: readonly AcceleratorRequest[];
}

/** One way to run a workload: the class that each accelerator of each role would use, and what that costs. */
export interface Option {
  /** For each role, by resource name, the class. */
  readonly classes: readonly ReadonlyMap<string, ClassState>[];
  readonly request: readonly ClassRequest[];
  readonly cost: MilliGpus;
  /** Names of the classes, for messages. */
  readonly label: string;
}

/** The workload's pods by shape, those with the most devices first: they are the hardest to place. */
export function rolesOf(snapshot: Snapshot, workload: Workload): readonly Role[] {
  const byShape = new Map<PodShape, PodFacts[]>();
  for (const pod of workload.pods) {
    const pods = byShape.get(pod.shape);
    if (pods === undefined) byShape.set(pod.shape, [pod]);
    else pods.push(pod);
  }
  const roles = [...byShape].map(([shape, pods]) => ({ shape, pods, accelerators: snapshot.acceleratorsOf(shape) }));
  return roles.length === 1 ? roles : roles.sort((a, b) => devicesOf(b) - devicesOf(a));
}

/** The workload's own pods of a role: the roles of its class carry another workload's. */
export function podsOfRole(roles: readonly Role[], { pods }: Workload, index: number): readonly PodFacts[] {
  return roles.length === 1 ? pods : pods.filter((pod) => pod.shape === roles[index]?.shape);
}

/** Devices that the roles ask for in all, of whatever class. */
export function totalDevices(roles: readonly Role[]): number {
  return roles.reduce((sum, role) => sum + devicesOf(role) * role.pods.length, 0);
}

/**
 * The ways to run these roles in a pool, in the order that they prefer, else that of the pool's classes: one class for all roles that accept it, so
 * that a gang does not mix generations; a role that rules it out takes the first class that it accepts. Empty when some
 * accelerator fits no class.
 */
export function optionsOf(pool: PoolState, roles: readonly Role[]): readonly Option[] {
  const accepted = roles.map(
    (role) => new Map(role.accelerators.map((a) => [a.resourceName, acceptedClasses(pool, role, a)])),
  );
  if (accepted.some((byResource) => [...byResource.values()].some((classes) => classes.length === 0))) return [];
  // In the order that the roles prefer; the role with the most devices speaks first.
  const leading = new Set(accepted.flatMap((byResource) => [...byResource.values()].flat()));
  const options = new Map<string, Option>();
  for (const lead of leading) {
    const option = optionLedBy(lead, roles, accepted, pool);
    if (!options.has(option.label)) options.set(option.label, option);
  }
  return [...options.values()];
}

function optionLedBy(
  lead: ClassState,
  roles: readonly Role[],
  accepted: readonly ReadonlyMap<string, readonly ClassState[]>[],
  pool: PoolState,
): Option {
  const devices = new Array<number>(pool.classes.length).fill(0);
  const classes = roles.map((role, i) => {
    const chosen = new Map<string, ClassState>();
    for (const accelerator of role.accelerators) {
      const candidates = accepted[i]?.get(accelerator.resourceName) ?? [];
      const choice = candidates.includes(lead) ? lead : candidates[0];
      if (choice === undefined) continue;
      chosen.set(accelerator.resourceName, choice);
      devices[choice.index] = (devices[choice.index] ?? 0) + accelerator.devices * role.pods.length;
    }
    return chosen;
  });
  const request = devices.flatMap((count, classIndex) => (count > 0 ? [{ classIndex, devices: count }] : []));
  return {
    classes,
    request,
    cost: milli(request.reduce((sum, r) => sum + r.devices * (pool.classes[r.classIndex]?.spec.weight ?? 0), 0)),
    label: request.map((r) => pool.classes[r.classIndex]?.spec.name ?? '').join(' and '),
  };
}

/**
 * Classes of the resource whose nodes the shape's selectors don't rule out, whether or not such nodes exist: those that
 * the annotation `moa.dev/class` names, best first, else all in the order of the pool.
 */
function acceptedClasses(pool: PoolState, role: Role, accelerator: AcceleratorRequest): readonly ClassState[] {
  const allowed = pool.classes.filter(({ spec }) => {
    if (spec.resourceName !== accelerator.resourceName) return false;
    if (!compatible(role.shape.nodeSelector, spec.nodeSelector)) return false;
    const terms = role.shape.nodeTerms;
    return terms === undefined || terms.some((term) => compatible(term.labels, spec.nodeSelector));
  });
  const wanted = role.pods[0]?.classes;
  if (wanted === undefined) return allowed;
  return wanted.flatMap((name) => allowed.filter(({ spec }) => spec.name === name));
}

function devicesOf(role: Role): number {
  return role.accelerators.reduce((sum, accelerator) => sum + accelerator.devices, 0);
}
