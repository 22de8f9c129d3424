import { EventReason, evictionMark } from '../../api/v1alpha1/constants/index.ts';
import type { Eviction } from '../../core/plan/index.ts';
import type { Fleet, HeldPod, PodFacts, PoolState, RunningWorkload, Snapshot } from '../../core/snapshot/index.ts';
import { formatInstant } from '../../core/units/index.ts';
import {
  backOffMs,
  deletePod,
  isApiError,
  Limiter,
  patchPodCondition,
  type Clock,
  type EventRecord,
  type Transport,
} from '../../kube/index.ts';
import type { Logger, Metrics } from '../../observe/index.ts';
import { makingRoomNote, preemptedNote } from './evictionNotes.ts';
import { referenceTo } from './explainer.ts';

export interface EvictorOptions {
  readonly transport: Transport;
  readonly fleet: Fleet;
  readonly events: { record(record: EventRecord): void };
  readonly clock: Clock;
  /** 0 <= r < 1 */
  readonly random: () => number;
  readonly metrics: Pick<Metrics, 'evictions' | 'evictionFailures'>;
  readonly logger: Logger;
  /** Asked before every write: a leader that was frozen must not act. */
  readonly stillLeading: () => boolean;
  readonly signal: AbortSignal;
}

/** One workload on its way out. */
interface Removal {
  readonly pods: readonly PodFacts[];
  readonly graceSeconds: number;
  /** What the mark says. */
  readonly message: string;
  /** Asked until the first pod is deleted: whether it is still for something. */
  readonly wanted: () => boolean;
}

/** Of pods, across workloads. Bindings have connections of their own to spare. */
const writesAtATime = 16;
const retry = { baseMs: 200, maxMs: 10_000 };

/**
 * Carries out evictions: marks every pod of a workload with the condition DisruptionTarget, then deletes every one, with
 * the pool's notice as grace period. From the plan on, the pods count in the fleet as being deleted, so that no other
 * victims are sought meanwhile; the API server's own word replaces that as it comes. What fails is tried until each pod
 * is being deleted or gone.
 *
 * The marks make the decision durable. A workload all of whose pods carry one is finished by whoever leads next; one
 * that is marked in part was never decided, and runs on: Kubernetes takes marks back after two minutes.
 */
export class Evictor {
  readonly #options: EvictorOptions;
  readonly #limiter = new Limiter(writesAtATime);
  readonly #underway = new Set<Promise<void>>();

  constructor(options: EvictorOptions) {
    this.#options = options;
  }

  /** Starts what a plan asks for. */
  add(evictions: readonly Eviction[], snapshot: Snapshot): void {
    const { fleet, clock, events } = this.#options;
    const now = clock.now();
    for (const eviction of evictions) {
      const { victim, beneficiary, cause } = eviction;
      const pool = poolOf(victim.pods, snapshot);
      const graceSeconds = graceOf(pool);
      const note = preemptedNote(eviction, now + graceSeconds * 1000);
      const [first] = victim.pods;
      if (first !== undefined) events.record(eventOn(first.pod, EventReason.Preempted, note));
      const removal: Removal = {
        pods: victim.pods.filter(({ deletionAt }) => deletionAt === undefined).map(({ pod }) => pod),
        graceSeconds,
        message: note,
        wanted: () => beneficiary.pods.some(({ uid }) => waits(fleet.pod(uid))),
      };
      this.#start(removal, { pool: pool?.spec.name ?? '', cause });
    }
    for (const ofOne of byBeneficiary(evictions)) {
      const [one] = ofOne;
      const pod = one?.beneficiary.pods[0];
      if (pod === undefined) continue;
      const endsAt = ofOne.map(({ victim }) => now + graceOf(poolOf(victim.pods, snapshot)) * 1000);
      const quotaOf = (namespace: string) => snapshot.policy.quotaOfNamespace.get(namespace)?.spec.name ?? namespace;
      events.record(eventOn(pod, EventReason.MakingRoom, makingRoomNote(ofOne, quotaOf, Math.max(...endsAt))));
    }
  }

