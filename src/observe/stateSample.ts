/** What the gauges show of one pool. Capacities are milli-GPUs, the rest devices. */
export interface PoolSample {
  readonly name: string;
  readonly nodes: number;
  readonly readyNodes: number;
  readonly capacity: {
    readonly all: number;
    readonly ready: number;
    readonly guaranteed: number;
    readonly entitled: number;
  };
  readonly classes: readonly ClassSample[];
  readonly sites: readonly SiteSample[];
  /** Its conditions as they are written: whether each that is known is True. */
  readonly conditions: Readonly<Partial<Record<'Ready' | 'Overcommitted' | 'PowerLimited', boolean>>>;
  /** What taking back may take: least run time and notice together, seconds. */
  readonly reclaimBoundSeconds: number;
  /** The longest present wait, within a guarantee, for what is lent; 0 when nobody waits for it. */
  readonly unservedGuaranteeSeconds: number;
}

export interface ClassSample {
  readonly name: string;
  readonly gpus: number;
  readonly readyGpus: number;
  readonly allocatedGpus: number;
  readonly freeGpus: number;
  readonly largestFreeNode: number;
}

export interface SiteSample {
  readonly name: string;
  readonly watts: number;
  readonly limitWatts: number | undefined;
}

/** What the gauges show of one quota, in milli-GPUs. */
export interface QuotaSample {
  readonly name: string;
  readonly poolName: string;
  /** Empty directly under the pool. */
  readonly parentName: string;
  readonly tier: string;
  readonly effectiveGuarantee: number;
  readonly used: number;
  readonly borrowed: number;
  readonly lent: number;
  /** Of the present period; undefined without a budget. */
  readonly budget?: BudgetSample | undefined;
}

/** Normalized GPU-hours. */
export interface BudgetSample {
  readonly granted: number;
  readonly carriedOver: number;
  readonly used: number;
  readonly reserved: number;
}

/** What the gauges show of one investment, in milli-GPUs and seconds. */
export interface InvestmentSample {
  readonly name: string;
  readonly poolName: string;
  readonly quotaName: string;
  /** Empty before it is known. */
  readonly phase: string;
  readonly effectiveEntitlement: number;
  readonly used: number;
  readonly lent: number;
  /** `guaranteedAccessWithin`; undefined without a promise. */
  readonly promiseSeconds: number | undefined;
  readonly longestWaitSeconds: number;
  readonly accessP95Seconds: number;
  readonly breaches: number;
}

/** The workloads of one quota; the name is empty for those without. */
export interface WorkloadSample {
  readonly quotaName: string;
  readonly running: number;
  /** How many wait, by reason. */
  readonly pending: Readonly<Record<string, number>>;
  /** For how many of them space is kept. */
  readonly reserved: number;
}

/** The age of the oldest workload of a tier that waits for a reason. */
export interface WaitSample {
  /** Empty for workloads whose namespace no quota selects. */
  readonly tier: string;
  readonly reason: string;
  readonly seconds: number;
}

/** How many resources of a kind are not in force. */
export interface UnreadySample {
  readonly kind: 'GpuPool' | 'ResearchQuota' | 'MatchingInvestment';
  readonly count: number;
}

/**
 * A picture of the state that gauges mirror. Each part that is present replaces what was shown of its kind, so a deleted
 * resource needs no call of its own; a part that is absent stays.
 */
export interface StateSample {
  readonly pools?: readonly PoolSample[];
  readonly quotas?: readonly QuotaSample[];
  readonly investments?: readonly InvestmentSample[];
  readonly workloads?: readonly WorkloadSample[];
  readonly waits?: readonly WaitSample[];
  readonly unready?: readonly UnreadySample[];
}

/** What a process shows that does not lead: nothing, for the leader shows it. */
export const noState: Required<StateSample> = {
  pools: [],
  quotas: [],
  investments: [],
  workloads: [],
  waits: [],
  unready: [],
};
