import { namesOf } from './named.ts';

/** What an event reports and about which object. */
export interface EventDoc {
  readonly type: 'Normal' | 'Warning';
  readonly on: 'Pod' | 'GpuPool' | 'ResearchQuota' | 'MatchingInvestment';
  readonly meaning: string;
}

/**
 * Reasons of the events that Moa writes, besides the wait reasons (on the first pod of a workload, when its reason
 * changes) and the condition reasons (on the resource, when a condition changes). Source of docs/reference/events.md.
 */
export const events = {
  Scheduled: { type: 'Normal', on: 'Pod', meaning: 'The pod was bound to the node that the message names.' },
  BindingFailed: {
    type: 'Warning',
    on: 'Pod',
    meaning: 'The API server refused the binding. The pod is planned again.',
  },
  Preempted: {
    type: 'Warning',
    on: 'Pod',
    meaning:
      'The workload makes way for the one that the message names and ends by the time that it names. On its first pod.',
  },
  MakingRoom: {
    type: 'Normal',
    on: 'Pod',
    meaning: 'Other workloads are evicted for this one, which starts when they have ended. On its first pod.',
  },
  BudgetThreshold: {
    type: 'Warning',
    on: 'ResearchQuota',
    meaning: 'The use of the budget has reached 80, 90 or 100 %.',
  },
  MilestoneReached: {
    type: 'Normal',
    on: 'GpuPool',
    meaning: 'The pool has as many ready devices as a milestone asks for.',
  },
  AccessPromiseBroken: {
    type: 'Warning',
    on: 'MatchingInvestment',
    meaning: 'Another reclaim for the investor took longer than promised, less than 30 days after the last that did.',
  },
  PhaseChanged: {
    type: 'Normal',
    on: 'MatchingInvestment',
    meaning: 'The investment moved to the phase that the message names.',
  },
} as const satisfies Readonly<Record<string, EventDoc>>;

/** Reason of an event that is neither a wait reason nor a condition reason. */
export type EventReason = keyof typeof events;

/** Event reasons as constants: `EventReason.Scheduled`. */
export const EventReason = namesOf(events);
