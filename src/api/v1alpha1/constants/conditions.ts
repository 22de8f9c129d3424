import type { Kind } from './identity.ts';
import { namesOf } from './named.ts';
import { waitReasons, WaitReason } from './reasons.ts';

/** What a condition reason says. */
export interface ConditionReasonDoc {
  readonly meaning: string;
}

/** Reasons of all conditions; {@link conditions} says which one belongs where. */
export const conditionReasons = {
  Ready: { meaning: 'The spec is in force.' },
  InvalidSpec: {
    meaning:
      'A field holds what the schema cannot refuse (an unknown time zone, for one), or was stored before the schema refused it. Nothing is admitted until it is mended.',
  },
  NoNodes: { meaning: 'No node carries a device of any class of the pool.' },
  ClassOverlap: {
    meaning:
      'Two classes of one resource name select the same node. Its devices belong to the class that is written first.',
  },
  NodeConflict: {
    meaning:
      'Another resource claims some of the nodes and keeps them: of two pools the one whose name sorts first, of two investments the older.',
  },
  ContributorNotFound: {
    meaning: 'A contribution names a ResearchQuota that does not exist in this pool. It buys nothing until it does.',
  },
  PoolNotFound: { meaning: 'No GpuPool has the name in `poolName`.' },
  ParentNotFound: { meaning: 'No ResearchQuota has the name in `parentName`.' },
  ParentCycle: { meaning: 'Following `parentName` leads back to the quota itself.' },
  ParentInOtherPool: { meaning: 'The parent belongs to another pool.' },
  ParentNotReady: { meaning: 'A quota above is not ready.' },
  NamespaceConflict: {
    meaning:
      'An older quota selects some of the namespaces as well and pays for them; of two equally old ones that whose name sorts first.',
  },
  ClassNotFound: {
    meaning: 'The pool has no accelerator class of a name that the spec uses. That entry has no effect.',
  },
  InvestorNotFound: { meaning: 'No ResearchQuota has the name in `investorName`.' },
  InvestorInOtherPool: { meaning: 'The quota of the investor belongs to another pool.' },
  GuaranteesExceedCapacity: { meaning: 'The effective guarantees together exceed the ready capacity of the pool.' },
  EntitlementsExceedFloor: {
    meaning:
      'The entitlements together exceed what `publicFloor` leaves them; all are scaled by the factor in the message.',
  },
  WithinCapacity: { meaning: 'Guarantees and entitlements fit in the ready capacity.' },
  SiteAtLimit: {
    meaning: 'The power that a site has left does not suffice for another device; nothing more starts there.',
  },
  WaitingForPower: { meaning: 'Devices are free, but their sites would draw more power than their limits allow.' },
  WithinPowerLimit: { meaning: 'Every site is below its power limit, or has none.' },
  LedgerWritten: { meaning: 'The ledger has been written.' },
  LedgerBehind: { meaning: 'The store of the ledger does not answer, or is slow; the message says since when.' },
  NoBudget: { meaning: 'The quota has no budget: its GPU-hours are counted, not limited.' },
  WithinBudget: { meaning: 'GPU-hours are left and the period is running.' },
  NearlyUsed: { meaning: '80 % of the budget or more are used; the message says how much.' },
  InGrace: { meaning: 'The budget is used up; what starts now draws on the grace and may be reclaimed.' },
  [WaitReason.BudgetExhausted]: { meaning: waitReasons.BudgetExhausted.meaning },
  [WaitReason.BudgetNotStarted]: { meaning: waitReasons.BudgetNotStarted.meaning },
  [WaitReason.BudgetExpired]: { meaning: waitReasons.BudgetExpired.meaning },
  AboveGuarantee: { meaning: 'The quota uses more than its effective guarantee; the rest may be reclaimed.' },
  WithinGuarantee: { meaning: 'The quota uses no more than its effective guarantee.' },
  AllDevicesPresent: { meaning: 'Every promised device exists on a labelled node.' },
  DevicesMissing: { meaning: 'Fewer devices exist on labelled nodes than were promised.' },
  NoDevicesPromised: { meaning: 'The contribution brings no devices of its own.' },
  MatchComplete: { meaning: 'The state has delivered all of its match.' },
  MatchIncomplete: { meaning: 'The state has delivered less than its match.' },
  NoMatchPromised: { meaning: 'The investment asks for no match.' },
  InTerm: { meaning: 'The term is running and devices are verified.' },
  TermNotStarted: { meaning: 'The term has not begun.' },
  TermEnded: { meaning: 'The term is over; the entitlement has gone back to the public.' },
  NothingVerified: { meaning: 'No device of the investment exists yet, so there is nothing to be entitled to.' },
  NotReady: { meaning: 'The investment itself is not ready: see its Ready condition.' },
  PromiseKept: { meaning: 'No reclaim for the investor took longer than promised in the last 30 days.' },
  PromiseTooTight: {
    meaning:
      "The pool's `minRuntime` and `notice` together are longer than `guaranteedAccessWithin`, so the promise cannot be kept.",
  },
  Breached: { meaning: 'A reclaim for the investor took longer than promised within the last 30 days.' },
} as const satisfies Readonly<Record<string, ConditionReasonDoc>>;

