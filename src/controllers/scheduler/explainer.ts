import type { Waiting } from '../../core/plan/index.ts';
import type { PodFacts, Workload } from '../../core/snapshot/index.ts';
import {
  FairQueue,
  isApiError,
  Limiter,
  patchPodCondition,
  type Clock,
  type EventRecorder,
  type Transport,
} from '../../kube/index.ts';
import type { Heartbeat, Logger, Metrics } from '../../observe/index.ts';
import { textOf, ToldPods, type Due } from './toldPods.ts';

export interface ExplainerOptions {
  readonly transport: Transport;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly heartbeat: Heartbeat;
  readonly stillLeading: () => boolean;
  readonly signal: AbortSignal;
  /** Whether the pod still waits: one that is bound meanwhile must not be told that it does. */
  readonly waits: (uid: string) => boolean;
  /** Whether bindings are waiting for the API server: explanations then take less of it. */
  readonly busy: () => boolean;
}

const pauseMs = 250;
const patience = { unsaid: 1000, numbers: 30_000, retry: 5_000 };
/** Writes in one turn: 200 a second at rest, 40 while bindings wait. */
const writesAtRest = 50;
const writesWhenBusy = 10;
/** Under way at the same time: a binding that comes meanwhile must not wait for fifty of them. */
const writesAtATime = 4;

/**
 * Tells waiting pods why they wait: the condition PodScheduled on each pod, an Event on the first pod of a workload when
 * the reason changes. New reasons are written first, new numbers at most every 30 seconds, and never more than the API
 * server can spare. Namespaces take turns, so that nobody's thousands keep others from hearing why they wait.
 */
export class Explainer {
  readonly #options: ExplainerOptions;
  readonly #told = new ToldPods(patience);
  readonly #limiter = new Limiter(writesAtATime);
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
    const due = new FairQueue<Due>();
    const stale = new FairQueue<Due>();
    // Of one namespace no more than could be written are asked for.
    const isWanted = ({ namespace }: PodFacts): boolean => due.sizeOf(namespace) < limit;
    for (const one of this.#told.due(this.#waiting, now, isWanted))
      (one.what === 'reason' ? due : stale).add(one.pod.namespace, one);
    const chosen = Array.from({ length: limit }, () => due.take() ?? stale.take()).filter((one) => one !== undefined);
    await Promise.all(chosen.map((one) => this.#limiter.run(() => this.#tell(one))));
  }

  async #tell({ pod, waiting, first }: Due): Promise<void> {
    const { transport, clock, signal, stillLeading, waits, logger, events, metrics } = this.#options;
    if (!stillLeading() || !waits(pod.uid)) return;
    const before = this.#told.reasonOf(pod);
    this.#told.told(pod, waiting, clock.monotonic());
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message: textOf(waiting),
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
      this.#told.failed(pod, clock.monotonic());
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
