import { keyOf } from '../../src/kube/index.ts';
import { peakOf } from '../../src/sim/traces/index.ts';
import type { JobView, NodeView, PodView } from './views.ts';

/** Jobs by how far they are. */
export interface JobCounts {
  readonly done: number;
  readonly failed: number;
  /** Bound, all of their pods, and not finished. */
  readonly running: number;
  /** Neither finished nor running. */
  readonly pending: number;
}

/** Key of a job that its pods share: namespace and name. */
export function jobKey({ namespace, job }: Pick<PodView, 'namespace' | 'job'>): string {
  return keyOf(namespace, job);
}

/** Every job is counted once, so that the counts add up to the number of jobs. */
export function countJobs(jobs: Iterable<JobView>, pods: Iterable<PodView>): JobCounts {
  const bound = new Map<string, number>();
  for (const pod of pods) {
    if (pod.nodeName !== undefined) bound.set(jobKey(pod), (bound.get(jobKey(pod)) ?? 0) + 1);
  }
  const counts = { done: 0, failed: 0, running: 0, pending: 0 };
  for (const job of jobs) {
    if (job.state !== 'active') counts[job.state] += 1;
    else if ((bound.get(keyOf(job.namespace, job.name)) ?? 0) >= job.pods) counts.running += 1;
    else counts.pending += 1;
  }
  return counts;
}

/** GPU-seconds that each namespace's pods ran between two instants, by their own start and end times. */
export function gpuSecondsByNamespace(pods: Iterable<PodView>, from: number, until: number): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { namespace, gpus, startedAt, finishedAt } of pods) {
    if (startedAt === undefined) continue;
    const seconds = overlapSeconds({ from: startedAt, to: finishedAt ?? until }, from, until);
    sums.set(namespace, (sums.get(namespace) ?? 0) + gpus * seconds);
  }
  return sums;
}

/** GPU-seconds that the nodes offered between two instants: each from its creation on. */
export function offeredGpuSeconds(nodes: Iterable<NodeView>, from: number, until: number): number {
  let sum = 0;
  for (const { gpus, createdAt } of nodes) sum += gpus * overlapSeconds({ from: createdAt, to: until }, from, until);
  return sum;
}

function overlapSeconds(span: { from: number; to: number }, from: number, until: number): number {
  return Math.max(0, Math.min(span.to, until) - Math.max(span.from, from)) / 1000;
}

/**
 * Nodes on which the pods bound at some moment held more GPUs than the node has. Pods hold theirs from being bound to
 * their end; one that ends in the second in which another is bound has made room for it.
 */
export function overcommittedNodes(pods: Iterable<PodView>, nodes: Iterable<NodeView>): string[] {
  const changes = new Map<string, { at: number; gpus: number }[]>();
  for (const { nodeName, scheduledAt, startedAt, finishedAt, gpus } of pods) {
    const from = scheduledAt ?? startedAt;
    if (nodeName === undefined || from === undefined) continue;
    const list = changes.get(nodeName) ?? [];
    changes.set(nodeName, list);
    list.push({ at: from, gpus }, { at: Math.max(from, finishedAt ?? Infinity), gpus: -gpus });
  }
  const capacity = new Map([...nodes].map(({ name, gpus }) => [name, gpus]));
  return [...changes].filter(([name, list]) => peakOf(list) > (capacity.get(name) ?? 0)).map(([name]) => name);
}

/** Seconds from creation to being bound, of the pods that were, in ascending order. Whole seconds, as the API has them. */
export function waitSeconds(pods: Iterable<PodView>): number[] {
  const waits: number[] = [];
  for (const { createdAt, scheduledAt } of pods) {
    if (scheduledAt !== undefined) waits.push((scheduledAt - createdAt) / 1000);
  }
  return waits.sort((a, b) => a - b);
}

/** The smallest value that at least this fraction of the values do not exceed; undefined when there are none. */
export function quantile(ascending: readonly number[], fraction: number): number | undefined {
  return ascending[Math.max(0, Math.ceil(fraction * ascending.length) - 1)];
}

/**
 * Jobs that wait, by the reason of their pods, the most frequent first. `no pod yet` where the Job controller has not
 * come to them, `not looked at yet` where the scheduler has not.
 */
export function waitingByReason(
  jobs: Iterable<JobView>,
  pods: Iterable<PodView>,
): { readonly reason: string; readonly jobs: number }[] {
  const reasons = new Map<string, string | undefined>();
  for (const job of jobs) {
    if (job.state === 'active') reasons.set(keyOf(job.namespace, job.name), 'no pod yet');
  }
  for (const pod of pods) {
    const key = jobKey(pod);
    if (!reasons.has(key)) continue;
    const waits = pod.nodeName === undefined && pod.finishedAt === undefined;
    reasons.set(key, waits ? (pod.waitsFor ?? 'not looked at yet') : undefined);
  }
  const counts = new Map<string, number>();
  for (const reason of reasons.values()) {
    if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts]
    .map(([reason, count]) => ({ reason, jobs: count }))
    .sort((a, b) => b.jobs - a.jobs || (a.reason < b.reason ? -1 : 1));
}

/** GPUs that pods hold now: bound and not finished. */
export function heldGpus(pods: Iterable<PodView>): number {
  let sum = 0;
  for (const { nodeName, finishedAt, gpus } of pods) {
    if (nodeName !== undefined && finishedAt === undefined) sum += gpus;
  }
  return sum;
}
