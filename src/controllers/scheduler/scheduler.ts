import { EventReason } from '../../api/v1alpha1/constants/index.ts';
import { plan, type Admission } from '../../core/plan/index.ts';
import type { Fleet, Snapshot, Workload } from '../../core/snapshot/index.ts';
import type { Clock, EventRecorder, Transport, Wake } from '../../kube/index.ts';
import type { CycleObservation, Health, Logger, Metrics } from '../../observe/index.ts';
import type { SchedulingRecord } from '../record/index.ts';
import { Binder } from './binder.ts';
import { Evictor } from './evictor.ts';
import { Explainer, referenceTo } from './explainer.ts';

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
  /** 0 <= r < 1 */
  readonly random: () => number;
  /** Called after every cycle, whose assignments the fleet shows by then. Must not throw. */
  readonly onCycle: (snapshot: Snapshot, now: number) => void;
  /** Gets what the plans tell, for statuses and gauges. */
  readonly record: SchedulingRecord;
  /** Of every cycle. Must not throw. */
  readonly observe: (observation: CycleObservation) => void;
}

/** Without any event the fleet is looked at once in this time, since terms and numbers move on their own. */
const idleMs = 1000;
/** Events that arrive together are planned together. */
const gatherMs = 5;
/** Pods planned ahead of the API server: a second's worth, so that the order stays fresh. */
const maxBacklog = 1000;
/** Of one quota in one cycle: what one institution puts up costs all others a few milliseconds at the most. */
const maxClasses = 64;
/** Between two cycles at the most, however long the last one took. */
const longestRestMs = 500;

/**
 * The scheduling loop: gather (the fleet, kept by the watches) -> decide (`plan`) -> apply (binder, evictor and explainer). Runs
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
  const waits = (uid: string): boolean => fleet.waits(uid);
  const explainer = new Explainer({ ...running, heartbeat: explaining, waits, busy: () => binder.backlog > 50 });
  const explained = explainer.run();
  const evictor = new Evictor(running);
  options.metrics.beforeRender(() => options.metrics.bindBacklog.set(binder.backlog));
  const cycle = new SchedulingCycle(options, { binder, explainer, evictor });
  try {
    evictor.resume(fleet.snapshot(clock.now()));
    for (;;) {
      await wake.wait(clock, idleMs, signal);
      await clock.sleep(gatherMs, signal);
      heartbeat.beat();
      let spentMs: number;
      try {
        spentMs = cycle.run();
      } catch (error) {
        // A fault of ours must not stop the whole pool: what the cycle had tried out is thrown away, and time goes by.
        options.observe({ outcome: 'failed' });
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
    await Promise.all([binder.drained(), evictor.drained(), explained]);
  }
}

/** Those who carry a plan out. */
interface Helpers {
  readonly binder: Binder;
  readonly evictor: Evictor;
  readonly explainer: Explainer;
}

class SchedulingCycle {
  readonly #options: SchedulerOptions;
  readonly #helpers: Helpers;

  constructor(options: SchedulerOptions, helpers: Helpers) {
    this.#options = options;
    this.#helpers = helpers;
  }

  /** One cycle. @returns its length in milliseconds */
  run(): number {
    const { fleet, clock, wake, stillLeading, record, observe } = this.#options;
    const { binder, evictor, explainer } = this.#helpers;
    const room = maxBacklog - binder.backlog;
    if (!stillLeading()) return 0;
    if (room <= 0) {
      observe({ outcome: 'skipped' });
      return 0;
    }
    const began = clock.monotonic();
    const now = clock.now();
    const snapshot = fleet.snapshot(now);
    const taken = clock.monotonic();
    const planned = plan(snapshot, now, { maxPods: room, maxClasses });
    const decided = clock.monotonic();
    for (const admission of planned.admit) this.#carryOut(admission, snapshot);
    evictor.add(planned.evict, snapshot);
    fleet.nominate(planned.reserve);
    // A plan that stopped early has looked at a part only; what it has not looked at keeps its explanation.
    if (!planned.more) {
      explainer.update(planned.waiting);
      record.planned(planned);
      record.access.observe(planned.waiting, snapshot.policy, now, (key) => fleet.pod(key) === undefined);
    }
    this.#options.onCycle(snapshot, now);
    const done = clock.monotonic();
    observe({
      outcome: 'finished',
      whole: !planned.more,
      snapshotMs: taken - began,
      planMs: decided - taken,
      applyMs: done - decided,
      admitted: planned.admit.length,
      evicted: planned.evict.length,
      reserved: planned.reserve.length,
    });
    if (planned.more || planned.again) wake.raise();
    return done - began;
  }

  #carryOut({ workload, pods, asBorrower }: Admission, snapshot: Snapshot): void {
    const { events, metrics, clock, record } = this.#options;
    const quota = snapshot.policy.quotaOfNamespace.get(workload.namespace);
    metrics.admissions.inc({ quota: quota?.spec.name ?? '' });
    let left = pods.length;
    for (const { pod, nodeName } of pods) {
      const node = snapshot.nodes.idOf(nodeName);
      const pool = node === undefined ? undefined : snapshot.poolOfProfile(snapshot.nodes.profileOf(node).id);
      const onBound = (): void => {
        left--;
        if (left > 0) return;
        metrics.workloadWait.observe({ tier: quota?.spec.tier ?? '' }, waitOf(workload, clock.now()));
        const access = record.access.started(workload, snapshot.policy, clock.now());
        if (access !== undefined) metrics.reclaimAccess.observe({ pool: access.pool }, access.seconds);
        const first = pods[0];
        if (first !== undefined) events.record(scheduledEvent(workload, first));
      };
      this.#helpers.binder.add({ pod, nodeName, borrower: asBorrower, poolName: pool?.spec.name ?? '', onBound });
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
