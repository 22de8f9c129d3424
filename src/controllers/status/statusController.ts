import {
  apiVersion,
  collectionPath,
  conditions,
  events as eventDocs,
  fieldManager,
  QuotaCondition,
  type EventReason,
  type Kind,
} from '../../api/v1alpha1/index.ts';
import type { Figures, Verdict } from '../../core/status/index.ts';
import {
  applyStatus,
  enqueueChanges,
  isApiError,
  runController,
  WorkQueue,
  type Clock,
  type EventRecord,
  type ReconcileObservation,
  type ReconcileResult,
  type Store,
  type Transport,
} from '../../kube/index.ts';
import type { ResourceProjection, StatusOf } from '../manifests/index.ts';
import { nextStatus, type NextStatus } from './nextStatus.ts';

/** What the controller of a kind has of its own. */
export interface StatusKind<K extends Kind> {
  readonly kind: K;
  readonly store: Store<ResourceProjection<K>>;
  /** What the status should say; undefined while the picture does not have the resource yet. */
  judge(seen: ResourceProjection<K>, figures: Figures): Verdict<StatusOf<K>> | undefined;
  /** What is worth an event besides the conditions. */
  newsOf(before: StatusOf<K> | undefined, after: StatusOf<K>): readonly News[];
}

/** An event about a resource. */
export interface News {
  readonly reason: EventReason;
  readonly note: string;
}

export interface StatusControllerOptions {
  readonly transport: Transport;
  readonly events: { record(record: EventRecord): void };
  readonly clock: Clock;
  /** 0 <= r < 1 */
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** Of every reconciliation. Must not throw. */
  readonly observe?: (observation: ReconcileObservation) => void;
  /** Gets the queue of each controller, to show how long it is. */
  readonly showQueue?: (name: string, queue: { readonly size: number }) => void;
}

/** A status that was written, until the store has caught up with it. */
interface Written<K extends Kind> {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly status: StatusOf<K>;
  /** On the monotonic clock. */
  readonly at: number;
}

/** A verdict that the status already shows: while neither changes, there is nothing to compare. */
interface Settled<K extends Kind> {
  readonly seen: ResourceProjection<K>;
  readonly verdict: string;
}

/** Figures alone are written no more often than this for one object. */
const betweenWritesMs = 1000;
const workers = 4;

/**
 * Keeps the statuses of one kind as the latest picture says. Level-triggered: each reconciliation looks at the picture
 * and at the status as it is, and writes the difference.
 */
export class StatusController<K extends Kind> {
  readonly #kind: StatusKind<K>;
  readonly #options: StatusControllerOptions;
  readonly #queue: WorkQueue<string>;
  readonly #written = new Map<string, Written<K>>();
  readonly #settled = new Map<string, Settled<K>>();
  #figures: Figures | undefined;

  constructor(kind: StatusKind<K>, options: StatusControllerOptions) {
    this.#kind = kind;
    this.#options = options;
    this.#queue = new WorkQueue({ clock: options.clock, random: options.random });
  }

  /** Takes the picture that statuses are to show from now on. */
  show(figures: Figures): void {
    this.#figures = figures;
    for (const { name } of this.#kind.store.values()) this.#queue.add(name);
  }

  /** Resolves when the signal has aborted and nothing is under way; never rejects. */
  async run(): Promise<void> {
    const { clock, signal, observe, showQueue } = this.#options;
    const name = `status-${this.#kind.kind}`;
    showQueue?.(name, this.#queue);
    const unsubscribe = enqueueChanges(this.#kind.store, this.#queue, ({ object }) => [object.name]);
    await runController({
      name,
      queue: this.#queue,
      workers,
      reconcile: (key) => this.#reconcile(key),
      clock,
      signal,
      ...(observe === undefined ? {} : { observe }),
    });
    unsubscribe();
  }

  async #reconcile(name: string): Promise<ReconcileResult> {
    const { clock } = this.#options;
    const seen = this.#kind.store.get(name);
    if (seen === undefined) {
      this.#written.delete(name);
      this.#settled.delete(name);
      return {};
    }
    const verdict = this.#figures === undefined ? undefined : this.#kind.judge(seen, this.#figures);
    if (verdict === undefined) return {};
    const text = JSON.stringify(verdict);
    const settled = this.#settled.get(name);
    if (settled?.seen === seen && settled.verdict === text) return {};
    const observed = this.#latestStatus(seen);
    const next = nextStatus<K>(verdict, observed, new Date(clock.now()).toISOString());
    if (next.change === 'nothing') {
      this.#settled.set(name, { seen, verdict: text });
      return {};
    }
    const sinceWrite = clock.monotonic() - (this.#written.get(name)?.at ?? -Infinity);
    if (next.change === 'figures' && sinceWrite < betweenWritesMs) {
      return { requeueAfterMs: betweenWritesMs - sinceWrite };
    }
    if (await this.#write(seen, next.status)) this.#tell(seen, observed, next);
    return {};
  }

  /** The status as the server has it, though the store may not have heard of our own last write yet. */
  #latestStatus(seen: ResourceProjection<K>): StatusOf<K> | undefined {
    const written = this.#written.get(seen.name);
    if (written?.uid !== seen.uid) return seen.status;
    return isEarlier(seen.resourceVersion, written.resourceVersion) ? written.status : seen.status;
  }

  /** @returns whether the object was still there */
  async #write({ name, uid }: ResourceProjection<K>, status: StatusOf<K>): Promise<boolean> {
    const { transport, clock, signal } = this.#options;
    const { kind } = this.#kind;
    try {
      const answer = await applyStatus<{ readonly metadata: { readonly resourceVersion: string } }>(transport, {
        path: `${collectionPath(kind)}/${name}`,
        fieldManager,
        body: { apiVersion, kind, metadata: { name, uid }, status },
        signal,
      });
      const { resourceVersion } = answer.metadata;
      this.#written.set(name, { uid, resourceVersion, status, at: clock.monotonic() });
      return true;
    } catch (error) {
      // Deleted, or another one of that name by now: the store will tell.
      if (isApiError(error, 'NotFound') || isApiError(error, 'Conflict')) return false;
      throw error;
    }
  }

  #tell(seen: ResourceProjection<K>, before: StatusOf<K> | undefined, { status, turned }: NextStatus<K>): void {
    const { kind } = this.#kind;
    const regarding = { apiVersion, kind, name: seen.name, uid: seen.uid };
    const docs: Readonly<Record<string, { readonly healthy: 'True' | 'False' }>> = conditions[kind];
    for (const { value, isFirst } of turned) {
      const isHealthy = docs[value.type]?.healthy === value.status;
      // That a resource begins as it should is no news.
      if (isFirst && isHealthy) continue;
      // Borrowing is what a pool is for.
      const type = isHealthy || value.type === QuotaCondition.Borrowing ? 'Normal' : 'Warning';
      this.#options.events.record({ regarding, type, reason: value.reason, action: 'Evaluated', note: value.message });
    }
    for (const { reason, note } of this.#kind.newsOf(before, status)) {
      this.#options.events.record({ regarding, type: eventDocs[reason].type, reason, action: 'Evaluated', note });
    }
  }
}

/** Resource versions of one kind are decimal numbers that grow; what is not a number is never earlier. */
function isEarlier(one: string, other: string): boolean {
  if (!/^\d+$/.test(one) || !/^\d+$/.test(other)) return false;
  return one.length === other.length ? one < other : one.length < other.length;
}