/** Reason of a condition, the same token in status and in the event that reports its change. */
export type ConditionReason = keyof typeof conditionReasons;

/** Condition reasons as constants: `ConditionReason.PoolNotFound`. */
export const ConditionReason = namesOf(conditionReasons);

/** What a condition tells, and the reasons with which it is True and False. */
export interface ConditionDoc {
  readonly meaning: string;
  /** Status in which nobody needs to act. */
  readonly healthy: 'True' | 'False';
  readonly true: readonly ConditionReason[];
  readonly false: readonly ConditionReason[];
}

const poolConditions = {
  Ready: {
    meaning: 'The pool has nodes and its spec is in force. Overlaps are told here; they do not stop it.',
    healthy: 'True',
    true: ['Ready', 'ClassOverlap', 'NodeConflict', 'ContributorNotFound'],
    false: ['NoNodes', 'InvalidSpec'],
  },
  Overcommitted: {
    meaning: 'More is guaranteed or entitled than the pool can give.',
    healthy: 'False',
    true: ['GuaranteesExceedCapacity', 'EntitlementsExceedFloor'],
    false: ['WithinCapacity'],
  },
  LedgerCurrent: {
    meaning:
      'The store of the ledger has all that happened, but for the last seconds. While it is False nothing is lost: what it lacks is kept in the journal.',
    healthy: 'True',
    true: ['LedgerWritten'],
    false: ['LedgerBehind'],
  },
  PowerLimited: {
    meaning: 'A site has no power left for another device, or workloads wait for power.',
    healthy: 'False',
    true: ['WaitingForPower', 'SiteAtLimit'],
    false: ['WithinPowerLimit'],
  },
} as const satisfies Readonly<Record<string, ConditionDoc>>;

const quotaConditions = {
  Ready: {
    meaning: 'The quota admits workloads. While it is False, they wait with the reason QuotaNotReady.',
    healthy: 'True',
    true: ['Ready', 'NamespaceConflict', 'ClassNotFound'],
    false: ['PoolNotFound', 'ParentNotFound', 'ParentCycle', 'ParentInOtherPool', 'ParentNotReady', 'InvalidSpec'],
  },
  BudgetAvailable: {
    meaning: 'The budget admits workloads.',
    healthy: 'True',
    true: ['WithinBudget', 'NearlyUsed', 'InGrace', 'NoBudget'],
    false: ['BudgetExhausted', 'BudgetNotStarted', 'BudgetExpired'],
  },
  Borrowing: {
    meaning: 'The quota uses capacity that belongs to others.',
    healthy: 'False',
    true: ['AboveGuarantee'],
    false: ['WithinGuarantee'],
  },
} as const satisfies Readonly<Record<string, ConditionDoc>>;

const investmentConditions = {
  Ready: {
    meaning: 'The investment is in force; whether it buys anything now is told by EntitlementActive.',
    healthy: 'True',
    true: ['Ready', 'NodeConflict', 'ClassNotFound'],
    false: ['PoolNotFound', 'InvestorNotFound', 'InvestorInOtherPool', 'InvalidSpec'],
  },
  ContributionVerified: {
    meaning: 'All promised devices exist.',
    healthy: 'True',
    true: ['AllDevicesPresent', 'NoDevicesPromised'],
    false: ['DevicesMissing'],
  },
  MatchDelivered: {
    meaning: "The state's devices reach min(ratio x promised contribution, cap).",
    healthy: 'True',
    true: ['MatchComplete', 'NoMatchPromised'],
    false: ['MatchIncomplete'],
  },
  EntitlementActive: {
    meaning: 'The investor has an entitlement now.',
    healthy: 'True',
    true: ['InTerm'],
    false: ['TermNotStarted', 'TermEnded', 'NothingVerified', 'NotReady'],
  },
  AccessGuaranteeMet: {
    meaning: 'The investor gets lent capacity back as fast as promised.',
    healthy: 'True',
    true: ['PromiseKept'],
    false: ['PromiseTooTight', 'Breached'],
  },
} as const satisfies Readonly<Record<string, ConditionDoc>>;

/** The conditions of each kind. Source of docs/reference/conditions.md. */
export const conditions = {
  GpuPool: poolConditions,
  ResearchQuota: quotaConditions,
  MatchingInvestment: investmentConditions,
} as const satisfies Readonly<Record<Kind, Readonly<Record<string, ConditionDoc>>>>;

/** Condition types of a GpuPool as constants. */
export const PoolCondition = namesOf(poolConditions);

/** Condition types of a ResearchQuota as constants. */
export const QuotaCondition = namesOf(quotaConditions);

/** Condition types of a MatchingInvestment as constants. */
export const InvestmentCondition = namesOf(investmentConditions);

/** Type of a condition of any of the three kinds. */
export type ConditionType =
  keyof typeof poolConditions | keyof typeof quotaConditions | keyof typeof investmentConditions;
