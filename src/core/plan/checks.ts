import { annotations, foreignKeys, labels, WaitReason } from '../../api/v1alpha1/constants/index.ts';
import { describeVerdict } from '../budget/index.ts';
import type { QuotaTree } from '../quota/index.ts';
import { walltimeOf, type PoolState, type QuotaState, type Snapshot, type Workload } from '../snapshot/index.ts';
import { formatDuration, formatMilliGpus, milli, type MilliGpus } from '../units/index.ts';
import type { CycleBudgets, Spender } from './budgets.ts';
import { refuse, type Refusal } from './refusal.ts';
import { totalDevices, type Option, type Role } from './request.ts';

/** What all workloads of a class ask for, and who pays. */
export interface Ask {
  readonly quota: QuotaState | undefined;
  readonly roles: readonly Role[];
  readonly options: readonly Option[];
}

/**
 * The checks that a workload must pass before anyone looks at time or capacity, in the order of DESIGN.md section 7. The first
 * that fails names the reason. Undefined = admissible as far as nothing but its options' quota is concerned.
 *
 * @param first any workload of the class: the checks see nothing in which they differ
 */
export function refusalBeforeQuota(first: Workload, ask: Ask): Refusal | undefined {
  const { quota, options } = ask;
  const accelerated = needsQuota(ask);
  if (accelerated) {
    if (quota === undefined) return noQuota(first.namespace);
    if (quota.problem !== undefined || quota.pool === undefined) return quotaNotReady(quota);
    const suspended = quota.chain.find((above) => above.spec.suspend);
    if (suspended !== undefined) {
      const { name } = suspended.spec;
      return refuse(WaitReason.Suspended, () => `ResearchQuota ${name} is suspended and admits nothing new`);
    }
  }
  const unsupported = unsupportedPart(first, quota?.pool);
  if (unsupported !== undefined) return refuse(WaitReason.Unsupported, () => unsupported);
  if (quota?.pool !== undefined && accelerated) {
    if (options.length === 0) return noMatchingClass(ask, quota.pool);
    const exceeded = exceededLimit(first, ask, quota, quota.pool);
    if (exceeded !== undefined) return refuse(WaitReason.ExceedsLimit, () => exceeded);
  }
  return undefined;
}

/** A workload and who pays for it. */
export interface Claimant {
  readonly workload: Workload;
  readonly kin: Spender;
}

/** Milli-GPUs that a place is kept for, of a user's workloads that wait: they count as if they ran. */
export type KeptForUsers = (quota: QuotaState, user: string) => number;

/** What limits a quota beside its capacity, as a cycle goes on. */
export interface Limits {
  readonly snapshot: Snapshot;
  readonly budgets: CycleBudgets;
  readonly kept: KeptForUsers;
}

/** Whether the quota lets this option start now: class limits, user limit, budgets, then the quota tree. */
export function refusalByQuota(limits: Limits, candidate: Claimant, option: Option): Refusal | undefined {
  const { quota } = candidate.kin;
  if (quota?.pool === undefined) return noQuota(candidate.workload.namespace);
  // The rest of a gang that has started was admitted with it.
  if ((candidate.workload.gang?.bound ?? 0) > 0) return undefined;
  return refusalByLimits(limits, candidate, option) ?? quotaLimit(quota, quota.pool, option);
}

/** The limits beside the quota tree: of classes, of the user and of the budgets. */
export function refusalByLimits(limits: Limits, { workload, kin }: Claimant, option: Option): Refusal | undefined {
  const { quota } = kin;
  if (quota?.pool === undefined) return undefined;
  return (
    classLimit(quota, quota.pool.tree, option) ??
    userLimit(limits, workload, { quota, option }) ??
    exhausted(limits.budgets, kin, option)
  );
}

/** Whether class limits admit the option as this tree stands. */
export function withinClassLimits(quota: QuotaState, tree: QuotaTree, option: Option): boolean {
  return classLimit(quota, tree, option) === undefined;
}

/** A workload that asks for no accelerator is placed without a quota (DESIGN.md section 3). */
export function needsQuota({ roles }: Pick<Ask, 'roles'>): boolean {
  return roles.some((role) => role.accelerators.length > 0);
}

function noQuota(namespace: string): Refusal {
  return refuse(
    WaitReason.NoQuota,
    () =>
      `no ResearchQuota selects namespace ${namespace}; ask the operators of the pool for one, ` +
      `or for the label ${labels.institution.key} that an existing one selects`,
  );
}

