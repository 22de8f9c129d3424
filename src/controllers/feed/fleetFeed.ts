import { podGroups } from '../../api/v1alpha1/constants/index.ts';
import {
  objectOf,
  PodReader,
  readNode,
  sameNode,
  samePod,
  textMembersOf,
  textOf,
  type Fleet,
  type NamespaceFacts,
  type NodeFacts,
} from '../../core/snapshot/index.ts';
import { Store, keyOf, type RawObject, type Stored, type Transport } from '../../kube/index.ts';
import { identityOf, reflect, type FeedOptions } from './reflect.ts';
import { livePods, podsCaughtUp, type StoredPod } from './podsCaughtUp.ts';
import { StorageFeed } from './storageFeed.ts';

interface StoredNode extends Stored {
  readonly facts: NodeFacts;
}

interface StoredNamespace extends Stored, NamespaceFacts {}

/** A Job or PodGroup: how many pods its gang has. */
interface StoredGang extends Stored {
  readonly size: number | undefined;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

/** How often a cluster without the PodGroup resource is asked whether it has it now. */
const podGroupLookMs = 30_000;

/**
 * Keeps a fleet in step with the cluster: pods, nodes, Jobs, PodGroups, volumes. Every change is applied as it comes and then
 * reported through `onChange`. Namespaces are kept in a store that the policy is read from.
 */
export class FleetFeed {
  readonly namespaces: Store<StoredNamespace>;
  readonly #options: FeedOptions;
  readonly #pods: Store<StoredPod>;
  readonly #nodes: Store<StoredNode>;
  readonly #jobs: Store<StoredGang>;
  readonly #podGroups: Store<StoredGang>;
  readonly #reader = new PodReader();
  readonly #storage: StorageFeed;
  readonly #onPodsWatched: (isWatched: boolean) => void;

