import type { MatchingInvestmentStatus } from '../../api/v1alpha1/index.ts';
import { ConditionReason, InvestmentCondition } from '../../api/v1alpha1/constants/index.ts';
import type {
  InvestmentSpec,
  InvestmentState,
  PinnedWeight,
  PoolSpec,
  Unreadable,
  WorkingInvestment,
} from '../snapshot/index.ts';
import {
  formatDuration,
  formatMilliGpus,
  milli,
  mulDivFloor,
  oneMicro,
  zeroGpus,
  type MilliGpus,
} from '../units/index.ts';
import { lentOf, quotaFiguresOf, type Figures } from './figures.ts';
import { accessWindowMs, reclaimStatus, type AccessRecord } from './reclaims.ts';
import { condition, readyCondition, unreadableCondition, type ConditionValue, type Verdict } from './verdict.ts';

/** What is known of an investor's access, and when. */
export interface AccessNow {
  readonly record: AccessRecord;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * The status of an investment (DESIGN.md sections 2.3 and 7). One that is not in force has no amounts, but keeps the
 * weights that were pinned when its term began, and the record of the access that its investor got.
 */
export function investmentStatus(
  figures: Figures,
  investment: InvestmentState,
  access: AccessNow,
): Verdict<MatchingInvestmentStatus> {
  const { spec } = investment;
  const ready = readyCondition(investment.problem, investment.remarks, 'the spec is in force');
  const reclaim = reclaimStatus(access.record, spec.guaranteedAccessWithin, access.now);
  if (investment.problem !== undefined) {
    return notInForce(spec.generation, ready, { ...keptWeights(spec.pinnedWeights), reclaim });
  }
  const { amounts } = investment;
  const pool = figures.policy.pools.find((candidate) => candidate.spec.name === spec.poolName)?.spec;
  const use = entitlementUse(figures, investment);
  const entitlement = investment.term === 'within' ? amounts.entitlement : zeroGpus;
  return {
    generation: spec.generation,
    conditions: [
      ready,
      contributionVerified(investment),
      matchDelivered(investment),
      entitlementActive(investment, entitlement),
      ...(pool === undefined ? [] : [accessGuaranteeMet(spec, pool, reclaim)]),
    ],
    figures: {
      phase: phaseOf(investment),
      contributed: formatMilliGpus(amounts.contributed),
      matched: formatMilliGpus(amounts.matched),
      unmatched: formatMilliGpus(amounts.unmatched),
      entitlement: formatMilliGpus(entitlement),
      public: formatMilliGpus(amounts.contributed + amounts.delivered - entitlement),
      effectiveEntitlement: formatMilliGpus(investment.effectiveEntitlement),
      ...(use === undefined ? {} : { used: formatMilliGpus(use.used), lent: formatMilliGpus(use.lent) }),
      ...keptWeights(pool === undefined ? spec.pinnedWeights : pinnedWeights(investment, pool)),
      reclaim,
    },
  };
}

/**
 * The status of an investment that can't be read.
 *
 * @param observed its status as it is: the weights that are pinned in it hold for the whole term, so they stay, as does
 *   the record of reclaims
 */
export function unreadableInvestmentStatus(
  unreadable: Unreadable,
  observed: MatchingInvestmentStatus | undefined,
): Verdict<MatchingInvestmentStatus> {
  const { pinnedWeights, reclaim } = observed ?? {};
  const kept = {
    ...(pinnedWeights === undefined ? {} : { pinnedWeights }),
    ...(reclaim === undefined ? {} : { reclaim }),
  };
  return notInForce(unreadable.generation, unreadableCondition(unreadable), kept);
}

function notInForce(
  generation: number,
  ready: ConditionValue,
  kept: Pick<MatchingInvestmentStatus, 'pinnedWeights' | 'reclaim'>,
): Verdict<MatchingInvestmentStatus> {
  const message = 'the investment is not ready: see its Ready condition';
  const inactive = condition(InvestmentCondition.EntitlementActive, false, ConditionReason.NotReady, message);
  return { generation, conditions: [ready, inactive], figures: { phase: 'Pending', ...kept } };
}

function phaseOf(investment: WorkingInvestment): NonNullable<MatchingInvestmentStatus['phase']> {
  if (investment.term === 'before') return 'Pending';
  if (investment.term === 'after') return 'Expired';
  const { amounts, verifiedGpus, readyGpus } = investment;
  const complete = contributionComplete(investment) && amounts.delivered >= amounts.promisedMatch;
  if (verifiedGpus === 0 || !complete) return 'Provisioning';
  return readyGpus < verifiedGpus ? 'Degraded' : 'Active';
}

function contributionVerified(investment: WorkingInvestment): ConditionValue {
  const { spec, amounts } = investment;
  const type = InvestmentCondition.ContributionVerified;
  if (spec.kind !== 'Hardware' || amounts.promisedContribution === 0) {
    const message =
      spec.kind === 'Hardware' ? 'spec.contribution.items is empty' : `a contribution of kind ${spec.kind} brings none`;
    return condition(type, true, ConditionReason.NoDevicesPromised, message);
  }
  const promised = formatMilliGpus(amounts.promisedContribution);
  if (contributionComplete(investment)) {
    const message = `devices worth ${promised} normalized GPUs exist, as promised`;
    return condition(type, true, ConditionReason.AllDevicesPresent, message);
  }
  const message = `devices worth ${formatMilliGpus(amounts.contributed)} of ${promised} normalized GPUs exist on nodes that spec.contribution.nodeSelector selects`;
  return condition(type, false, ConditionReason.DevicesMissing, message);
}

function contributionComplete({ spec, amounts }: WorkingInvestment): boolean {
  return spec.kind !== 'Hardware' || amounts.contributed >= amounts.promisedContribution;
}

function matchDelivered(investment: WorkingInvestment): ConditionValue {
  const { delivered } = investment.amounts;
  const type = InvestmentCondition.MatchDelivered;
  const owed = matchOwed(investment);
  if (owed === 0) {
    return condition(type, true, ConditionReason.NoMatchPromised, 'spec.match asks the state for nothing');
  }
  const [has, asks] = [formatMilliGpus(delivered), formatMilliGpus(owed)];
  if (delivered >= owed) {
    const message = `the state delivered ${has} normalized GPUs of the ${asks} that it owes`;
    return condition(type, true, ConditionReason.MatchComplete, message);
  }
  const message = `the state delivered ${has} normalized GPUs of the ${asks} that it owes: more nodes have to carry the labels of spec.match.nodeSelector, and spec.match.items has to name their devices`;
  return condition(type, false, ConditionReason.MatchIncomplete, message);
}

/** min(ratio x promised C, cap); with neither, what the state promised device by device. */
function matchOwed({ spec, amounts }: WorkingInvestment): MilliGpus {
  const byRatio = spec.ratio === undefined ? Infinity : mulDivFloor(amounts.promisedContribution, spec.ratio, oneMicro);
  const owed = Math.min(byRatio, spec.cap ?? Infinity);
  return owed === Infinity ? amounts.promisedMatch : milli(owed);
}

function entitlementActive({ term, spec, amounts }: WorkingInvestment, entitlement: MilliGpus): ConditionValue {
  const type = InvestmentCondition.EntitlementActive;
  if (term === 'before') {
    return condition(type, false, ConditionReason.TermNotStarted, 'the term of spec.term has not begun');
  }
  if (term === 'after') {
    const message = 'the term of spec.term is over; all that was brought is public';
    return condition(type, false, ConditionReason.TermEnded, message);
  }
  if (entitlement === 0) {
    const message =
      amounts.contributed + amounts.delivered === 0
        ? 'no promised device exists yet on a node that the selectors of the investment select'
        : `what exists buys nothing at the fractions of spec.entitlement and a match of ${formatMilliGpus(amounts.matched)}`;
    return condition(type, false, ConditionReason.NothingVerified, message);
  }
  const message = `${spec.investorName} is entitled to ${formatMilliGpus(entitlement)} normalized GPUs`;
  return condition(type, true, ConditionReason.InTerm, message);
}

function accessGuaranteeMet(
  { guaranteedAccessWithin: promise }: InvestmentSpec,
  pool: PoolSpec,
  { breaches, p95Seconds }: NonNullable<MatchingInvestmentStatus['reclaim']>,
): ConditionValue {
  const type = InvestmentCondition.AccessGuaranteeMet;
  const needed = pool.minRuntime + pool.notice;
  if (promise !== undefined && needed > promise) {
    const message = `access within ${formatDuration(promise)} is promised, but a reclaim may take ${formatDuration(needed)} in pool ${pool.name} (minRuntime ${formatDuration(pool.minRuntime)} + notice ${formatDuration(pool.notice)}): raise spec.reclaim.guaranteedAccessWithin or shorten spec.scheduling.reclaim of the pool`;
    return condition(type, false, ConditionReason.PromiseTooTight, message);
  }
  if (breaches > 0) {
    const promised = promise === undefined ? '' : ` of ${formatDuration(promise)}`;
    const message = `${breaches === 1 ? 'one reclaim' : `${breaches} reclaims`} for the investor took longer than the promise${promised} in the last ${formatDuration(accessWindowMs)}; 95 of 100 were done within ${formatDuration(p95Seconds * 1000)}`;
    return condition(type, false, ConditionReason.Breached, message);
  }
  return condition(type, true, ConditionReason.PromiseKept, 'no reclaim for the investor took longer than promised');
}

/** What of an entitlement its investor uses, and what of the rest others use. */
export interface EntitlementUse {
  readonly used: MilliGpus;
  readonly lent: MilliGpus;
}

/**
 * `used`: what the investor's quota holds beyond its other guarantees, as far as this entitlement covers it. `lent`:
 * the rest of the entitlement, as far as it is a part of what the quota lends. Undefined while the investment or the
 * quota is not in force.
 */
export function entitlementUse(figures: Figures, investment: InvestmentState): EntitlementUse | undefined {
  if (investment.problem !== undefined) return undefined;
  const { spec, effectiveEntitlement } = investment;
  const quota = figures.policy.quotas.get(spec.investorName);
  const found = quotaFiguresOf(figures, quota);
  if (quota === undefined || found === undefined) return undefined;
  const { own, pool } = found;
  const otherGuarantees = quota.spec.guaranteed + quota.entitled - effectiveEntitlement;
  const used = milli(Math.min(Math.max(0, own.flexibleUse - otherGuarantees), effectiveEntitlement));
  const unused = milli(Math.min(effectiveEntitlement - used, own.unusedGuarantee));
  return { used, lent: lentOf(pool, unused) };
}

/** Inside the term every class that the items name gets the weight that it has now, unless it has one already. */
function pinnedWeights({ spec, term }: WorkingInvestment, pool: PoolSpec): readonly PinnedWeight[] | undefined {
  if (term !== 'within') return spec.pinnedWeights;
  const named = new Set([...spec.promised, ...spec.matchPromised].map((item) => item.className));
  const kept = spec.pinnedWeights ?? [];
  const missing = pool.classes.filter(({ name }) => named.has(name) && !kept.some((pin) => pin.className === name));
  return [...kept, ...missing.map(({ name, weight }) => ({ className: name, weight }))];
}

function keptWeights(pins: readonly PinnedWeight[] | undefined): Pick<MatchingInvestmentStatus, 'pinnedWeights'> {
  if (pins === undefined) return {};
  return { pinnedWeights: pins.map((pin) => ({ class: pin.className, weight: formatMilliGpus(pin.weight) })) };
}