function quotaNotReady(quota: QuotaState): Refusal {
  return refuse(
    WaitReason.QuotaNotReady,
    () => `ResearchQuota ${quota.spec.name} is not ready: ${quota.problem?.message ?? 'its pool is unknown'}`,
  );
}

function unsupportedPart({ pods, gang }: Workload, pool: PoolState | undefined): string | undefined {
  for (const pod of pods) {
    const problem = pod.problem ?? pod.shape.unsupported;
    if (problem !== undefined) return problem;
  }
  const level = pods[0]?.topology?.level;
  if (level !== undefined && pool !== undefined && !isLevelOf(pool, level)) {
    const known = [...pool.spec.topologyLevels, foreignKeys.hostname.key].join(', ');
    return `annotation ${annotations.topology.key} is ${level}, which is no topology level of pool ${pool.spec.name}: write one of ${known}`;
  }
  if (gang?.agreed !== false) return undefined;
  return `pods of gang ${gang.name} disagree in the annotation ${annotations.gangSize.key}; give all the same`;
}

/** The host is the narrowest level of every pool. */
function isLevelOf(pool: PoolState, level: string): boolean {
  return level === foreignKeys.hostname.key || pool.spec.topologyLevels.includes(level);
}

function noMatchingClass({ roles }: Ask, pool: PoolState): Refusal {
  return refuse(WaitReason.NoMatchingClass, () => {
    const asked = [...new Set(roles.flatMap((role) => role.accelerators.map((a) => a.resourceName)))].join(', ');
    const wanted = [...new Set(roles.flatMap((role) => role.pods[0]?.classes ?? []))];
    const allow = wanted.length === 0 ? 'selectors' : `selectors and annotation ${annotations.acceleratorClass.key}`;
    const classes = pool.classes.map((c) => `${c.spec.name} (${c.spec.resourceName})`).join(', ');
    return (
      `no accelerator class of pool ${pool.spec.name} offers ${asked} on nodes that the pod's ${allow} allow; ` +
      `its classes are ${classes}`
    );
  });
}

function exceededLimit(first: Workload, ask: Ask, quota: QuotaState, pool: PoolState): string | undefined {
  const { roles, options } = ask;
  const devices = totalDevices(roles);
  const walltime = walltimeOf(first.pods[0]?.walltime, quota);
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
  if (options.some((option) => couldEverFit(roles, option, quota))) return undefined;
  return neverFits(roles, options, quota, pool);
}

/** The options that would fit were nothing else running; those of classes without devices are none. */
export function viableOptions({ quota, roles, options }: Ask): readonly Option[] {
  if (quota?.pool === undefined) return options;
  return options.filter((option) => couldEverFit(roles, option, quota));
}

/** Whether the option would fit were nothing else running, on all nodes that exist, ready or not. */
function couldEverFit(roles: readonly Role[], option: Option, quota: QuotaState): boolean {
  const { pool } = quota;
  if (pool === undefined || option.cost > ceilingOf(quota, pool)) return false;
  if (option.cost > userLimitOf(roles, quota)) return false;
  if (tooLargeForANode(roles, option) !== undefined) return false;
  return option.request.every((asked) => asked.devices <= mostOfClass(quota, pool, asked.classIndex));
}

