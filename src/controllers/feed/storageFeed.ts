import {
  awaitingList,
  readClaim,
  readCsiNode,
  readStorageClass,
  readVolume,
  type Storage,
  type StorageKind,
} from '../../core/snapshot/index.ts';
import { isApiError, Store, type RawObject, type ReflectorObservation, type Stored } from '../../kube/index.ts';
import { identityOf, reflect, type FeedOptions } from './reflect.ts';

interface StoredFacts<F> extends Stored {
  readonly facts: F;
}

interface Followed<F> {
  readonly kind: StorageKind;
  readonly path: string;
  readonly read: (raw: RawObject) => F;
  readonly put: (facts: F) => void;
  readonly remove: (object: Stored) => void;
}

/**
 * Keeps volumes and claims in step with the cluster. Nothing else waits for them: pods with claims do, until every list
 * was tried once; a kind that cannot be listed is taken as absent, and the pods that miss it say so.
 */
export class StorageFeed {
  readonly #options: FeedOptions;
  readonly #storage: Storage;
  readonly #onChange: () => void;

  constructor(options: FeedOptions, storage: Storage, onChange: () => void) {
    this.#options = options;
    this.#storage = storage;
    this.#onChange = onChange;
  }

  /** Lists and watches until the signal aborts. */
  async run(): Promise<void> {
    const storage = this.#storage;
    await Promise.all([
      this.#follow({
        kind: 'persistentvolumeclaims',
        path: '/api/v1/persistentvolumeclaims',
        read: readClaim,
        put: (facts) => storage.putClaim(facts),
        remove: ({ namespace, name }) => storage.deleteClaim(namespace, name),
      }),
      this.#follow({
        kind: 'persistentvolumes',
        path: '/api/v1/persistentvolumes',
        read: readVolume,
        put: (facts) => storage.putVolume(facts),
        remove: ({ name }) => storage.deleteVolume(name),
      }),
      this.#follow({
        kind: 'storageclasses',
        path: '/apis/storage.k8s.io/v1/storageclasses',
        read: readStorageClass,
        put: (facts) => storage.putClass(facts),
        remove: ({ name }) => storage.deleteClass(name),
      }),
      this.#follow({
        kind: 'csinodes',
        path: '/apis/storage.k8s.io/v1/csinodes',
        read: readCsiNode,
        put: (facts) => storage.putCsiNode(facts),
        remove: ({ name }) => storage.deleteCsiNode(name),
      }),
    ]);
  }

  #follow<F>({ kind, path, read, put, remove }: Followed<F>): Promise<void> {
    const { logger } = this.#options;
    const storage = this.#storage;
    storage.setListed(kind, awaitingList);
    const store = new Store<StoredFacts<F>>({
      onSubscriberError: (error) => logger.error('cannot apply a change to the storage', { error }),
    });
    store.subscribe((changes) => {
      for (const { type, object } of changes) {
        if (type === 'deleted') remove(object);
        else put(object.facts);
      }
      this.#onChange();
    });
    const observe = (observation: ReflectorObservation): void => {
      if (observation.type === 'listed') storage.setListed(kind, undefined);
      // What was listed once stays known while the watch is mended.
      else if (observation.type === 'failed' && !store.synced)
        storage.setListed(
          kind,
          `cannot be listed, ${isApiError(observation.error) ? observation.error.code : 'no answer'}`,
        );
      else return;
      this.#onChange();
    };
    const project = (raw: RawObject): StoredFacts<F> => ({ ...identityOf(raw), facts: read(raw) });
    return reflect(this.#options, { resource: kind, path, store, project, observe });
  }
}
