import { Heap } from '../core/ds/index.ts';
import { plan, type Plan } from '../core/plan/index.ts';
import { Fleet, type NodeFacts, type PodFacts, type PolicyInput } from '../core/snapshot/index.ts';
import { Books, type Balance } from './books.ts';
import { gpusPerNode, podsOf } from './jobPods.ts';
import type { TraceJob } from './traces/index.ts';
import type { Walltimes } from './walltimes.ts';

/** What a replay is made of. */
export interface ReplayInput {
  /** One pool; each institution pays for the namespace of its name. */
  readonly policy: PolicyInput;
  /** Of eight GPUs each. */
  readonly nodes: readonly NodeFacts[];
  readonly jobs: readonly TraceJob[];
  /** What each institution is entitled to, GPUs. */
  readonly shares: ReadonlyMap<string, number>;
  readonly walltimes: Walltimes;
  /** How often jobs save what they have done, milliseconds; undefined = never: an eviction loses all of it. */
  readonly checkpoint: number | undefined;
}

/** One job as it went. Times in milliseconds on the trace's axis. */
export interface JobOutcome {
  readonly job: TraceJob;
  readonly submittedAt: number;
  /** When it first ran; undefined: it never could. */
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  /** The first time by which it was promised to start, while it waited. */
  readonly promisedAt: number | undefined;
  /** On arrival its institution was entitled to it beside all that it held and waited for. */
  readonly withinGuarantee: boolean;
  /** Times that it was killed to make way. */
  readonly evictions: number;
  /** Held by it, and lost by being killed. */
  readonly lostGpuHours: number;
}

export interface Replayed {
  /** By submission. */
  readonly outcomes: readonly JobOutcome[];
  readonly balance: Balance;
  /** Plans that were made. */
  readonly plans: number;
}

/**
 * Runs a trace through the operator's own planner on a virtual clock: nothing but `plan` decides, and its plans are
 * carried out as the operator carries them out. Who is evicted runs until the notice is over, is killed, comes back with
 * the age it had and starts anew. Planned anew whenever a job arrives, ends or is killed, when a promised time has come
 * and, while an institution is owed GPUs, when a borrower's protection ends. Deterministic. Cost: one plan for each of
 * those times.
 */
export function replay(input: ReplayInput): Replayed {
  return new Replay(input).run();
}

/** A job on its way. Times in milliseconds. */
interface Job {
  readonly job: TraceJob;
  readonly submittedAt: number;
  readonly duration: number;
  readonly walltime: number;
  pods: readonly PodFacts[];
  attempt: number;
  /** Done in earlier attempts and saved. */
  saved: number;
  firstStart: number | undefined;
  /** When the present attempt started; undefined while it waits. */
  runningSince: number | undefined;
  endedAt: number | undefined;
  promisedAt: number | undefined;
  withinGuarantee: boolean;
  lost: number;
}

/** The end of an attempt, unless the attempt is over before. */
interface Ending {
  readonly at: number;
  readonly job: Job;
  readonly attempt: number;
  readonly killed: boolean;
}

class Replay {
  readonly #fleet = new Fleet();
  readonly #books: Books;
  readonly #checkpoint: number | undefined;
  readonly #minRuntime: number;
  readonly #notice: number;
  /** Borrowers may take from each other: not only who is owed waits for protections to end. */
  readonly #betweenBorrowers: boolean;
  /** By submission. */
  readonly #jobs: readonly Job[];
  readonly #byId: ReadonlyMap<string, Job>;
  readonly #endings = new Heap<Ending>(compareEndings);
  /** Starts in the order in which they happened, from the first whose protection may not be over on. */
  readonly #starts: { readonly job: Job; readonly attempt: number; readonly protectedUntil: number }[] = [];
  #firstProtected = 0;
  /** The first promised time of the latest plan. */
  #promise = Infinity;
  #now = -Infinity;
  #plans = 0;

  constructor({ policy, nodes, jobs, shares, walltimes, checkpoint }: ReplayInput) {
    this.#fleet.setPolicy(policy);
    for (const node of nodes) this.#fleet.upsertNode(node);
    this.#books = new Books(nodes.length * gpusPerNode, shares);
    this.#checkpoint = checkpoint;
    const [pool] = policy.pools;
    this.#minRuntime = pool?.minRuntime ?? Infinity;
    this.#notice = pool?.notice ?? 0;
    this.#betweenBorrowers = pool?.fairShare.preemption === 'WhenImbalanced';
    this.#jobs = jobs
      .map((job) => waitingJob(job, walltimes))
      .sort((a, b) => a.submittedAt - b.submittedAt || (a.job.id < b.job.id ? -1 : 1));
    this.#byId = new Map(this.#jobs.map((job) => [job.job.id, job]));
  }

