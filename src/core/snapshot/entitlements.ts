import { ConditionReason } from '../../api/v1alpha1/constants/index.ts';
import { investmentAmounts, withinFloor, type ClassDevices, type InvestmentAmounts } from '../invest/index.ts';
import { milli, mulDivFloor, scaleDown, zeroGpus, type Micro, type MilliGpus } from '../units/index.ts';
import type { InvestmentClaim, NodeClaims } from './claims.ts';
import { matches } from './match.ts';
import type { NodeProfile } from './nodeProfile.ts';
import type { Problem } from './problem.ts';
import type { InvestmentItem, InvestmentSpec, PoolSpec, QuotaSpec } from './specs.ts';

/** An investment with what it amounts to today, or the reason why it amounts to nothing. */
export type InvestmentState = BrokenInvestment | WorkingInvestment;

export interface BrokenInvestment {
  readonly spec: InvestmentSpec;
  readonly problem: Problem;
  readonly remarks: readonly Problem[];
}

export interface WorkingInvestment {
  readonly spec: InvestmentSpec;
  readonly problem: undefined;
  readonly remarks: readonly Problem[];
  readonly amounts: InvestmentAmounts;
  /** Where `now` lies. */
  readonly term: 'before' | 'within' | 'after';
  /** E after readiness and public floor; 0 outside the term. */
  readonly effectiveEntitlement: MilliGpus;
  /** All devices counted, and those of them on Ready nodes. */
  readonly verifiedGpus: number;
  readonly readyGpus: number;
}

/** What a contribution has brought, in the order of `spec.contributions`. */
export interface ContributionState {
  readonly quotaName: string;
  readonly gpus: number;
  /** Scaled by readiness and by the public floor. */
  readonly entitlement: MilliGpus;
}

export interface EntitlementInput {
  readonly pool: PoolSpec;
  /** Profiles of the pool's own nodes. */
  readonly profiles: readonly NodeProfile[];
  readonly claims: NodeClaims;
  readonly readyCapacity: MilliGpus;
  readonly investments: readonly InvestmentSpec[];
  /** All quotas, by name. */
  readonly quotas: ReadonlyMap<string, QuotaSpec>;
  readonly now: number;
}

export interface Entitlements {
  readonly investments: readonly InvestmentState[];
  readonly contributions: readonly ContributionState[];
  readonly ofQuota: ReadonlyMap<string, MilliGpus>;
  /** By what the public floor scaled all of them, in millionths. */
  readonly factor: Micro;
  readonly remarks: readonly Problem[];
}

/**
 * What the contributions and investments of one pool buy, scaled by the readiness of the nodes behind each and then,
 * all alike, into what the public floor leaves (DESIGN.md section 2.3).
 */
export function entitlementsOf(input: EntitlementInput): Entitlements {
  const investments = input.investments.map((spec) => ({ spec, ...measureInvestment(spec, input) }));
  const contributions = measureContributions(input);
  const raw = [
    ...investments.map(({ measured }) => (measured?.term === 'within' ? measured.amounts.readyEntitlement : zeroGpus)),
    ...contributions.map((contribution) => contribution.ready),
  ];
  const { scaled, factor } = withinFloor(raw, input.readyCapacity, input.pool.publicFloor);
  const ofQuota = new Map<string, MilliGpus>();
  const grant = (quota: string, amount: MilliGpus): void => {
    ofQuota.set(quota, milli((ofQuota.get(quota) ?? 0) + amount));
  };

  const states = investments.map(({ spec, problem, measured }, i): InvestmentState => {
    const remarks = [...(input.claims.remarksOfInvestment.get(spec.name) ?? []), ...unknownItems(spec, input.pool)];
    if (measured === undefined) return { spec, problem, remarks };
    const effectiveEntitlement = scaled[i] ?? zeroGpus;
    grant(spec.investorName, effectiveEntitlement);
    return { spec, problem: undefined, remarks, ...measured, effectiveEntitlement };
  });
  const remarks: Problem[] = [];
  const contributionStates = contributions.map((contribution, i): ContributionState => {
    const entitlement = scaled[investments.length + i] ?? zeroGpus;
    if (contribution.problem !== undefined) remarks.push(contribution.problem);
    else grant(contribution.quotaName, entitlement);
    return { quotaName: contribution.quotaName, gpus: contribution.gpus, entitlement };
  });
  return { investments: states, contributions: contributionStates, ofQuota, factor, remarks };
}

type Measured =
  | { readonly problem: Problem; readonly measured: undefined }
  | {
      readonly problem: undefined;
      readonly measured: Pick<WorkingInvestment, 'amounts' | 'term' | 'verifiedGpus' | 'readyGpus'>;
    };

