import { EventReason } from '../../api/v1alpha1/constants/index.ts';
import { plan, type Admission, type Waiting } from '../../core/plan/index.ts';
import type { Fleet, Snapshot, Workload } from '../../core/snapshot/index.ts';
import type { Clock, EventRecorder, Transport } from '../../kube/index.ts';
import type { Health, Logger, Metrics } from '../../observe/index.ts';
import { Binder } from './binder.ts';
import { Explainer, referenceTo } from './explainer.ts';
import type { Wake } from './wake.ts';

export interface SchedulerOptions {
  readonly fleet: Fleet;
  /** Raised by whoever changes the fleet. */
  readonly wake: Wake;
  readonly transport: Transport;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly health: Health;
  readonly bindConcurrency: number;
  readonly stillLeading: () => boolean;
  readonly signal: AbortSignal;
  /** Told of every plan's waiting workloads. */
  readonly onWaiting: (waiting: readonly Waiting[]) => void;
}

/** Without any event the fleet is looked at once in this time, since terms and numbers move on their own. */
const idleMs = 1000;
/** Events that arrive together are planned together. */
const gatherMs = 5;
/** Pods planned ahead of the API server: a second's worth, so that the order stays fresh. */
const maxBacklog = 1000;
/** Between two cycles at the most, however long the last one took. */
const longestRestMs = 500;

/**
 * The scheduling loop: gather (the fleet, kept by the watches) -> decide (`plan`) -> apply (binder and explainer). Runs
 * until the signal aborts, and leaves nothing half-sent behind.
 */
export async function runScheduler(options: SchedulerOptions): Promise<void> {
  const { clock, signal, wake, health, fleet, logger } = options;
  // Whatever ends the loop ends its helpers.
  const ended = new AbortController();
  const running = { ...options, signal: AbortSignal.any([signal, ended.signal]) };
  const heartbeat = health.loop('scheduler', 60_000);
  const binder = new Binder({ ...running, concurrency: options.bindConcurrency, onFailed: () => wake.raise() });
  const explaining = health.loop('explainer', 60_000);
  const explainer = new Explainer({ ...running, heartbeat: explaining, busy: () => binder.backlog > 50 });
  const explained = explainer.run();
  const cycle = new SchedulingCycle(options, binder, explainer);
  try {
    for (;;) {
      await wake.wait(clock, idleMs, signal);
      await clock.sleep(gatherMs, signal);
      heartbeat.beat();
      let spentMs: number;
      try {
        spentMs = cycle.run();
      } catch (error) {
        // A fault of ours must not stop the whole pool: what the cycle had tried out is thrown away, and time goes by.
        logger.error('a scheduling cycle failed, it is tried again', { error });
        fleet.rebuild();
        spentMs = longestRestMs;
      }
      // A long backlog of waiting workloads must not take the whole process: half the time is left to everyone else.
      await clock.sleep(Math.min(longestRestMs, spentMs), signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    ended.abort();
    heartbeat.stop();
    explaining.stop();
    await Promise.all([binder.drained(), explained]);
  }
}

class SchedulingCycle {
  readonly #options: SchedulerOptions;
  readonly #binder: Binder;
  readonly #explainer: Explainer;

  constructor(options: SchedulerOptions, binder: Binder, explainer: Explainer) {
    this.#options = options;
    this.#binder = binder;
    this.#explainer = explainer;
  }

  /** One cycle. @returns its length in milliseconds */
  run(): number {
    const { fleet, clock, metrics, wake, stillLeading, onWaiting } = this.#options;
    const room = maxBacklog - this.#binder.backlog;
    if (!stillLeading() || room <= 0) return 0;
    const began = clock.monotonic();
    const now = clock.now();
    const snapshot = fleet.snapshot(now);
    const taken = clock.monotonic();
    const planned = plan(snapshot, now, { maxPods: room });
    const decided = clock.monotonic();
    for (const admission of planned.admit) this.#carryOut(admission, snapshot);
    // A plan that stopped early has looked at a part only; what it has not looked at keeps its explanation.
    if (!planned.more) {
      this.#explainer.update(planned.waiting);
      onWaiting(planned.waiting);
    }
    const done = clock.monotonic();
    metrics.cycleDuration.observe({ phase: 'snapshot' }, (taken - began) / 1000);
    metrics.cycleDuration.observe({ phase: 'plan' }, (decided - taken) / 1000);
    metrics.cycleDuration.observe({ phase: 'apply' }, (done - decided) / 1000);
    if (planned.more) wake.raise();
    return done - began;
  }

  #carryOut({ workload, pods }: Admission, snapshot: Snapshot): void {
    const { events, metrics, clock } = this.#options;
    const quota = snapshot.policy.quotaOfNamespace.get(workload.namespace);
    let left = pods.length;
    for (const { pod, nodeName } of pods) {
      const node = snapshot.nodes.idOf(nodeName);
      const pool = node === undefined ? undefined : snapshot.poolOfProfile(snapshot.nodes.profileOf(node).id);
      const onBound = (): void => {
        left--;
        if (left > 0) return;
        metrics.workloadWait.observe({ tier: quota?.spec.tier ?? '' }, waitOf(workload, clock.now()));
        const first = pods[0];
        if (first !== undefined) events.record(scheduledEvent(workload, first));
      };
      this.#binder.add({ pod, nodeName, poolName: pool?.spec.name ?? '', onBound });
    }
  }
}

/** Seconds from the creation of the workload; 0 where clocks disagree. */
function waitOf(workload: Workload, now: number): number {
  return Math.max(0, (now - workload.createdAt) / 1000);
}

function scheduledEvent(workload: Workload, first: Admission['pods'][number]) {
  const others = workload.pods.length - 1;
  const note = `bound to ${first.nodeName}${others === 0 ? '' : `, with ${others} more of its gang`}`;
  return {
    regarding: referenceTo(first.pod),
    type: 'Normal',
    reason: EventReason.Scheduled,
    action: 'Binding',
    note,
  } as const;
}