  run(): Replayed {
    let arrived = 0;
    while (arrived < this.#jobs.length || this.#nextEnding() !== undefined) {
      const now = (this.#now = this.#nextTime(this.#jobs[arrived]?.submittedAt ?? Infinity));
      // What was borrowed until now goes into the history before anything changes.
      this.#fleet.snapshot(now);
      this.#books.advance(now);
      for (let next = this.#nextEnding(); next !== undefined && next.at <= now; next = this.#nextEnding()) {
        this.#endings.pop();
        if (next.killed) this.#kill(next.job, now);
        else this.#end(next.job, now);
      }
      for (let job = this.#jobs[arrived]; job !== undefined && job.submittedAt <= now; job = this.#jobs[++arrived]) {
        job.withinGuarantee = this.#queue(job, now);
      }
      this.#carryOut(plan(this.#fleet.snapshot(now), now, { maxPods: Infinity }), now);
      this.#plans++;
    }
    return { outcomes: this.#jobs.map(outcomeOf), balance: this.#books.balance, plans: this.#plans };
  }

  #nextTime(arrival: number): number {
    const ending = this.#nextEnding()?.at ?? Infinity;
    const event = Math.min(arrival, ending, this.#promise);
    const mayTake = this.#betweenBorrowers ? this.#books.someoneWaits : this.#books.someoneIsOwed;
    return mayTake ? Math.min(event, this.#nextUnprotected()) : event;
  }

  /** When the next of those that run can be taken from, if its institution borrows; Infinity = all can. */
  #nextUnprotected(): number {
    for (
      let start = this.#starts[this.#firstProtected];
      start !== undefined;
      start = this.#starts[this.#firstProtected]
    ) {
      if (start.protectedUntil > this.#now && start.job.attempt === start.attempt && isRunning(start.job)) {
        return start.protectedUntil;
      }
      this.#firstProtected++;
    }
    return Infinity;
  }

  /** The first end that still counts: attempts that were killed have none, those that ended can't be killed. */
  #nextEnding(): Ending | undefined {
    for (let top = this.#endings.top; top !== undefined; top = this.#endings.top) {
      if (top.job.attempt === top.attempt && isRunning(top.job)) return top;
      this.#endings.pop();
    }
    return undefined;
  }

  /** @returns whether the job's institution is entitled to it beside all that it holds and waits for */
  #queue(job: Job, now: number): boolean {
    const { job: traced, attempt: number, walltime } = job;
    job.pods = podsOf({ job: traced, number, createdAt: now, walltime });
    if (number > 0) this.#fleet.ownerSince(traced.id, job.submittedAt);
    for (const pod of job.pods) this.#fleet.upsertPod(pod);
    return this.#books.wait(traced.institution, traced.gpus);
  }

  #end(job: Job, now: number): void {
    job.endedAt = now;
    this.#leave(job);
    this.#fleet.ownerGone(job.job.id);
  }

  #kill(job: Job, now: number): void {
    const ran = now - (job.runningSince ?? now);
    const kept = this.#checkpoint === undefined ? 0 : ran - (ran % this.#checkpoint);
    job.saved += kept;
    job.lost += ran - kept;
    job.attempt++;
    this.#leave(job);
    this.#queue(job, now);
  }

  #leave(job: Job): void {
    for (const { uid } of job.pods) this.#fleet.removePod(uid);
    job.pods = [];
    job.runningSince = undefined;
    this.#books.end(job.job.institution, job.job.gpus);
  }

  /** As the operator does: bind, hold the places that were promised in what is evicted, evict. */
  #carryOut({ admit, evict, reserve }: Plan, now: number): void {
    for (const { workload, pods } of admit) {
      for (const { pod, nodeName } of pods) this.#fleet.assume(pod.uid, { nodeName, since: now });
      this.#start(this.#jobOf(workload.pods), now);
    }
    this.#fleet.nominate(reserve);
    for (const { victim } of evict) {
      const at = now + this.#notice;
      for (const { pod } of victim.pods) this.#fleet.assumeEnding(pod.uid, at);
      const job = this.#jobOf(victim.pods.map(({ pod }) => pod));
      this.#endings.push({ at, job, attempt: job.attempt, killed: true });
    }
    this.#promise = Infinity;
    for (const { workload, at } of reserve) {
      this.#jobOf(workload.pods).promisedAt ??= at;
      if (at > now) this.#promise = Math.min(this.#promise, at);
    }
  }

  #start(job: Job, now: number): void {
    const { attempt, duration, saved } = job;
    job.runningSince = now;
    job.firstStart ??= now;
    this.#books.start(job.job.institution, job.job.gpus);
    this.#endings.push({ at: now + duration - saved, job, attempt, killed: false });
    this.#starts.push({ job, attempt, protectedUntil: now + this.#minRuntime });
  }

  #jobOf([first]: readonly PodFacts[]): Job {
    const job = this.#byId.get(first?.owner ?? '');
    if (job === undefined) throw new Error(`the plan speaks of a pod that no job has: ${first?.name}`);
    return job;
  }
}

function waitingJob(job: TraceJob, walltimes: Walltimes): Job {
  const duration = Math.max(1, Math.round(job.durationSeconds * 1000));
  return {
    job,
    submittedAt: Math.round(job.submitSeconds * 1000),
    duration,
    walltime: walltimes(duration),
    pods: [],
    attempt: 0,
    saved: 0,
    firstStart: undefined,
    runningSince: undefined,
    endedAt: undefined,
    promisedAt: undefined,
    withinGuarantee: false,
    lost: 0,
  };
}

function outcomeOf(job: Job): JobOutcome {
  const { job: traced, submittedAt, firstStart, endedAt, promisedAt, withinGuarantee, attempt, lost } = job;
  return {
    job: traced,
    submittedAt,
    startedAt: firstStart,
    endedAt,
    promisedAt,
    withinGuarantee,
    evictions: attempt,
    lostGpuHours: (lost * traced.gpus) / 3_600_000,
  };
}

function isRunning({ runningSince }: Job): boolean {
  return runningSince !== undefined;
}

/** A job that ends when it is to be killed ends. Ties go by id, so that the order of events never depends on the heap. */
function compareEndings(a: Ending, b: Ending): number {
  return a.at - b.at || Number(a.killed) - Number(b.killed) || (a.job.job.id < b.job.job.id ? -1 : 1);
}
