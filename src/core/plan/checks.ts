import { annotations, labels, WaitReason } from '../../api/v1alpha1/constants/index.ts';
import type { PoolState, QuotaState, Snapshot } from '../snapshot/index.ts';
import { formatDuration, formatMilliGpus, milli, type MilliGpus } from '../units/index.ts';
import type { Candidate } from './candidate.ts';
import type { Refusal } from './refusal.ts';
import { totalDevices, type Option, type Role } from './request.ts';

const defaultWalltime = 24 * 3_600_000;

/**
 * The checks that a workload must pass before anyone looks at nodes, in the order of DESIGN.md section 7. The first
 * that fails names the reason. Undefined = admissible as far as nothing but its options' quota is concerned.
 */
export function refusalBeforeQuota(candidate: Candidate): Refusal | undefined {
  const { quota, kin } = candidate;
  if (needsQuota(candidate)) {
    if (quota === undefined) return noQuota(candidate);
    if (quota.problem !== undefined || quota.pool === undefined) return quotaNotReady(quota);
    const suspended = quota.chain.find((above) => above.spec.suspend);
    if (suspended !== undefined) {
      return refuse(WaitReason.Suspended, `ResearchQuota ${suspended.spec.name} is suspended and admits nothing new`);
    }
  }
  const unsupported = unsupportedPart(candidate);
  if (unsupported !== undefined) return refuse(WaitReason.Unsupported, unsupported);
  if (quota?.pool !== undefined && needsQuota(candidate)) {
    if (kin.options.length === 0) return noMatchingClass(candidate, quota.pool);
    const exceeded = exceededLimit(candidate, quota, quota.pool);
    if (exceeded !== undefined) return refuse(WaitReason.ExceedsLimit, exceeded);
  }
  return gangIncomplete(candidate);
}

/** Whether the quota lets this option start now: class limits, user limit, then the quota tree. */
export function refusalByQuota(snapshot: Snapshot, candidate: Candidate, option: Option): Refusal | undefined {
  const { quota } = candidate;
  if (quota?.pool === undefined) return noQuota(candidate);
  // The rest of a gang that has started was admitted with it.
  if ((candidate.workload.gang?.bound ?? 0) > 0) return undefined;
  return (
    classLimit(quota, quota.pool, option) ??
    userLimit(snapshot, candidate, quota, option) ??
    quotaLimit(quota, quota.pool, option)
  );
}

/** A workload that asks for no accelerator is placed without a quota (DESIGN.md section 3). */
export function needsQuota(candidate: Candidate): boolean {
  return candidate.kin.roles.some((role) => role.accelerators.length > 0);
}

function refuse(reason: WaitReason, message: string): Refusal {
  return { reason, message };
}

function noQuota({ workload }: Candidate): Refusal {
  const message =
    `no ResearchQuota selects namespace ${workload.namespace}; ask the operators of the pool for one, ` +
    `or for the label ${labels.institution.key} that an existing one selects`;
  return refuse(WaitReason.NoQuota, message);
}

function quotaNotReady(quota: QuotaState): Refusal {
  const message = `ResearchQuota ${quota.spec.name} is not ready: ${quota.problem?.message ?? 'its pool is unknown'}`;
  return refuse(WaitReason.QuotaNotReady, message);
}

function unsupportedPart({ workload }: Candidate): string | undefined {
  for (const pod of workload.pods) {
    const problem = pod.problem ?? pod.shape.unsupported;
    if (problem !== undefined) return problem;
  }
  if (workload.gang?.agreed !== false) return undefined;
  return `pods of gang ${workload.gang.name} disagree in the annotation ${annotations.gangSize.key}; give all the same`;
}

function noMatchingClass({ kin }: Candidate, pool: PoolState): Refusal {
  const asked = [...new Set(kin.roles.flatMap((role) => role.accelerators.map((a) => a.resourceName)))].join(', ');
  const classes = pool.classes.map((c) => `${c.spec.name} (${c.spec.resourceName})`).join(', ');
  const message =
    `no accelerator class of pool ${pool.spec.name} offers ${asked} on nodes that the pod's selectors allow; ` +
    `its classes are ${classes}`;
  return refuse(WaitReason.NoMatchingClass, message);
}

