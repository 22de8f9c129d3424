import { annotations, borrowerAdmission, schedulerName } from '../../api/v1alpha1/constants/index.ts';
import type { Fleet, PodFacts } from '../../core/snapshot/index.ts';
import { bindPod, isApiError, type Clock, type Transport } from '../../kube/index.ts';
import type { Logger, Metrics } from '../../observe/index.ts';
import { isRace, VolumeBinder, type VolumePlan } from './volumeBinder.ts';

/** What has been decided for one pod. */
export interface BindingTask {
  readonly pod: PodFacts;
  readonly nodeName: string;
  /** Its budget admits it as a borrower only: written on the pod with the binding. */
  readonly borrower: boolean;
  /** Name of the pool of the node, empty for a node of none. */
  readonly poolName: string;
  /** Called once the API server has accepted the binding. */
  readonly onBound: () => void;
}

export interface BinderOptions {
  readonly transport: Transport;
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly concurrency: number;
  /** Asked before every write: a leader that was frozen must not act. */
  readonly stillLeading: () => boolean;
  readonly signal: AbortSignal;
  /** A pod waits again. */
  readonly onFailed: () => void;
}

const asBorrower = { [annotations.admittedAs.key]: borrowerAdmission };

/** How long the place of a pod whose binding failed is kept before the pod is planned again. */
const firstPause = 200;
const longestPause = 10_000;

/**
 * Carries out bindings, many at once; a pod with volumes to bind waits for them first, in no one's way. A pod counts as bound in the fleet from the plan on. When the API server refuses,
 * it is taken back and planned again, later the more often it happens; when the answer is lost, so is it, and should it
 * have been bound after all, the second binding is refused and the watch tells where it is.
 */
export class Binder {
  readonly #options: BinderOptions;
  readonly #queue: BindingTask[] = [];
  readonly #volumes: VolumeBinder;
  readonly #failures = new Map<string, number>();
  #head = 0;
  #running = 0;
  #idle: (() => void)[] = [];

  constructor(options: BinderOptions) {
    this.#options = options;
    this.#volumes = new VolumeBinder({ ...options, storage: options.fleet.storage });
  }

  /** Bindings that are decided and not answered yet. */
  get backlog(): number {
    return this.#queue.length - this.#head + this.#running;
  }

  add(task: BindingTask): void {
    const { fleet, clock } = this.#options;
    const { pod, nodeName, borrower } = task;
    const assumption = { nodeName, since: clock.now(), borrower };
    const node = pod.claims.length === 0 ? undefined : fleet.node(nodeName);
    let volumes: VolumePlan | undefined;
    try {
      // Before the pod counts as bound, so that it finds its volumes decided.
      volumes = node === undefined ? undefined : this.#volumes.decide(pod, node);
    } catch (error) {
      fleet.assume(pod.uid, assumption);
      this.#failed(task, error);
      return;
    }
    fleet.assume(pod.uid, assumption);
    if (volumes === undefined || volumes.choices.length === 0) this.#enqueue(task);
    else void this.#bindVolumes(task, volumes);
  }

  /** Resolves when nothing is under way. What is queued is dropped once the signal has aborted. */
  async drained(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #enqueue(task: BindingTask): void {
    this.#queue.push(task);
    this.#start();
  }

  async #bindVolumes(task: BindingTask, volumes: VolumePlan): Promise<void> {
    const { fleet, signal } = this.#options;
    const { pod } = task;
    try {
      await this.#volumes.bind(pod, volumes, () => fleet.pod(pod.uid) !== undefined);
    } catch (error) {
      // At the end of a leadership what is written stays: the next leader reads it from the claims.
      if (signal.aborted) this.#volumes.forget(volumes);
      else {
        await this.#volumes.takeBack(volumes);
        this.#failed(task, error);
      }
      return;
    }
    this.#enqueue(task);
  }

  #start(): void {
    const { signal, concurrency } = this.#options;
    while (this.#running < concurrency && this.#head < this.#queue.length && !signal.aborted) {
      const task = this.#queue[this.#head++];
      if (this.#head > 4096 && this.#head * 2 > this.#queue.length) {
        this.#queue.splice(0, this.#head);
        this.#head = 0;
      }
      if (task === undefined) continue;
      this.#running++;
      void this.#bind(task).finally(() => {
        this.#running--;
        this.#start();
        if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
      });
    }
  }

  async #bind(task: BindingTask): Promise<void> {
    const { transport, clock, metrics, signal, stillLeading } = this.#options;
    const { pod, nodeName, borrower } = task;
    if (!stillLeading()) return;
    const began = clock.monotonic();
    try {
      await bindPod(
        transport,
        { namespace: pod.namespace, name: pod.name, uid: pod.uid, nodeName, annotations: borrower ? asBorrower : {} },
        signal,
      );
    } catch (error) {
      if (!signal.aborted) this.#failed(task, error);
      return;
    }
    metrics.bindDuration.observe((clock.monotonic() - began) / 1000);
    metrics.podsBound.inc({ pool: task.poolName });
    this.#failures.delete(pod.uid);
    task.onBound();
  }

  #failed(task: BindingTask, error: unknown): void {
    const { fleet, metrics, logger } = this.#options;
    const { pod, nodeName } = task;
    const code = isApiError(error) ? error.code : 'Unknown';
    metrics.bindFailures.inc({ code });
    const expected = isRace(error) || fleet.pod(pod.uid) === undefined;
    const fields = { namespace: pod.namespace, pod: pod.name, node: nodeName, error };
    if (expected) logger.debug('a pod changed before it was bound', fields);
    else logger.warn(`${schedulerName} could not bind a pod, it is planned again`, fields);
    void this.#takeBackLater(pod.uid);
  }

  async #takeBackLater(uid: string): Promise<void> {
    const { clock, fleet, signal, onFailed } = this.#options;
    const failures = (this.#failures.get(uid) ?? 0) + 1;
    this.#failures.set(uid, failures);
    try {
      await clock.sleep(Math.min(longestPause, firstPause * 2 ** (failures - 1)), signal);
    } catch {
      return;
    }
    if (fleet.pod(uid) === undefined) this.#failures.delete(uid);
    fleet.forget(uid);
    onFailed();
  }
}
