import { collectionPath, type Kind } from '../../api/v1alpha1/constants/index.ts';
import { Fleet } from '../../core/snapshot/index.ts';
import { runReflector, Store, Wake, type Transport } from '../../kube/index.ts';
import { reflectorObserver } from '../../observe/index.ts';
import {
  changesManifest,
  manifestsOf,
  projectResource,
  type ManifestStores,
  type ResourceProjection,
} from '../manifests/index.ts';
import { FleetFeed } from './fleetFeed.ts';
import type { FeedOptions } from './reflect.ts';

/** Everything that is watched, kept warm whether this process leads or not. */
export class Caches {
  readonly fleet = new Fleet();
  readonly wake = new Wake();
  readonly manifests: ManifestStores;
  readonly #options: FeedOptions;
  readonly #feed: FleetFeed;
  readonly #listeners = new Set<() => void>();

  constructor(options: FeedOptions, onPodsWatched: (isWatched: boolean) => void) {
    this.#options = options;
    const changed = (): void => {
      this.wake.raise();
      for (const listener of this.#listeners) listener();
    };
    const policyChanged = (): void => {
      this.fleet.setPolicy({ ...manifestsOf(this.manifests), namespaces: [...this.#feed.namespaces.values()] });
      changed();
    };
    const create = <K extends Kind>(): Store<ResourceProjection<K>> => {
      const store = new Store<ResourceProjection<K>>({
        onSubscriberError: (error) => options.logger.error('cannot apply a change of a manifest', { error }),
      });
      store.subscribe((changes) => {
        if (changes.some(changesManifest)) policyChanged();
      });
      return store;
    };
    this.#feed = new FleetFeed(options, this.fleet, { onChange: changed, onPodsWatched });
    this.manifests = { pools: create(), quotas: create(), investments: create() };
    this.#feed.namespaces.subscribe(policyChanged);
  }

  /** Calls back after every change. @returns a function that ends it */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Has the statuses worked out again though nothing that is watched has changed. */
  showAgain(): void {
    for (const listener of this.#listeners) listener();
  }

  async synced(signal: AbortSignal): Promise<void> {
    const { pools, quotas, investments } = this.manifests;
    await Promise.all([
      this.#feed.synced(signal),
      pools.whenSynced(signal),
      quotas.whenSynced(signal),
      investments.whenSynced(signal),
    ]);
  }

  /** Resolves when what had happened to pods before is seen: see `podsCaughtUp`. */
  caughtUp(transport: Transport, signal: AbortSignal): Promise<void> {
    return this.#feed.caughtUp(transport, signal);
  }

  /** Lists and watches until the signal aborts. */
  async run(): Promise<void> {
    await Promise.all([
      this.#feed.run(),
      this.#reflect('GpuPool', this.manifests.pools),
      this.#reflect('ResearchQuota', this.manifests.quotas),
      this.#reflect('MatchingInvestment', this.manifests.investments),
    ]);
  }

  #reflect<K extends Kind>(kind: K, store: Store<ResourceProjection<K>>): Promise<void> {
    const { health, metrics, logger } = this.#options;
    const path = collectionPath(kind);
    const resource = path.slice(path.lastIndexOf('/') + 1);
    health.requireReady(`cache-${resource}`, () =>
      store.synced ? undefined : 'the first list is not complete: are the CRDs of crds/ applied?',
    );
    const observe = reflectorObserver({ resource, store, metrics, logger });
    return runReflector({ ...this.#options, path, project: projectResource(kind), store, observe });
  }
}