/** Milli-GPUs that one user may hold; no limit for pods that name no user. */
function userLimitOf(roles: readonly Role[], { spec }: QuotaState): number {
  return roles[0]?.pods[0]?.user === undefined ? Infinity : (spec.perUserMax ?? Infinity);
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
  const userMax = userLimitOf(roles, quota);
  if (cheapest > userMax) {
    return (
      `asks for ${formatMilliGpus(cheapest)} normalized GPUs, ResearchQuota ${quota.spec.name} allows ` +
      `${formatMilliGpus(userMax)} a user (capacity.perUserMax)`
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

/** Whether pods of the gang are still to come. Asked after everything that no pod to come could change. */
export function gangIncomplete({ gang, pods }: Workload): Refusal | undefined {
  if (gang === undefined || (gang.size !== undefined && gang.missing === 0)) return undefined;
  const { kind, name, size } = gang;
  const exist = pods.length + gang.bound;
  if (size === undefined) {
    const owner = kind === 'job' ? 'Job' : 'PodGroup';
    return refuse(WaitReason.GangIncomplete, () => `${owner} ${name} of the gang does not exist; create it`);
  }
  return refuse(
    WaitReason.GangIncomplete,
    () => `${exist} of ${size} pods of gang ${name} exist; it starts when all do`,
  );
}

function classLimit(quota: QuotaState, tree: QuotaTree, option: Option): Refusal | undefined {
  for (const above of quota.chain) {
    if (above.spec.classes.length === 0 || quota.pool === undefined) continue;
    for (const { classIndex, devices } of option.request) {
      const name = className(quota.pool, classIndex);
      const max = above.spec.classes.find((own) => own.name === name)?.max;
      const used = tree.devices(above.index, classIndex);
      if (max === undefined || used + devices <= max) continue;
      return refuse(
        WaitReason.ClassLimit,
        () =>
          `ResearchQuota ${above.spec.name} holds ${used} of at most ${max} ${name}, ${devices} are asked for; ` +
          `it starts when enough are released, or on another class`,
      );
    }
  }
  return undefined;
}

function userLimit(
  { snapshot, kept }: Limits,
  workload: Workload,
  { quota, option }: { quota: QuotaState; option: Option },
): Refusal | undefined {
  const user = workload.pods[0]?.user;
  const max = quota.spec.perUserMax;
  if (user === undefined || max === undefined) return undefined;
  const used = snapshot.userUse(quota, user) + kept(quota, user);
  if (used + option.cost <= max) return undefined;
  return refuse(
    WaitReason.UserLimit,
    () =>
      `user ${user} holds ${formatMilliGpus(used)} of at most ${formatMilliGpus(max)} normalized GPUs in ` +
      `ResearchQuota ${quota.spec.name}, ${formatMilliGpus(option.cost)} are asked for`,
  );
}

function exhausted(budgets: CycleBudgets, spender: Spender, option: Option): Refusal | undefined {
  const verdict = budgets.verdictOn(spender, option);
  if (verdict.outcome === 'Full' || verdict.outcome === 'Borrower') return undefined;
  return refuse(verdict.outcome, () => describeVerdict(verdict));
}

function quotaLimit(quota: QuotaState, pool: PoolState, option: Option): Refusal | undefined {
  const available = pool.tree.available(quota.index);
  if (option.cost <= available) return undefined;
  const left = Math.max(0, available);
  const used = pool.tree.used(quota.index);
  const guaranteed = quota.effectiveGuarantee;
  const guarantor = pool.tree.guarantorOf(quota.index, option.request);
  if (guarantor !== undefined) {
    return refuse(
      WaitReason.WaitingForReclaim,
      () =>
        `${
          guarantor === quota.index
            ? `within the guarantee of ${formatMilliGpus(guaranteed)} (${formatMilliGpus(used)} used)`
            : `within what is unused of the guarantees of ${pool.quotas[guarantor]?.spec.name ?? ''} and its members ` +
              `(${formatMilliGpus(pool.tree.unusedGuarantee(guarantor))})`
        }, but only ` +
        `${formatMilliGpus(left)} of the ${formatMilliGpus(option.cost)} asked for are left: the rest is lent to others ` +
        `(${largestBorrowers(pool, quota)})`,
    );
  }
  return refuse(
    WaitReason.WaitingForQuota,
    () =>
      `ResearchQuota ${quota.spec.name} uses ${formatMilliGpus(used)} (guaranteed ${formatMilliGpus(guaranteed)}) and can ` +
      `take ${formatMilliGpus(left)} more normalized GPUs now, ${formatMilliGpus(option.cost)} are asked for; it starts ` +
      `when its own or lent capacity is released`,
  );
}

/** The three quotas that borrow most, as people read it. Only asked for when a class of workloads is refused. */
function largestBorrowers(pool: PoolState, except: QuotaState): string {
  const borrowing = pool.quotas.filter((quota) => !except.chain.includes(quota) && pool.tree.borrowed(quota.index) > 0);
  // What a member borrows its consortium may borrow too: told once, of the member.
  const parents = new Set(borrowing.map((quota) => pool.tree.parentOf(quota.index)));
  const borrowers = borrowing
    .filter((quota) => !parents.has(quota.index))
    .map((quota) => ({ name: quota.spec.name, borrowed: pool.tree.borrowed(quota.index) }))
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
