import type { GpuPoolStatus } from '../../api/v1alpha1/index.ts';
import { ConditionReason, PoolCondition } from '../../api/v1alpha1/constants/index.ts';
import { describeScaling, type Milestone, type PoolState } from '../snapshot/index.ts';
import { formatInstant, formatMilliGpus, milli, mulDivFloor } from '../units/index.ts';
import type { Figures, PoolFigures } from './figures.ts';
import { condition, readyCondition, type ConditionValue, type Verdict } from './verdict.ts';

/** Workloads of a pool that only power keeps waiting. */
export interface PowerWait {
  readonly workloads: number;
  /** What the first of them is told. */
  readonly message: string;
}

/** How far the ledger is behind. */
export interface LedgerState {
  /** Since when it has been behind by more than a moment, epoch milliseconds; undefined = it is not. */
  readonly behindSince: number | undefined;
  /** What its store answered last, where that was an error. */
  readonly problem: string | undefined;
}

/** The status of a pool (DESIGN.md sections 2.1 and 7). Undefined for a pool that the figures do not have. */
export function poolStatus(
  figures: Figures,
  pool: PoolState,
  known: { readonly waitForPower?: PowerWait | undefined; readonly ledger?: LedgerState | undefined } = {},
): Verdict<GpuPoolStatus> | undefined {
  const own = figures.pools.get(pool);
  if (own === undefined) return undefined;
  const { spec } = pool;
  const { waitForPower, ledger } = known;
  const gpus = sum(pool.classes.map((c) => c.gpus));
  const readyGpus = sum(pool.classes.map((c) => c.readyGpus));
  return {
    generation: spec.generation,
    conditions: [
      readiness(pool, gpus),
      overcommitment(pool),
      powerLimitation(pool, own, waitForPower),
      ...ledgerCurrent(ledger),
    ],
    figures: {
      nodes: own.nodes,
      capacity: {
        gpus,
        normalizedGpus: formatMilliGpus(pool.capacity),
        allocatedGpus: sum(own.classes.map((c) => c.allocatedGpus)),
        freeGpus: sum(own.classes.map((c) => c.freeGpus)),
        guaranteed: formatMilliGpus(pool.guaranteed),
        entitled: formatMilliGpus(pool.entitled),
        public: formatMilliGpus(pool.capacity - pool.entitled),
      },
      classes: pool.classes.map(({ spec: { name }, gpus: ofClass, readyGpus: ready }, i) => ({
        name,
        nodes: own.classes[i]?.nodes ?? 0,
        gpus: ofClass,
        readyGpus: ready,
        allocatedGpus: own.classes[i]?.allocatedGpus ?? 0,
        freeGpus: own.classes[i]?.freeGpus ?? 0,
        largestFreeNode: own.classes[i]?.largestFreeNode ?? 0,
      })),
      sites: spec.sites.map(({ name, powerLimitWatts }, i) => ({
        name,
        gpus: own.sites[i]?.gpus ?? 0,
        powerKilowatts: kilowatts(own.sites[i]?.watts ?? 0),
        ...(powerLimitWatts === undefined ? {} : { powerLimitKilowatts: wholeOrText(powerLimitWatts) }),
      })),
      contributors: pool.contributions.map((contribution) => ({
        quotaName: contribution.quotaName,
        gpus: contribution.gpus,
        entitlement: formatMilliGpus(contribution.entitlement),
      })),
      milestones: spec.milestones.map((milestone) => milestoneStatus(milestone, readyGpus)),
    },
  };
}

/** @param ledger undefined = nobody keeps one */
function ledgerCurrent(ledger: LedgerState | undefined): ConditionValue[] {
  if (ledger === undefined) return [];
  const type = PoolCondition.LedgerCurrent;
  const { behindSince, problem } = ledger;
  if (behindSince === undefined)
    return [condition(type, true, ConditionReason.LedgerWritten, 'the ledger has all that happened')];
  const message =
    `the ledger has nothing later than ${formatInstant(behindSince)}` +
    `${problem === undefined ? '' : `: ${problem}`}; what it lacks is kept in the journal of the operator, scheduling goes on`;
  return [condition(type, false, ConditionReason.LedgerBehind, message)];
}