  /** @param onPodsWatched hears that the watch of the pods has failed (false), and of everything it brings (true) */
  constructor(
    options: FeedOptions,
    fleet: Fleet,
    {
      onChange,
      onPodsWatched,
    }: { readonly onChange: () => void; readonly onPodsWatched: (isWatched: boolean) => void },
  ) {
    this.#options = options;
    this.#onPodsWatched = onPodsWatched;
    const create = <T extends Stored>(): Store<T> =>
      new Store<T>({ onSubscriberError: (error) => this.#report(error) });
    this.namespaces = create<StoredNamespace>();
    this.#pods = create<StoredPod>();
    this.#nodes = create<StoredNode>();
    this.#jobs = create<StoredGang>();
    this.#podGroups = create<StoredGang>();

    this.#pods.subscribe((changes) => {
      let changed = false;
      for (const { type, object, previous } of changes) {
        if (type === 'deleted') fleet.removePod(object.uid);
        else fleet.upsertPod(object.facts);
        changed ||= type !== 'updated' || previous === undefined || !samePod(previous.facts, object.facts);
      }
      if (changed) onChange();
    });
    this.#nodes.subscribe((changes) => {
      let changed = false;
      for (const { type, object, previous } of changes) {
        if (type === 'deleted') fleet.removeNode(object.name);
        else if (previous !== undefined && sameNode(previous.facts, object.facts)) continue;
        else fleet.upsertNode(object.facts);
        changed = true;
      }
      if (changed) onChange();
    });
    this.#storage = new StorageFeed(options, fleet.storage, onChange);
    // A pod that replaces another of the same Job is as old as the Job.
    this.#jobs.subscribe((changes) => {
      for (const { type, object } of changes) {
        if (type === 'deleted') fleet.ownerGone(object.uid);
        else if (type === 'added') fleet.ownerSince(object.uid, object.createdAt);
      }
    });
    this.#followSizes('job', this.#jobs, fleet, onChange);
    this.#followSizes('podGroup', this.#podGroups, fleet, onChange);
    fleet.setGangSizes((kind, namespace, name) => {
      const store = kind === 'job' ? this.#jobs : this.#podGroups;
      return store.get(keyOf(namespace, name))?.size;
    });
  }

  /** Lists and watches until the signal aborts. */
  async run(): Promise<void> {
    const { health } = this.#options;
    const needed = { namespaces: this.namespaces, nodes: this.#nodes, pods: this.#pods, jobs: this.#jobs };
    for (const [resource, store] of Object.entries(needed)) {
      health.requireReady(`cache-${resource}`, () => (store.synced ? undefined : 'the first list is not complete'));
    }
    const options = this.#options;
    await Promise.all([
      reflect(options, {
        resource: 'namespaces',
        path: '/api/v1/namespaces',
        store: this.namespaces,
        project: readNamespace,
      }),
      reflect(options, {
        resource: 'nodes',
        path: '/api/v1/nodes',
        store: this.#nodes,
        project: (raw) => ({ ...identityOf(raw), facts: readNode(raw) }),
      }),
      reflect(options, { resource: 'jobs', path: '/apis/batch/v1/jobs', store: this.#jobs, project: readJob }),
      this.#followPods(),
      this.#followPodGroups(),
      this.#storage.run(),
    ]);
  }

  /** Resolves when everything that a plan needs has been listed once. */
  async synced(signal: AbortSignal): Promise<void> {
    const stores = [this.namespaces, this.#nodes, this.#jobs, this.#pods];
    await Promise.all(stores.map((store) => store.whenSynced(signal)));
  }

  /**
   * Resolves when the fleet shows all that had happened to pods before: see {@link podsCaughtUp}.
   *
   * @param transport of a leader: it writes
   */
  caughtUp(transport: Transport, signal: AbortSignal): Promise<void> {
    return podsCaughtUp({ ...this.#options, pods: this.#pods, transport, signal });
  }

  /** Jobs first: a pod is as old as its Job, and whoever learns that later must sort all that wait again. */
  async #followPods(): Promise<void> {
    const { signal } = this.#options;
    await this.#jobs.whenSynced(signal).catch(() => undefined);
    if (signal.aborted) return;
    await reflect(this.#options, {
      resource: 'pods',
      path: '/api/v1/pods',
      query: { fieldSelector: livePods },
      store: this.#pods,
      project: (raw) => ({ ...identityOf(raw), facts: this.#reader.read(raw) }),
      observe: ({ type }) => {
        if (type !== 'rejected') this.#onPodsWatched(type !== 'failed');
      },
    });
  }

  /** PodGroup belongs to others and may not be installed, or come later. */
  async #followPodGroups(): Promise<void> {
    const { transport, clock, signal } = this.#options;
    const groupPath = `/apis/${podGroups.group}/${podGroups.version}`;
    while (!signal.aborted) {
      const installed = await transport
        .request({ method: 'GET', path: groupPath, signal })
        .then(() => true)
        .catch(() => false);
      if (installed) {
        const path = `${groupPath}/${podGroups.plural}`;
        const store = this.#podGroups;
        await reflect(this.#options, { resource: 'podgroups', path, store, project: readPodGroup });
        return;
      }
      await clock.sleep(podGroupLookMs, signal).catch(() => undefined);
    }
  }

  #followSizes(kind: 'job' | 'podGroup', store: Store<StoredGang>, fleet: Fleet, onChange: () => void): void {
    store.subscribe((changes) => {
      let changed = false;
      for (const { object, previous, type } of changes) {
        if (type === 'updated' && previous?.size === object.size) continue;
        fleet.gangSizeChanged(kind, object.namespace, object.name);
        changed = true;
      }
      if (changed) onChange();
    });
  }

  #report(error: unknown): void {
    this.#options.logger.error('cannot apply a change to the fleet', { error });
  }
}

function readNamespace(raw: RawObject): StoredNamespace {
  return { ...identityOf(raw), labels: textMembersOf(objectOf(raw['metadata'])['labels']) };
}

/** A Job's gang shrinks with what is left to complete: its last pods must not wait for companions that never come. */
function readJob(raw: RawObject): StoredGang {
  const spec = objectOf(raw['spec']);
  const parallelism = whole(spec['parallelism']) ?? 1;
  const completions = whole(spec['completions']);
  const succeeded = whole(objectOf(raw['status'])['succeeded']) ?? 0;
  const left = completions === undefined ? parallelism : Math.max(1, completions - succeeded);
  return { ...identityOf(raw), size: Math.min(parallelism, left), createdAt: createdAtOf(raw) };
}

function readPodGroup(raw: RawObject): StoredGang {
  return { ...identityOf(raw), size: whole(objectOf(raw['spec'])['minMember']), createdAt: createdAtOf(raw) };
}

/** Epoch milliseconds; 0 where it is not said. */
function createdAtOf(raw: RawObject): number {
  const created = Date.parse(textOf(objectOf(raw['metadata'])['creationTimestamp']) ?? '');
  return Number.isNaN(created) ? 0 : created;
}

function whole(value: unknown): number | undefined {
  return Number.isSafeInteger(value) ? Number(value) : undefined;
}