function exceededLimit({ workload, kin }: Candidate, quota: QuotaState, pool: PoolState): string | undefined {
  const devices = totalDevices(kin.roles);
  const walltime = walltimeOf(workload.pods[0]?.walltime, quota);
  for (const { spec } of quota.chain) {
    if (spec.maxWorkloadGpus !== undefined && devices > spec.maxWorkloadGpus) {
      return `asks for ${devices} GPUs, ResearchQuota ${spec.name} allows ${spec.maxWorkloadGpus} a workload (limits.maxWorkloadGpus)`;
    }
    if (spec.maxWalltime !== undefined && walltime > spec.maxWalltime) {
      return (
        `asks for ${formatDuration(walltime)}, ResearchQuota ${spec.name} allows ${formatDuration(spec.maxWalltime)} ` +
        `(limits.maxWalltime); declare less in ${annotations.walltime.key}`
      );
    }
  }
  if (kin.options.some((option) => couldEverFit(kin.roles, option, quota))) return undefined;
  return neverFits(kin.roles, kin.options, quota, pool);
}

/** What was declared, else the nearest default on the way up, else a day. Milliseconds. */
export function walltimeOf(declared: number | undefined, quota: QuotaState): number {
  const byQuota = quota.chain.find((above) => above.spec.defaultWalltime !== undefined);
  return declared ?? byQuota?.spec.defaultWalltime ?? defaultWalltime;
}

/** The options that would fit were nothing else running; those of classes without devices are none. */
export function viableOptions({ quota, kin }: Candidate): readonly Option[] {
  const pool = quota?.pool;
  if (quota === undefined || pool === undefined) return kin.options;
  return kin.options.filter((option) => couldEverFit(kin.roles, option, quota));
}

/** Whether the option would fit were nothing else running, on all nodes that exist, ready or not. */
function couldEverFit(roles: readonly Role[], option: Option, quota: QuotaState): boolean {
  const { pool } = quota;
  if (pool === undefined || option.cost > ceilingOf(quota, pool)) return false;
  if (tooLargeForANode(roles, option) !== undefined) return false;
  return option.request.every((asked) => asked.devices <= mostOfClass(quota, pool, asked.classIndex));
}

/** Devices of a class that the quota could hold were nothing else running. */
function mostOfClass(quota: QuotaState, pool: PoolState, classIndex: number): number {
  const name = className(pool, classIndex);
  const limits = quota.chain.flatMap(({ spec }) => spec.classes.filter((own) => own.name === name));
  return Math.min(pool.classes[classIndex]?.gpus ?? 0, ...limits.map((own) => own.max ?? Infinity));
}

/** What one pod asks of a class beyond the largest node of that class. */
function tooLargeForANode(roles: readonly Role[], option: Option) {
  for (const [i, role] of roles.entries()) {
    for (const { resourceName, devices } of role.accelerators) {
      const chosen = option.classes[i]?.get(resourceName);
      if (chosen !== undefined && devices > chosen.largestNode) return { devices, chosen };
    }
  }
  return undefined;
}

function neverFits(roles: readonly Role[], options: readonly Option[], quota: QuotaState, pool: PoolState): string {
  const ceiling = ceilingOf(quota, pool);
  const cheapest = Math.min(...options.map((o) => o.cost));
  if (cheapest > ceiling) {
    return (
      `asks for ${formatMilliGpus(cheapest)} normalized GPUs, ResearchQuota ${quota.spec.name} can never hold more than ` +
      `${formatMilliGpus(ceiling)} (effective guarantee ${formatMilliGpus(quota.effectiveGuarantee)} and what it may borrow)`
    );
  }
  const [option] = options.toSorted((a, b) => shortfall(quota, pool, a) - shortfall(quota, pool, b));
  if (option === undefined) return 'no class of the pool can hold it';
  const asked = option.request.map((r) => `${r.devices} ${className(pool, r.classIndex)}`).join(' and ');
  const tooLarge = tooLargeForANode(roles, option);
  if (shortfall(quota, pool, option) === 0 && tooLarge !== undefined) {
    const { chosen, devices } = tooLarge;
    return (
      `one pod asks for ${devices} ${chosen.spec.name}, the largest node of that class has ${chosen.largestNode}; ` +
      `ask for fewer GPUs a pod and more pods`
    );
  }
  const most = option.request.map((r) => `${mostOfClass(quota, pool, r.classIndex)} ${className(pool, r.classIndex)}`);
  return `asks for ${asked}; pool ${pool.spec.name} and the class limits of the quota allow at most ${most.join(' and ')}`;
}

/** Devices that the option asks for beyond what the quota could ever hold. */
function shortfall(quota: QuotaState, pool: PoolState, option: Option): number {
  return option.request.reduce(
    (sum, asked) => sum + Math.max(0, asked.devices - mostOfClass(quota, pool, asked.classIndex)),
    0,
  );
}

