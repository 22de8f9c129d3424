import {
  countJobs,
  gpuSecondsByNamespace,
  offeredGpuSeconds,
  overcommittedNodes,
  quantile,
  waitSeconds,
  type JobCounts,
} from './accounts.ts';
import type { ApiErrors } from './apiErrors.ts';
import { quotaNameOf } from './policy.ts';
import type { Scenario } from './scenario.ts';
import type { InvestmentView, PodView } from './views.ts';
import type { FreshWorld } from './world.ts';

/** A rule that must hold at the end of a run, and what was found. */
export interface Check {
  readonly rule: string;
  readonly holds: boolean;
  readonly found: string;
}

/** What a run came to. Also the shape of the JSON file. */
export interface Summary {
  readonly source: string;
  readonly speedup: number;
  readonly nodes: number;
  readonly gpus: number;
  /** Of the accounts: from the first submission to the last whole second that is counted. */
  readonly wallSeconds: number;
  readonly jobs: JobCounts & { readonly submitted: number };
  /** By institution, the greatest first; those without any at the end, by name. */
  readonly use: readonly {
    readonly institution: string;
    readonly jobs: number;
    /** As the pods ran. */
    readonly gpuSeconds: number;
    /** The same in the time of the trace. */
    readonly gpuHours: number;
  }[];
  readonly gpuSeconds: number;
  readonly gpuHours: number;
  /** Of the pods that were bound, from creation on; undefined when none was. */
  readonly waits: { readonly pods: number; readonly p50Seconds?: number; readonly p95Seconds?: number };
  /** GPU-seconds used of those that there were, while jobs were being submitted. */
  readonly utilization: number;
  readonly api: ApiErrors & { readonly retriesOfDemo: number };
  readonly investment: Omit<InvestmentView, 'uid' | 'namespace' | 'resourceVersion'> | undefined;
  readonly checks: readonly Check[];
}

/** What a summary is made from. */
export interface SummaryInput {
  readonly scenario: Scenario;
  readonly speedup: number;
  readonly submitted: number;
  /** As read anew at the end. */
  readonly fresh: FreshWorld;
  /** As the demo's own watch knew them then. */
  readonly watchedPods: readonly PodView[];
  /** First submission, end of the submissions and end of the accounts, in epoch milliseconds, the last a whole second. */
  readonly began: number;
  readonly replayed: number;
  readonly until: number;
  readonly api: Summary['api'];
  readonly investment: InvestmentView | undefined;
}

export function summarize(input: SummaryInput): Summary {
  const { scenario, speedup, fresh, began, replayed, until } = input;
  const used = gpuSecondsByNamespace(fresh.pods, began, until);
  const gpuHours = (gpuSeconds: number) => (gpuSeconds * speedup) / 3600;
  const use = scenario.institutions.map((institution) => {
    const name = quotaNameOf(institution);
    const gpuSeconds = used.get(name) ?? 0;
    const jobs = fresh.jobs.filter(({ namespace }) => namespace === name).length;
    return { institution: name, jobs, gpuSeconds, gpuHours: gpuHours(gpuSeconds) };
  });
  const gpuSeconds = sum(use.map((each) => each.gpuSeconds));
  const waits = waitSeconds(fresh.pods);
  const p50Seconds = quantile(waits, 0.5);
  const p95Seconds = quantile(waits, 0.95);
  const offered = offeredGpuSeconds(fresh.nodes, began, replayed);
  return {
    source: scenario.source,
    speedup,
    nodes: fresh.nodes.length,
    gpus: sum(fresh.nodes.map((node) => node.gpus)),
    wallSeconds: (until - began) / 1000,
    jobs: { submitted: input.submitted, ...countJobs(fresh.jobs, fresh.pods) },
    use: use.sort((a, b) => b.gpuSeconds - a.gpuSeconds || (a.institution < b.institution ? -1 : 1)),
    gpuSeconds,
    gpuHours: gpuHours(gpuSeconds),
    waits: {
      pods: waits.length,
      ...(p50Seconds === undefined ? {} : { p50Seconds }),
      ...(p95Seconds === undefined ? {} : { p95Seconds }),
    },
    utilization: offered === 0 ? 0 : sum([...gpuSecondsByNamespace(fresh.pods, began, replayed).values()]) / offered,
    api: input.api,
    investment: input.investment === undefined ? undefined : withoutIdentity(input.investment),
    checks: checksOf(input, gpuSeconds),
  };
}

function checksOf(input: SummaryInput, gpuSeconds: number): Check[] {
  const { scenario, submitted, fresh, watchedPods, began, until, investment } = input;
  const { done, failed, running, pending } = countJobs(fresh.jobs, fresh.pods);
  const counted = done + failed + running + pending;
  const watched = sum([...gpuSecondsByNamespace(watchedPods, began, until).values()]);
  const overcommitted = overcommittedNodes(fresh.pods, fresh.nodes);
  return [
    {
      rule: 'every job of the window was submitted',
      holds: submitted === scenario.jobs.length,
      found: `${submitted} of ${scenario.jobs.length}`,
    },
    {
      rule: 'submitted = done + failed + running + pending',
      holds: submitted === counted,
      found: `${submitted} = ${done} + ${failed} + ${running} + ${pending}`,
    },
    {
      rule: 'GPU-seconds by institution = sum over all pods = as watched during the run',
      holds: gpuSeconds === watched && gpuSeconds === ownSum(fresh.pods, began, until),
      found: `${gpuSeconds} = ${ownSum(fresh.pods, began, until)} = ${watched}`,
    },
    {
      rule: 'no node ever held more GPUs than it has',
      holds: overcommitted.length === 0,
      found: overcommitted.length === 0 ? `${fresh.nodes.length} nodes` : overcommitted.join(', '),
    },
    {
      rule: 'the investment buys what DESIGN.md says: its own GPUs and half of the match',
      holds: investment !== undefined && Number(investment.entitlement) === scenario.investment.entitlement,
      found: `${investment?.entitlement ?? 'no status'}, expected ${scenario.investment.entitlement}`,
    },
  ];
}

/** From the pods' times alone, in whole seconds and without any grouping. */
function ownSum(pods: readonly PodView[], began: number, until: number): number {
  let total = 0;
  for (const { gpus, startedAt, finishedAt } of pods) {
    if (startedAt === undefined || startedAt >= until) continue;
    total += (gpus * (Math.min(finishedAt ?? until, until) - Math.max(startedAt, began))) / 1000;
  }
  return total;
}

function withoutIdentity({ name, phase, contributed, matched, entitlement, effectiveEntitlement }: InvestmentView) {
  return { name, phase, contributed, matched, entitlement, effectiveEntitlement };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
