import type { Metrics } from './metrics.ts';

/** What a scheduling cycle tells of itself when it has ended. */
export type CycleObservation = FinishedCycle | UnfinishedCycle;

export interface FinishedCycle {
  readonly outcome: 'finished';
  /** It has looked at all that waits; else it stopped at its share of pods. */
  readonly whole: boolean;
  /** The phases, one right after the other: taking the picture, planning, handing out. */
  readonly snapshotMs: number;
  readonly planMs: number;
  readonly applyMs: number;
  /** Workloads that were given their places, that are to make way, and for which space is kept. */
  readonly admitted: number;
  readonly evicted: number;
  readonly reserved: number;
}

/** `skipped` had to wait for bindings under way, `failed` is a fault of Moa. */
export interface UnfinishedCycle {
  readonly outcome: 'skipped' | 'failed';
}

/** Counts and times scheduling cycles. */
export function cycleObserver(metrics: Metrics): (observation: CycleObservation) => void {
  return (cycle) => {
    metrics.cycles.inc({ result: resultOf(cycle) });
    if (!isFinished(cycle)) return;
    metrics.cycleDuration.observe({ phase: 'snapshot' }, cycle.snapshotMs / 1000);
    metrics.cycleDuration.observe({ phase: 'plan' }, cycle.planMs / 1000);
    metrics.cycleDuration.observe({ phase: 'apply' }, cycle.applyMs / 1000);
  };
}

export function isFinished(cycle: CycleObservation): cycle is FinishedCycle {
  return cycle.outcome === 'finished';
}

/** How a cycle ended, in a word: a value of the label `result`. */
export function resultOf(cycle: CycleObservation): 'whole' | 'partial' | UnfinishedCycle['outcome'] {
  if (!isFinished(cycle)) return cycle.outcome;
  return cycle.whole ? 'whole' : 'partial';
}