/** A quota's ceiling must not change with nodes that fail and return: counted on the whole pool, ready or not. */
function ceilingOf(quota: QuotaState, pool: PoolState): MilliGpus {
  return pool.tree.ceiling(quota.index, milli(pool.capacity - pool.readyCapacity));
}

function gangIncomplete({ workload }: Candidate): Refusal | undefined {
  const { gang } = workload;
  if (gang === undefined || (gang.size !== undefined && gang.missing === 0)) return undefined;
  const exist = workload.pods.length + gang.bound;
  if (gang.size === undefined) {
    const kind = gang.kind === 'job' ? 'Job' : 'PodGroup';
    return refuse(WaitReason.GangIncomplete, `${kind} ${gang.name} of the gang does not exist; create it`);
  }
  const message = `${exist} of ${gang.size} pods of gang ${gang.name} exist; it starts when all do`;
  return refuse(WaitReason.GangIncomplete, message);
}

function classLimit(quota: QuotaState, pool: PoolState, option: Option): Refusal | undefined {
  for (const above of quota.chain) {
    for (const asked of option.request) {
      const name = className(pool, asked.classIndex);
      const max = above.spec.classes.find((own) => own.name === name)?.max;
      const used = pool.tree.devices(above.index, asked.classIndex);
      if (max === undefined || used + asked.devices <= max) continue;
      const message =
        `ResearchQuota ${above.spec.name} holds ${used} of at most ${max} ${name}, ${asked.devices} are asked for; ` +
        `it starts when enough are released, or on another class`;
      return refuse(WaitReason.ClassLimit, message);
    }
  }
  return undefined;
}

function userLimit(
  snapshot: Snapshot,
  { workload }: Candidate,
  quota: QuotaState,
  option: Option,
): Refusal | undefined {
  const user = workload.pods[0]?.user;
  const max = quota.spec.perUserMax;
  if (user === undefined || max === undefined) return undefined;
  const used = snapshot.userUse(quota, user);
  if (used + option.cost <= max) return undefined;
  const message =
    `user ${user} holds ${formatMilliGpus(used)} of at most ${formatMilliGpus(max)} normalized GPUs in ` +
    `ResearchQuota ${quota.spec.name}, ${formatMilliGpus(option.cost)} are asked for`;
  return refuse(WaitReason.UserLimit, message);
}

function quotaLimit(quota: QuotaState, pool: PoolState, option: Option): Refusal | undefined {
  const available = pool.tree.available(quota.index);
  if (option.cost <= available) return undefined;
  const asked = formatMilliGpus(option.cost);
  const left = formatMilliGpus(Math.max(0, available));
  const used = formatMilliGpus(pool.tree.used(quota.index));
  if (pool.tree.guarantorOf(quota.index, option.request) !== undefined) {
    const message =
      `within the guarantee of ${formatMilliGpus(quota.effectiveGuarantee)} (${used} used), but only ${left} of the ` +
      `${asked} asked for are left: the rest is lent to others (${largestBorrowers(pool, quota)}) until their work ends`;
    return refuse(WaitReason.WaitingForReclaim, message);
  }
  const message =
    `ResearchQuota ${quota.spec.name} uses ${used} (guaranteed ${formatMilliGpus(quota.effectiveGuarantee)}) and can take ` +
    `${left} more normalized GPUs now, ${asked} are asked for; it starts when its own or lent capacity is released`;
  return refuse(WaitReason.WaitingForQuota, message);
}

/** The three quotas that borrow most, as people read it. Only asked for when a class of workloads is refused. */
function largestBorrowers(pool: PoolState, except: QuotaState): string {
  const borrowers = pool.quotas
    .filter((quota) => quota !== except && !except.chain.includes(quota))
    .map((quota) => ({ name: quota.spec.name, borrowed: pool.tree.borrowed(quota.index) }))
    .filter(({ borrowed }) => borrowed > 0)
    .sort((a, b) => b.borrowed - a.borrowed || (a.name < b.name ? -1 : 1));
  if (borrowers.length === 0) return 'none now';
  return borrowers
    .slice(0, 3)
    .map(({ name, borrowed }) => `${name} ${formatMilliGpus(borrowed)}`)
    .join(', ');
}

function className(pool: PoolState, classIndex: number): string {
  return pool.classes[classIndex]?.spec.name ?? '';
}
