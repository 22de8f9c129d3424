import { countJobs, heldGpus, waitingByReason, type JobCounts } from './accounts.ts';
import type { InvestmentView, QuotaView } from './views.ts';
import type { World } from './world.ts';

/** The state of a run at one moment, as far as it is shown. */
export interface Progress {
  readonly phase: 'replay' | 'drain';
  /** Jobs of the scenario. */
  readonly jobs: number;
  readonly submitted: number;
  readonly counts: JobCounts;
  readonly elapsedSeconds: number;
  /** Until the phase ends; in the drain at the latest. */
  readonly leftSeconds: number;
  readonly gpusInUse: number;
  readonly gpus: number;
  readonly waiting: readonly { readonly reason: string; readonly jobs: number }[];
  readonly quotas: readonly QuotaView[];
  readonly investments: readonly InvestmentView[];
}

/** What the world alone does not tell. */
export type Course = Pick<Progress, 'phase' | 'jobs' | 'submitted' | 'elapsedSeconds' | 'leftSeconds'>;

/** @param institutions names of the quotas to show, in that order */
export function progressOf(world: World, course: Course, institutions: readonly string[]): Progress {
  let gpus = 0;
  for (const node of world.nodes.values()) gpus += node.gpus;
  return {
    ...course,
    counts: countJobs(world.jobs.values(), world.pods.values()),
    gpusInUse: heldGpus(world.pods.values()),
    gpus,
    waiting: waitingByReason(world.jobs.values(), world.pods.values()),
    quotas: institutions.map((name) => world.quotas.get(name)).filter((quota) => quota !== undefined),
    investments: [...world.investments.values()],
  };
}