function readiness(pool: PoolState, gpus: number): ConditionValue {
  const { classes } = pool.spec;
  const names = classes.map((c) => c.name).join(', ');
  const message = `no node carries a device of ${classes.length === 1 ? 'class' : 'the classes'} ${names}: label the nodes as the selectors of the classes ask, or mend the selectors`;
  const problem = gpus === 0 ? { reason: ConditionReason.NoNodes, message } : undefined;
  return readyCondition(problem, pool.remarks, 'the spec is in force');
}

function overcommitment(pool: PoolState): ConditionValue {
  const scaling = describeScaling(pool.floorFactor);
  const excess = pool.guaranteed - pool.readyCapacity;
  const told: string[] = [];
  if (excess > 0) {
    const [guaranteed, ready] = [formatMilliGpus(pool.guaranteed), formatMilliGpus(pool.readyCapacity)];
    told.push(
      `the quotas are guaranteed ${guaranteed} normalized GPUs and ${ready} are ready: lower guarantees by ${formatMilliGpus(excess)} or bring nodes back`,
    );
  }
  if (scaling !== undefined) told.push(`entitlements exceed what spec.publicFloor leaves them: ${scaling}`);
  if (told.length === 0) {
    const message = 'guarantees and entitlements fit in the ready capacity';
    return condition(PoolCondition.Overcommitted, false, ConditionReason.WithinCapacity, message);
  }
  const reason = excess > 0 ? ConditionReason.GuaranteesExceedCapacity : ConditionReason.EntitlementsExceedFloor;
  return condition(PoolCondition.Overcommitted, true, reason, told.join('. '));
}

/** A site is at its limit when what it has left does not power one more device of the class there that draws least. */
function powerLimitation(pool: PoolState, own: PoolFigures, waiting: PowerWait | undefined): ConditionValue {
  const type = PoolCondition.PowerLimited;
  const full = pool.spec.sites.flatMap(({ name, powerLimitWatts }, i) => {
    const site = own.sites[i];
    const { leastWatts } = site ?? {};
    if (site === undefined || powerLimitWatts === undefined || leastWatts === undefined) return [];
    const left = powerLimitWatts - site.watts;
    if (left >= leastWatts) return [];
    const excess = left < 0 ? `, ${kilowatts(-left)} too much` : `; the next device needs ${kilowatts(leastWatts)}`;
    return [`site ${name} draws ${kilowatts(site.watts)} of ${kilowatts(powerLimitWatts)} kW${excess}`];
  });
  if (waiting !== undefined) {
    const count = waiting.workloads === 1 ? 'one workload waits' : `${waiting.workloads} workloads wait`;
    const message = [`${count} for power: ${waiting.message}`, ...full].join('. ');
    return condition(type, true, ConditionReason.WaitingForPower, message);
  }
  if (full.length > 0) return condition(type, true, ConditionReason.SiteAtLimit, full.join('. '));
  const limited = pool.spec.sites.some(({ powerLimitWatts }) => powerLimitWatts !== undefined);
  const message = limited ? 'every site has power for another device' : 'no site has a power limit';
  return condition(type, false, ConditionReason.WithinPowerLimit, message);
}

/** Progress has three decimals, rounded down, so that 1 says that the target is reached. */
function milestoneStatus({ date, gpus }: Milestone, readyGpus: number) {
  const progress = formatMilliGpus(milli(mulDivFloor(Math.min(readyGpus, gpus), 1000, gpus)));
  return { date, gpus, reached: readyGpus >= gpus, progress };
}

function kilowatts(watts: number): string {
  return formatMilliGpus(watts);
}

/** A limit in the form that people write: a bare number, or text when it has decimals. */
function wholeOrText(watts: number): number | string {
  return watts % 1000 === 0 ? watts / 1000 : kilowatts(watts);
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}
