import type { Waiting } from '../../core/plan/index.ts';
import type { PodFacts, Workload } from '../../core/snapshot/index.ts';
import {
  FairQueue,
  isApiError,
  patchPodCondition,
  type Clock,
  type EventRecorder,
  type Transport,
} from '../../kube/index.ts';
import type { Heartbeat, Logger, Metrics } from '../../observe/index.ts';

export interface ExplainerOptions {
  readonly transport: Transport;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly heartbeat: Heartbeat;
  readonly stillLeading: () => boolean;
  readonly signal: AbortSignal;
  /** Whether bindings are waiting for the API server: explanations then take less of it. */
  readonly busy: () => boolean;
}

/** A pod that is to be told something. */
interface Due {
  readonly pod: PodFacts;
  readonly waiting: Waiting;
  /** The event of the workload is about this pod. */
  readonly first: boolean;
}

/** What a pod was last told, and when. */
interface Told {
  readonly text: string;
  readonly reason: string;
  readonly at: number;
}

const pauseMs = 250;
/** A workload that starts within this time needs no explanation. */
const patienceMs = 1000;
/** Numbers in a message may be this old. */
const refreshMs = 30_000;
/** A pod that could not be told is left alone for so long. */
const retryMs = 5_000;
/** Writes in one turn: 200 a second at rest, 40 while bindings wait. */
const writesAtRest = 50;
const writesWhenBusy = 10;

/**
 * Tells waiting pods why they wait: the condition PodScheduled on each pod, an Event on the first pod of a workload when
 * the reason changes. New reasons are written first, new numbers at most every 30 seconds, and never more than the API
 * server can spare. Namespaces take turns, so that nobody's thousands keep others from hearing why they wait.
 */
export class Explainer {
  readonly #options: ExplainerOptions;
  readonly #told = new Map<string, Told>();
  /** When a pod that could not be told is tried again, on the monotonic clock. */
  readonly #notBefore = new Map<string, number>();
  /** When each waiting workload was first seen to wait, by key. */
  #since = new Map<string, number>();
  #waiting: readonly Waiting[] = [];

  constructor(options: ExplainerOptions) {
    this.#options = options;
  }

  /** Takes the explanations of the latest plan. */
  update(waiting: readonly Waiting[]): void {
    this.#waiting = waiting;
  }

  /** Writes until the signal aborts. */
  async run(): Promise<void> {
    const { clock, signal, heartbeat } = this.#options;
    for (;;) {
      try {
        await clock.sleep(pauseMs, signal);
      } catch {
        return;
      }
      heartbeat.beat();
      await this.#turn();
    }
  }

  async #turn(): Promise<void> {
    const { clock, busy } = this.#options;
    const now = clock.monotonic();
    const limit = busy() ? writesWhenBusy : writesAtRest;
    const since = new Map<string, number>();
    const alive = new Set<string>();
    const due = new FairQueue<Due>();
    const stale = new FairQueue<Due>();
    for (const waiting of this.#waiting) {
      for (const workload of waiting.workloads) {
        const began = this.#since.get(workload.key) ?? now;
        since.set(workload.key, began);
        for (const pod of workload.pods) {
          alive.add(pod.uid);
          if (now - began < patienceMs || now < (this.#notBefore.get(pod.uid) ?? 0)) continue;
          // Of one namespace no more than could be written are asked for.
          if (due.sizeOf(pod.namespace) >= limit) continue;
          const need = this.#need(pod, waiting, now);
          if (need === 'none') continue;
          (need === 'reason' ? due : stale).add(pod.namespace, { pod, waiting, first: pod === workload.pods[0] });
        }
      }
    }
    this.#since = since;
    for (const known of [this.#told, this.#notBefore])
      for (const uid of known.keys()) if (!alive.has(uid)) known.delete(uid);
    const chosen = Array.from({ length: limit }, () => due.take() ?? stale.take()).filter((one) => one !== undefined);
    await Promise.all(chosen.map((one) => this.#tell(one)));
  }

  #need(pod: PodFacts, waiting: Waiting, now: number): 'reason' | 'numbers' | 'none' {
    const text = textOf(waiting);
    const told = this.#told.get(pod.uid);
    if ((told?.text ?? pod.explained) === text) return 'none';
    const reason = told?.reason ?? pod.explained?.split(':', 1)[0];
    if (reason !== waiting.reason) return 'reason';
    return told !== undefined && now - told.at < refreshMs ? 'none' : 'numbers';
  }

  async #tell({ pod, waiting, first }: Due): Promise<void> {
    const { transport, clock, signal, stillLeading, logger, events, metrics } = this.#options;
    if (!stillLeading()) return;
    const text = textOf(waiting);
    const before = this.#told.get(pod.uid)?.reason ?? pod.explained?.split(':', 1)[0];
    this.#told.set(pod.uid, { text, reason: waiting.reason, at: clock.monotonic() });
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message: text,
      lastTransitionTime: new Date(pod.createdAt).toISOString().replace('.000Z', 'Z'),
    } as const;
    try {
      await patchPodCondition(transport, { namespace: pod.namespace, name: pod.name, uid: pod.uid, condition }, signal);
      metrics.conditionPatches.inc({ result: 'success' });
    } catch (error) {
      if (signal.aborted) return;
      metrics.conditionPatches.inc({ result: 'failure' });
      // Gone or replaced: nobody is left to tell. Anything else is tried again, but a pod that cannot be written to
      // (one of the largest size that etcd takes) must not take the place of others in each turn.
      if (isApiError(error, 'NotFound', 'Conflict')) return;
      this.#told.delete(pod.uid);
      this.#notBefore.set(pod.uid, clock.monotonic() + retryMs);
      logger.warn('cannot tell a pod why it waits, it is tried again', {
        namespace: pod.namespace,
        pod: pod.name,
        error,
      });
      return;
    }
    if (first && before !== waiting.reason) events.record(waitEvent(pod, waiting));
  }
}

/** What the condition says: the reason token, then the sentence. */
function textOf(waiting: Waiting): string {
  return `${waiting.reason}: ${waiting.message}`;
}

function waitEvent(pod: PodFacts, waiting: Waiting) {
  return {
    regarding: referenceTo(pod),
    type: 'Warning',
    reason: waiting.reason,
    action: 'Scheduling',
    note: waiting.message,
    // A reason that comes back within the recorder's window is counted, whatever its numbers.
    dedupeKey: waiting.reason,
  } as const;
}

/** The pod as events refer to it. */
export function referenceTo(pod: PodFacts) {
  return { apiVersion: 'v1', kind: 'Pod', namespace: pod.namespace, name: pod.name, uid: pod.uid };
}

/** Pending workloads by quota and reason, for the gauges. */
export function pendingByReason(
  waiting: readonly Waiting[],
  quotaOf: (workload: Workload) => string,
): ReadonlyMap<string, Readonly<Record<string, number>>> {
  const counts = new Map<string, Record<string, number>>();
  for (const { reason, workloads } of waiting) {
    for (const workload of workloads) {
      const quota = quotaOf(workload);
      let reasons = counts.get(quota);
      if (reasons === undefined) {
        reasons = {};
        counts.set(quota, reasons);
      }
      reasons[reason] = (reasons[reason] ?? 0) + 1;
    }
  }
  return counts;
}
