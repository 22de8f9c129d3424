import { annotations, borrowerAdmission, schedulerName } from '../../api/v1alpha1/constants/index.ts';
import type { Fleet, PodFacts } from '../../core/snapshot/index.ts';
import { bindPod, FairQueue, isApiError, type Clock, type Transport } from '../../kube/index.ts';
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
/** Between two attempts at a binding of which nobody knows what became. */
const longestSilence = 2_000;

/**
 * Carries out bindings, many at once. Namespaces take turns, so that a pod does not wait for the thousand of somebody else
 * that were planned before it. A pod with volumes to bind waits for them first, in no one's way. A pod counts as
 * bound in the fleet from the plan on. When the API server refuses, it is taken back and planned again, later the more
 * often it happens. When no one knows what the API server did, because its answer was lost or is an error of its own,
 * the same binding is sent again until that is known: the pod keeps its place meanwhile, as it may well be there.
 */
export class Binder {
  readonly #options: BinderOptions;
  readonly #queue = new FairQueue<BindingTask>();
  readonly #volumes: VolumeBinder;
  readonly #failures = new Map<string, number>();
  /** Pods of which a binding was sent that may have been carried out. */
  readonly #unanswered = new Set<string>();
  #running = 0;
  #idle: (() => void)[] = [];

  constructor(options: BinderOptions) {
    this.#options = options;
    this.#volumes = new VolumeBinder({ ...options, storage: options.fleet.storage });
  }

  /** Bindings that are decided and not answered yet. */
  get backlog(): number {
    return this.#queue.size + this.#running;
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
    this.#queue.add(task.pod.namespace, task);
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
    while (this.#running < concurrency && !signal.aborted) {
      const task = this.#queue.take();
      if (task === undefined) return;
      this.#running++;
      void this.#bind(task).finally(() => {
        this.#running--;
        this.#start();
        if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
      });
    }
  }

  async #bind(task: BindingTask): Promise<void> {
    const { transport, fleet, clock, metrics, signal, stillLeading } = this.#options;
    const { pod, nodeName, borrower } = task;
    if (!stillLeading()) return;
    if (this.#unanswered.has(pod.uid) && fleet.pod(pod.uid)?.nodeName !== undefined) {
      this.#bound(task);
      return;
    }
    const began = clock.monotonic();
    try {
      await bindPod(
        transport,
        { namespace: pod.namespace, name: pod.name, uid: pod.uid, nodeName, annotations: borrower ? asBorrower : {} },
        signal,
      );
    } catch (error) {
      if (signal.aborted) return;
      const mayBeBound = isUnanswered(error) || (this.#unanswered.has(pod.uid) && isApiError(error, 'Conflict'));
      if (!mayBeBound) this.#failed(task, error);
      else if (isUnanswered(error)) this.#askAgainLater(task, error);
      else await this.#look(task, error);
      return;
    }
    metrics.bindDuration.observe((clock.monotonic() - began) / 1000);
    this.#bound(task);
  }

  #bound({ pod, poolName, onBound }: BindingTask): void {
    this.#options.metrics.podsBound.inc({ pool: poolName });
    this.#failures.delete(pod.uid);
    this.#unanswered.delete(pod.uid);
    onBound();
  }

  /** Refused after one that nobody knows the outcome of: the pod has a node, or it is being deleted. */
  async #look(task: BindingTask, refusal: unknown): Promise<void> {
    const { transport, signal } = this.#options;
    const { namespace, name, uid } = task.pod;
    try {
      const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
      const { metadata, spec } = await transport.request<RawPod>({ method: 'GET', path, signal });
      if (metadata.uid === uid && spec.nodeName === task.nodeName) this.#bound(task);
      else this.#failed(task, refusal);
    } catch (error) {
      if (signal.aborted) return;
      if (isUnanswered(error)) this.#askAgainLater(task, error);
      else this.#failed(task, error);
    }
  }

  #askAgainLater(task: BindingTask, error: unknown): void {
    const { clock, fleet, signal, logger } = this.#options;
    const { uid, namespace, name } = task.pod;
    this.#unanswered.add(uid);
    this.#count(error);
    logger.warn('it is not known whether a pod was bound, it is bound to the same node again', {
      ...{ namespace, pod: name, node: task.nodeName, error },
    });
    const failures = (this.#failures.get(uid) ?? 0) + 1;
    this.#failures.set(uid, failures);
    const again = (): void => {
      if (fleet.pod(uid) !== undefined) this.#enqueue(task);
      else this.#forgetPod(uid);
    };
    void clock.sleep(Math.min(longestSilence, firstPause * 2 ** (failures - 1)), signal).then(again, () => undefined);
  }

  #count(error: unknown): void {
    this.#options.metrics.bindFailures.inc({ code: isApiError(error) ? error.code : 'Unknown' });
  }

  #forgetPod(uid: string): void {
    this.#failures.delete(uid);
    this.#unanswered.delete(uid);
  }

  #failed(task: BindingTask, error: unknown): void {
    const { fleet, logger } = this.#options;
    const { pod, nodeName } = task;
    this.#count(error);
    this.#unanswered.delete(pod.uid);
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
    if (fleet.pod(uid) === undefined) this.#forgetPod(uid);
    fleet.forget(uid);
    onFailed();
  }
}

interface RawPod {
  readonly metadata: { readonly uid?: string };
  readonly spec: { readonly nodeName?: string };
}

/** Whether the API server may have acted all the same. */
function isUnanswered(error: unknown): boolean {
  return isApiError(error) && (error.status === 0 || error.status >= 500);
}
