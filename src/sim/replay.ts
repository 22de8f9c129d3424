import { plan } from '../core/plan/index.ts';
import { Fleet, type NodeFacts, type PodFacts, type PodShape, type PolicyInput } from '../core/snapshot/index.ts';
import type { TraceJob } from './traces/index.ts';

const gpuResource = 'nvidia.com/gpu';
const gpusPerNode = 8;

/** What a replay is made of. */
export interface ReplayInput {
  readonly policy: PolicyInput;
  readonly nodes: readonly NodeFacts[];
  /** Each runs in the namespace of its institution's name. */
  readonly jobs: readonly TraceJob[];
}

/** One job as it went. Seconds on the trace's own axis; `startSeconds` is undefined for one that never could start. */
export interface JobOutcome {
  readonly job: TraceJob;
  readonly startSeconds: number | undefined;
  /** Why it did not start at once; undefined when it did. */
  readonly firstReason: string | undefined;
}

/**
 * Runs a trace through the operator's own planner on a virtual clock: every arrival and every end is an event, jobs run
 * as long as the trace says, and nothing but `plan` decides. Deterministic. Cost: one plan for each distinct time.
 */
export function replay({ policy, nodes, jobs }: ReplayInput): readonly JobOutcome[] {
  const fleet = new Fleet();
  fleet.setPolicy(policy);
  for (const node of nodes) fleet.upsertNode(node);
  const arrivals = jobs.toSorted((a, b) => a.submitSeconds - b.submitSeconds || (a.id < b.id ? -1 : 1));
  const started = new Map<string, number>();
  const reasons = new Map<string, string>();
  const running = new Endings();

  for (let next = 0; next < arrivals.length || running.size > 0;) {
    const now = Math.min(arrivals[next]?.submitSeconds ?? Infinity, running.firstEnd);
    for (const job of running.endedBy(now)) for (const pod of podsOf(job)) fleet.removePod(pod.uid);
    for (let job = arrivals[next]; job !== undefined && job.submitSeconds <= now; job = arrivals[++next]) {
      for (const pod of podsOf(job)) fleet.upsertPod(pod);
      running.known(job);
    }
    const made = plan(fleet.snapshot(now * 1000), now * 1000, { maxPods: Infinity });
    for (const { pods } of made.admit) {
      for (const { pod, nodeName } of pods) fleet.assume(pod.uid, nodeName, now * 1000);
      const job = running.jobOf(pods[0]?.pod.uid ?? '');
      if (job === undefined) continue;
      started.set(job.id, now);
      running.start(job, now + job.durationSeconds);
    }
    for (const { reason, workloads } of made.waiting) {
      for (const workload of workloads) {
        const job = running.jobOf(workload.key);
        if (job !== undefined && !reasons.has(job.id)) reasons.set(job.id, reason);
      }
    }
  }
  return arrivals.map((job) => ({ job, startSeconds: started.get(job.id), firstReason: reasons.get(job.id) }));
}

/** Jobs that run, by the time of their end. Ends come in any order: a binary heap keeps the first at hand. */
class Endings {
  readonly #heap: { readonly end: number; readonly job: TraceJob }[] = [];
  readonly #byPod = new Map<string, TraceJob>();

  get size(): number {
    return this.#heap.length;
  }

  get firstEnd(): number {
    return this.#heap[0]?.end ?? Infinity;
  }

  /** Remembers the pods of a job that has arrived. */
  known(job: TraceJob): void {
    for (const pod of podsOf(job)) this.#byPod.set(pod.uid, job);
  }

  jobOf(podUid: string): TraceJob | undefined {
    return this.#byPod.get(podUid);
  }

  start(job: TraceJob, end: number): void {
    this.#heap.push({ end, job });
    this.#rise(this.#heap.length - 1);
  }

  *endedBy(now: number): Iterable<TraceJob> {
    while (this.firstEnd <= now) {
      const first = this.#heap[0];
      const last = this.#heap.pop();
      if (first === undefined || last === undefined) return;
      if (this.#heap.length > 0) {
        this.#heap[0] = last;
        this.#sink(0);
      }
      for (const pod of podsOf(first.job)) this.#byPod.delete(pod.uid);
      yield first.job;
    }
  }

  #rise(from: number): void {
    for (let i = from; i > 0;) {
      const parent = (i - 1) >> 1;
      if (this.#endAt(parent) <= this.#endAt(i)) return;
      this.#swap(i, parent);
      i = parent;
    }
  }

  #sink(from: number): void {
    for (let i = from; ;) {
      const left = 2 * i + 1;
      const least = this.#endAt(left + 1) < this.#endAt(left) ? left + 1 : left;
      if (this.#endAt(least) >= this.#endAt(i)) return;
      this.#swap(i, least);
      i = least;
    }
  }

  #endAt(i: number): number {
    return this.#heap[i]?.end ?? Infinity;
  }

  #swap(i: number, j: number): void {
    const [a, b] = [this.#heap[i], this.#heap[j]];
    if (a === undefined || b === undefined) return;
    this.#heap[i] = b;
    this.#heap[j] = a;
  }
}

const shapes = new Map<number, PodShape>();

function shapeOf(devices: number): PodShape {
  let shape = shapes.get(devices);
  if (shape === undefined) {
    shape = {
      key: `gpus-${devices}`,
      requests: { [gpuResource]: devices, pods: 1 },
      nodeSelector: [],
      nodeTerms: undefined,
      tolerations: [],
      constraints: undefined,
      unsupported: undefined,
    };
    shapes.set(devices, shape);
  }
  return shape;
}

/** A job of up to eight GPUs is one pod; a larger one is a gang of whole nodes and, where it is no multiple, a rest. */
function podsOf(job: TraceJob): readonly PodFacts[] {
  const size = Math.max(1, Math.ceil(job.gpus / gpusPerNode));
  return Array.from({ length: size }, (_, i): PodFacts => ({
    uid: `${job.id}/${i}`,
    namespace: job.institution,
    name: `${job.id}-${i}`,
    labels: {},
    ours: true,
    createdAt: job.submitSeconds * 1000,
    nodeName: undefined,
    phase: 'Pending',
    boundAt: undefined,
    deletionAt: undefined,
    evictedAt: undefined,
    gated: false,
    priority: 0,
    shape: shapeOf(Math.min(gpusPerNode, job.gpus - i * gpusPerNode)),
    claims: [],
    gang: size === 1 ? undefined : { kind: 'label', name: job.id, size },
    topology: undefined,
    classes: undefined,
    owner: undefined,
    user: undefined,
    walltime: job.durationSeconds * 1000,
    problem: undefined,
    explained: undefined,
  }));
}

/** `count` equal nodes of eight GPUs of one class. */
export function plainNodes(count: number, productLabel: string, product: string): readonly NodeFacts[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `node-${String(i).padStart(6, '0')}`,
    labels: { [productLabel]: product },
    taints: [],
    cordoned: false,
    ready: true,
    allocatable: { [gpuResource]: gpusPerNode, pods: 110 },
  }));
}