function measureInvestment(spec: InvestmentSpec, input: EntitlementInput): Measured {
  const investor = input.quotas.get(spec.investorName);
  if (investor === undefined) {
    const message = `ResearchQuota ${spec.investorName} does not exist; create it or correct spec.investorName`;
    return { problem: { reason: ConditionReason.InvestorNotFound, message }, measured: undefined };
  }
  if (investor.poolName !== spec.poolName) {
    const message = `the investor ${investor.name} belongs to pool ${investor.poolName}, this investment to ${spec.poolName}`;
    return { problem: { reason: ConditionReason.InvestorInOtherPool, message }, measured: undefined };
  }
  const brought = devicesOf(spec, 'investor', spec.promised, input);
  const matched = devicesOf(spec, 'state', spec.matchPromised, input);
  const counted = [...(spec.kind === 'Hardware' ? brought : []), ...matched];
  const { now } = input;
  return {
    problem: undefined,
    measured: {
      amounts: investmentAmounts(spec, brought, matched),
      term: now < spec.termStart ? 'before' : now < spec.termEnd ? 'within' : 'after',
      verifiedGpus: counted.reduce((sum, c) => sum + Math.min(c.verified, c.promised), 0),
      readyGpus: counted.reduce((sum, c) => sum + Math.min(c.ready, c.promised), 0),
    },
  };
}

/** Devices of one side of an investment by class, at the weights pinned when its term began. */
function devicesOf(
  spec: InvestmentSpec,
  side: InvestmentClaim['side'],
  items: readonly InvestmentItem[],
  input: EntitlementInput,
): ClassDevices[] {
  const mine = input.profiles.filter((profile) => {
    const claim = input.claims.investmentOf[profile.id];
    return claim?.investment === spec.name && claim.side === side;
  });
  return input.pool.classes.flatMap((accelerator, index) => {
    const promised = items.filter((item) => item.className === accelerator.name).reduce((sum, i) => sum + i.gpus, 0);
    if (promised === 0) return [];
    const carrying = mine.filter((profile) => input.claims.classOf(profile.id, accelerator.resourceName) === index);
    const devices = (profile: NodeProfile) => profile.allocatable.get(accelerator.resourceName) ?? 0;
    return [
      {
        weight: spec.pinnedWeights?.find((pin) => pin.className === accelerator.name)?.weight ?? accelerator.weight,
        promised,
        verified: carrying.reduce((sum, profile) => sum + devices(profile), 0),
        ready: carrying.reduce((sum, profile) => sum + (profile.ready ? devices(profile) : 0), 0),
      },
    ];
  });
}

/** A node counts for the first contribution that selects it, unless it serves an investment. */
function measureContributions(input: EntitlementInput) {
  const brought = input.pool.contributions.map(() => ({ gpus: 0, worth: 0, readyWorth: 0 }));
  for (const profile of input.profiles) {
    if (input.claims.investmentOf[profile.id] !== undefined) continue;
    const index = input.pool.contributions.findIndex((c) => matches(c.nodeSelector, profile.labels));
    const sum = brought[index];
    if (sum === undefined) continue;
    input.pool.classes.forEach((accelerator, c) => {
      if (input.claims.classOf(profile.id, accelerator.resourceName) !== c) return;
      const devices = profile.allocatable.get(accelerator.resourceName) ?? 0;
      sum.gpus += devices;
      sum.worth += devices * accelerator.weight;
      if (profile.ready) sum.readyWorth += devices * accelerator.weight;
    });
  }
  return input.pool.contributions.map((contribution, i) => {
    const { gpus = 0, worth = 0, readyWorth = 0 } = brought[i] ?? {};
    const full = scaleDown(milli(worth), contribution.retainedFraction);
    const problem = contributorProblem(contribution.quotaName, input);
    const ready = worth === 0 || problem !== undefined ? zeroGpus : milli(mulDivFloor(full, readyWorth, worth));
    return { quotaName: contribution.quotaName, gpus, ready, problem };
  });
}

function contributorProblem(name: string, input: EntitlementInput): Problem | undefined {
  if (input.quotas.get(name)?.poolName === input.pool.name) return undefined;
  const message = `spec.contributions names ResearchQuota ${name}, which does not exist in this pool; it buys nothing`;
  return { reason: ConditionReason.ContributorNotFound, message };
}

function unknownItems(spec: InvestmentSpec, pool: PoolSpec): Problem[] {
  const known = new Set(pool.classes.map((c) => c.name));
  const unknown = [...spec.promised, ...spec.matchPromised]
    .map((item) => item.className)
    .filter((name) => !known.has(name));
  if (unknown.length === 0) return [];
  const message = `items name ${[...new Set(unknown)].join(', ')}, which pool ${pool.name} does not have; they count nothing`;
  return [{ reason: ConditionReason.ClassNotFound, message }];
}