  /** Finishes what an earlier leader had decided. O(running pods): to be called once, when leadership begins. */
  resume(snapshot: Snapshot): void {
    const { logger } = this.#options;
    for (const namespace of snapshot.running.namespaces()) {
      for (const workload of snapshot.running.workloadsOf(namespace)) {
        const left = leftToDelete(workload);
        if (left.length === 0) continue;
        logger.info('an eviction that was cut short is finished', { namespace, workload: workload.key });
        this.#start({
          pods: left.map(({ pod }) => pod),
          graceSeconds: graceOf(poolOf(left, snapshot)),
          message: 'evicted; the eviction was decided before the scheduler restarted',
          wanted: () => true,
        });
      }
    }
  }

  /** Resolves when nothing is under way, at once where the signal has aborted and no answer is awaited. */
  async drained(): Promise<void> {
    await Promise.all(this.#underway);
  }

  #start(removal: Removal, counted?: { readonly pool: string; readonly cause: Eviction['cause'] }): void {
    const { fleet, metrics, signal, stillLeading, logger } = this.#options;
    for (const pod of removal.pods) {
      this.#assumeEnding(pod, removal);
      if (pod.owner !== undefined) fleet.ownerSince(pod.owner, pod.createdAt);
    }
    const work = this.#carryOut(removal)
      .then((done) => {
        if (done && counted !== undefined) metrics.evictions.inc(counted);
      })
      .catch((error: unknown) => {
        if (!signal.aborted && stillLeading()) logger.error('an eviction was given up', { error });
      })
      .finally(() => this.#underway.delete(work));
    this.#underway.add(work);
  }

  /** @returns false where it was called off */
  async #carryOut(removal: Removal): Promise<boolean> {
    const { clock, fleet } = this.#options;
    const at = formatInstant(clock.now());
    const marked = await Promise.all(removal.pods.map((pod) => this.#mark(pod, removal, at)));
    if (marked.includes(false)) {
      for (const { uid } of removal.pods) fleet.forgetEnding(uid);
      return false;
    }
    await Promise.all(removal.pods.map((pod) => this.#delete(pod, removal)));
    return true;
  }

  #mark(pod: PodFacts, { message, wanted }: Removal, at: string): Promise<boolean> {
    const { transport, signal } = this.#options;
    if (pod.evictedAt !== undefined) return Promise.resolve(true);
    const { namespace, name, uid } = pod;
    const condition = { ...evictionMark, status: 'True', message, lastTransitionTime: at } as const;
    return this.#persist(pod, wanted, () => patchPodCondition(transport, { namespace, name, uid, condition }, signal));
  }

  async #delete(pod: PodFacts, removal: Removal): Promise<void> {
    const { transport, signal } = this.#options;
    const { namespace, name, uid } = pod;
    const always = () => true;
    await this.#persist(pod, always, () => {
      this.#assumeEnding(pod, removal);
      return deletePod(transport, { namespace, name, uid, graceSeconds: removal.graceSeconds }, signal);
    });
  }

  #assumeEnding({ uid }: PodFacts, { graceSeconds }: Removal): void {
    this.#options.fleet.assumeEnding(uid, this.#options.clock.now() + graceSeconds * 1000);
  }

  /**
   * Writes until it succeeds or the pod is gone. @returns false when it is not wanted any more
   *
   * @throws the signal's reason, or Error when the lead is lost
   */
  async #persist(pod: PodFacts, wanted: () => boolean, write: () => Promise<unknown>): Promise<boolean> {
    const { clock, random, signal, stillLeading, metrics, logger } = this.#options;
    for (let failures = 1; ; failures++) {
      if (!wanted()) return false;
      try {
        await this.#limiter.run(async () => {
          signal.throwIfAborted();
          if (!stillLeading()) throw new Error('the lead is lost');
          await write();
        });
        return true;
      } catch (error) {
        signal.throwIfAborted();
        if (!isApiError(error)) throw error;
        // Gone, or another one of that name by now.
        if (error.code === 'NotFound' || error.code === 'Conflict') return true;
        metrics.evictionFailures.inc({ code: error.code });
        const { namespace, name } = pod;
        logger.warn('cannot evict a pod yet, it is tried again', { namespace, pod: name, error });
        await clock.sleep(Math.max(error.retryAfterMs ?? 0, backOffMs(retry, failures, random)), signal);
      }
    }
  }
}

/**
 * Pods of an eviction that was decided and cut short: marked, and not being deleted. Pods that were bound after the
 * marks were set have come in place of the old ones and are left alone; an older one without mark says that the eviction
 * was never decided.
 */
function leftToDelete({ pods, ours }: RunningWorkload): readonly HeldPod[] {
  if (!ours) return [];
  const marks = pods.flatMap(({ pod }) => (pod.evictedAt === undefined ? [] : [pod.evictedAt]));
  if (marks.length === 0) return [];
  const decidedAt = Math.min(...marks);
  const live = pods.filter(({ deletionAt }) => deletionAt === undefined);
  const isUndecided = live.some(({ pod, since }) => pod.evictedAt === undefined && since <= decidedAt);
  return isUndecided ? [] : live.filter(({ pod }) => pod.evictedAt !== undefined);
}

function waits(pod: PodFacts | undefined): boolean {
  return pod !== undefined && pod.nodeName === undefined && pod.deletionAt === undefined;
}

function poolOf([first]: readonly HeldPod[], snapshot: Snapshot): PoolState | undefined {
  return first === undefined ? undefined : snapshot.poolOfProfile(snapshot.nodes.profileOf(first.node).id);
}

/** The notice of the pool is what both sides were promised, whatever the pod itself asks for. */
function graceOf(pool: PoolState | undefined): number {
  return Math.max(1, Math.ceil((pool?.spec.notice ?? 0) / 1000));
}

function byBeneficiary(evictions: readonly Eviction[]): Iterable<readonly Eviction[]> {
  return Map.groupBy(evictions, ({ beneficiary }) => beneficiary.key).values();
}

function eventOn(pod: PodFacts, reason: 'Preempted' | 'MakingRoom', note: string): EventRecord {
  const type = reason === 'Preempted' ? 'Warning' : 'Normal';
  return { regarding: referenceTo(pod), type, reason, action: 'Preempting', note };
}
