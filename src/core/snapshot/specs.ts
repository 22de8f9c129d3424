import type { BudgetSpec } from '../budget/index.ts';
import type { Micro, MilliGpus } from '../units/index.ts';
import type { PinnedWeight, Selector } from './facts.ts';

/**
 * The three resources as the core sees them: parsed, in integers, references still by name. Capacities and the weights
 * of classes are milli-GPUs, fractions are millionths, times are epoch milliseconds, durations milliseconds.
 */
export interface AcceleratorClass {
  readonly name: string;
  readonly resourceName: string;
  readonly nodeSelector: Selector;
  readonly weight: Weight;
  readonly powerWatts: number | undefined;
}

/** Milli-GPUs that one device is worth. */
export type Weight = MilliGpus;

export interface Contribution {
  readonly quotaName: string;
  readonly nodeSelector: Selector;
  readonly retainedFraction: Micro;
}

export interface Site {
  readonly name: string;
  readonly nodeSelector: Selector;
  readonly powerLimitWatts: number | undefined;
}

/** How the order of borrowers is decided. */
export interface FairShareSpec {
  /** Milliseconds after which past borrowing counts half. */
  readonly halfLife: number;
  /** How much past borrowing counts beside present borrowing. */
  readonly historyWeight: Micro;
  readonly preemption: 'Never' | 'WhenImbalanced';
}

export interface Milestone {
  readonly date: string;
  readonly gpus: number;
}

export interface PoolSpec {
  readonly name: string;
  readonly generation: number;
  readonly classes: readonly AcceleratorClass[];
  readonly contributions: readonly Contribution[];
  readonly topologyLevels: readonly string[];
  readonly sites: readonly Site[];
  readonly isolate: boolean;
  readonly publicFloor: Micro;
  readonly placement: 'Pack' | 'Spread';
  /** False: no reservations, nothing is held back for a workload ahead. */
  readonly backfill: boolean;
  /** Least run time before a borrower may be reclaimed, and the notice it gets. Milliseconds. */
  readonly minRuntime: number;
  readonly notice: number;
  readonly fairShare: FairShareSpec;
  readonly timeZone: string;
  /** What the charge of borrowed time is multiplied with. */
  readonly borrowedChargeFactor: Micro;
  readonly milestones: readonly Milestone[];
}

export interface ClassCapacity {
  readonly name: string;
  /** Devices. */
  readonly guaranteed: number;
  /** Devices; undefined = no limit. */
  readonly max: number | undefined;
}

export type Tier = 'Urgent' | 'Strategic' | 'Research' | 'Education' | 'Startup' | 'Discretionary';

export interface QuotaSpec {
  readonly name: string;
  readonly generation: number;
  readonly createdAt: number;
  readonly poolName: string;
  readonly parentName: string | undefined;
  /** Undefined: pays for no namespace. */
  readonly namespaceSelector: Selector | undefined;
  readonly tier: Tier;
  /** Fair-share weight in thousandths; 0 = never borrows while another waits. */
  readonly weight: number;
  readonly guaranteed: MilliGpus;
  readonly borrowingLimit: MilliGpus | undefined;
  readonly lendingLimit: MilliGpus | undefined;
  readonly perUserMax: MilliGpus | undefined;
  readonly classes: readonly ClassCapacity[];
  readonly maxWorkloadGpus: number | undefined;
  readonly maxWalltime: number | undefined;
  readonly defaultWalltime: number | undefined;
  /** Undefined: its GPU-hours are counted, not limited. */
  readonly budget: BudgetSpec | undefined;
  readonly suspend: boolean;
}

export interface InvestmentItem {
  readonly className: string;
  readonly gpus: number;
}

export interface InvestmentSpec {
  readonly name: string;
  readonly generation: number;
  readonly createdAt: number;
  readonly poolName: string;
  readonly investorName: string;
  readonly kind: 'Hardware' | 'Cash' | 'HostingAndOperations';
  readonly promised: readonly InvestmentItem[];
  readonly contributionSelector: Selector | undefined;
  readonly ratio: Micro | undefined;
  readonly cap: MilliGpus | undefined;
  readonly matchPromised: readonly InvestmentItem[];
  readonly matchSelector: Selector | undefined;
  readonly ownFraction: Micro;
  readonly matchedFraction: Micro;
  /** -Infinity: from the start. */
  readonly termStart: number;
  /** First moment outside the term; Infinity: no end. */
  readonly termEnd: number;
  readonly guaranteedAccessWithin: number | undefined;
  /** Weights kept in status since the term began; undefined = not pinned yet. */
  readonly pinnedWeights: readonly PinnedWeight[] | undefined;
}

/** A resource that could not be read, with a sentence that names the field: its owner sees it as a condition. */
export interface Unreadable {
  readonly name: string;
  readonly generation: number;
  readonly problem: string;
}
