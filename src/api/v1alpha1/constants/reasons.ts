import { namesOf } from './named.ts';

/** What a wait reason says, and what the person who waits can do about it. */
export interface ReasonDoc {
  readonly meaning: string;
  readonly nextStep: string;
}

/**
 * Why a workload waits. The order is that of the checks: the first that fails names the reason. Source of
 * docs/reference/reasons.md.
 */
export const waitReasons = {
  NoQuota: {
    meaning: "No ResearchQuota selects the pod's namespace.",
    nextStep: 'Ask the operators of the pool for a quota, or for the label that an existing one selects.',
  },
  QuotaNotReady: {
    meaning: 'The quota, or one above it, has the condition Ready False: its pool or parent is missing or wrong.',
    nextStep: 'Read the message of its Ready condition: `kubectl describe rq NAME`.',
  },
  Suspended: {
    meaning: 'The quota, or one above it, has `spec.suspend: true` and admits nothing new.',
    nextStep: 'Wait, or ask whoever suspended it.',
  },
  Unsupported: {
    meaning: 'The pod asks for something that Moa does not schedule, or an annotation of Moa is malformed.',
    nextStep: 'Change the field or annotation that the message names.',
  },
  NoMatchingClass: {
    meaning: "No accelerator class of the pool fits the pod's resources and node selection, whatever nodes exist.",
    nextStep: 'Compare the resource name and the node selector with the classes of the pool: `kubectl describe gp`.',
  },
  ExceedsLimit: {
    meaning: 'The workload is larger than `limits` allow, or than the quota or the idle pool could ever hold.',
    nextStep: 'Ask for fewer GPUs or less walltime, or have the limit raised.',
  },
  BudgetNotStarted: {
    meaning: 'The budget period of the quota, or of one above it, has not begun.',
    nextStep: 'Wait for the date in the message.',
  },
  BudgetExpired: {
    meaning: 'The budget period of the quota, or of one above it, is over.',
    nextStep: 'Ask for an extension or for a next period.',
  },
  GangIncomplete: {
    meaning: 'Fewer pods exist than the gang has, or its PodGroup or Job is missing.',
    nextStep: 'Create the missing pods, or correct the gang size.',
  },
  ClassLimit: {
    meaning: 'The quota already uses as many devices of the accelerator class as its `max` allows.',
    nextStep: 'Wait until some are released, or allow other classes.',
  },
  UserLimit: {
    meaning: 'The user already holds as much as `perUserMax` allows.',
    nextStep: "Wait until the user's other workloads end.",
  },
  BudgetExhausted: {
    meaning: 'The GPU-hours left, grace included, do not cover the workload for its whole walltime.',
    nextStep: 'Declare a shorter walltime, or ask for a supplement.',
  },
  WaitingForQuota: {
    meaning: 'The quota has no room left: its guarantee is used and it may not, or cannot, borrow as much.',
    nextStep: 'Wait until workloads of the quota, or lent capacity, come back.',
  },
  WaitingForReclaim: {
    meaning: 'The workload is within its guarantee and capacity is being taken back from borrowers for it.',
    nextStep: 'Nothing: it starts when the notice that the borrowers were given is over.',
  },
  PowerLimited: {
    meaning: 'Enough devices are free, but their site would draw more power than its limit.',
    nextStep: 'Wait, or let the workload run at another site.',
  },
  TopologyUnsatisfiable: {
    meaning: 'No domain of the topology level that is asked for can hold the whole gang now.',
    nextStep: 'Wait, ask for a wider level, or set `moa.dev/topology-mode: Preferred`.',
  },
  Fragmented: {
    meaning: 'Enough devices are free in all, but not enough of them on one node for each pod.',
    nextStep: 'Wait, or ask for fewer GPUs per pod and more pods.',
  },
  NoCapacity: {
    meaning: 'Not enough devices that the pod may use are free in the pool.',
    nextStep: 'Wait; a wider node selection, where the job allows it, finds room earlier.',
  },
  Reserved: {
    meaning: 'Enough is free, but it is held for a workload ahead.',
    nextStep: 'Declare a shorter walltime, so that the workload fits in before the reservation.',
  },
} as const satisfies Readonly<Record<string, ReasonDoc>>;

/** A wait reason: metric label, event reason, and token in status and CLI. */
export type WaitReason = keyof typeof waitReasons;

/** The wait reasons as constants: `WaitReason.NoQuota`. */
export const WaitReason = namesOf(waitReasons);
