import { abortReason } from './clock.ts';

/** What every projection keeps of its object, whatever else it keeps. */
export interface Stored {
  readonly uid: string;
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: string;
}

/**
 * One difference between two states of a store. `previous` is what was there before; for `deleted` it is the same as
 * `object`. An object that vanished and came back under its name is a `deleted` followed by an `added`, never an
 * `updated`.
 */
export interface Change<T> {
  readonly type: 'added' | 'updated' | 'deleted';
  readonly object: T;
  readonly previous: T | undefined;
}

/** The key of an object in its store: `namespace/name`, or `name` when cluster-scoped. */
export function keyOf(namespace: string, name: string): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

interface Index<T> {
  readonly valuesOf: (object: T) => readonly string[];
  readonly buckets: Map<string, Map<string, T>>;
}

/**
 * The objects of one kind as last seen, by key and by index. It holds projections: only the fields that somebody reads.
 *
 * | operation | cost |
 * |---|---|
 * | get, has, size | O(1) |
 * | upsert, delete | O(indexes) |
 * | byIndex | O(matches) |
 * | replace | O(old + new) |
 *
 * Subscribers see the changes in order and after the store holds them. One that throws does not keep the others from
 * their changes; its error goes to `onSubscriberError` (which must not throw), or up as an uncaught exception where
 * that is not given.
 */
export class Store<T extends Stored> {
  #objects = new Map<string, T>();
  readonly #indexes = new Map<string, Index<T>>();
  readonly #subscribers = new Set<(changes: readonly Change<T>[]) => void>();
  readonly #undelivered: (readonly Change<T>[])[] = [];
  #delivering = false;
  #synced = false;
  readonly #waitingForSync = new Set<() => void>();
  readonly #onSubscriberError: (error: unknown) => void;

  constructor(options: { onSubscriberError?: (error: unknown) => void } = {}) {
    this.#onSubscriberError = options.onSubscriberError ?? throwLater;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  has(key: string): boolean {
    return this.#objects.has(key);
  }

  get size(): number {
    return this.#objects.size;
  }

  /** All objects, in no promised order. Not a copy: do not change the store while iterating. */
  values(): IterableIterator<T> {
    return this.#objects.values();
  }

  /**
   * Keeps objects findable by a value derived from them. An object without values is in no bucket.
   *
   * @param valuesOf must give the same for the same object, always
   * @throws {Error} when the name is taken
   */
  addIndex(name: string, valuesOf: (object: T) => readonly string[]): void {
    if (this.#indexes.has(name)) throw new Error(`index ${name} exists`);
    const index: Index<T> = { valuesOf, buckets: new Map() };
    for (const [key, object] of this.#objects) addTo(index, key, object);
    this.#indexes.set(name, index);
  }

  /**
   * The objects that have this value in that index, in no promised order; empty when there are none.
   *
   * @throws {Error} when there is no such index
   */
  byIndex(name: string, value: string): readonly T[] {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new Error(`no index ${name}`);
    return [...(index.buckets.get(value)?.values() ?? [])];
  }

  /** Calls back with every change from now on. @returns a function that ends the subscription */
  subscribe(subscriber: (changes: readonly Change<T>[]) => void): () => void {
    this.#subscribers.add(subscriber);
    return () => {
      this.#subscribers.delete(subscriber);
    };
  }

  /**
   * Whether the store has once held everything the server has. Still false while subscribers are told of that first
   * list, so that they can tell it from news.
   */
  get synced(): boolean {
    return this.#synced;
  }

  /** Resolves once `synced`; rejects with the signal's reason when that aborts first. */
  whenSynced(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(abortReason(signal));
        return;
      }
      if (this.#synced) {
        resolve();
        return;
      }
      const abort = (): void => {
        this.#waitingForSync.delete(done);
        if (signal !== undefined) reject(abortReason(signal));
      };
      const done = (): void => {
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      this.#waitingForSync.add(done);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /**
   * Makes the store hold exactly these objects and marks it synced. One batch of changes tells the difference; an
   * object of the same uid and resourceVersion is no change and stays the instance it was.
   */
  replace(all: Iterable<T>): void {
    const changes: Change<T>[] = [];
    const objects = [...all];
    if (this.#objects.size > 0) {
      const staying = new Set(objects.map(({ namespace, name }) => keyOf(namespace, name)));
      for (const [key, previous] of this.#objects) {
        if (!staying.has(key)) this.#remove(key, previous, changes);
      }
    }
    for (const object of objects) this.#put(keyOf(object.namespace, object.name), object, changes);
    this.#deliver(changes);
    this.#synced = true;
    for (const done of this.#waitingForSync) done();
    this.#waitingForSync.clear();
  }

  /** Adds the object or puts it in the place of the one with its key. */
  upsert(object: T): void {
    const changes: Change<T>[] = [];
    this.#put(keyOf(object.namespace, object.name), object, changes);
    this.#deliver(changes);
  }

  /** Removes the object with this key; nothing happens where there is none. */
  delete(key: string): void {
    const previous = this.#objects.get(key);
    if (previous === undefined) return;
    const changes: Change<T>[] = [];
    this.#remove(key, previous, changes);
    this.#deliver(changes);
  }

  #put(key: string, object: T, changes: Change<T>[]): void {
    const previous = this.#objects.get(key);
    if (previous?.uid === object.uid && previous.resourceVersion === object.resourceVersion) return;
    if (previous !== undefined && previous.uid !== object.uid) this.#remove(key, previous, changes);
    const replaced = this.#objects.get(key);
    this.#objects.set(key, object);
    for (const index of this.#indexes.values()) {
      if (replaced !== undefined) removeFrom(index, key, replaced);
      addTo(index, key, object);
    }
    changes.push({ type: replaced === undefined ? 'added' : 'updated', object, previous: replaced });
  }

  #remove(key: string, previous: T, changes: Change<T>[]): void {
    this.#objects.delete(key);
    for (const index of this.#indexes.values()) removeFrom(index, key, previous);
    changes.push({ type: 'deleted', object: previous, previous });
  }

  /** A subscriber may change the store: its changes wait their turn, so that all subscribers see the same order. */
  #deliver(changes: readonly Change<T>[]): void {
    if (changes.length === 0) return;
    this.#undelivered.push(changes);
    if (this.#delivering) return;
    this.#delivering = true;
    for (let batch = this.#undelivered.shift(); batch !== undefined; batch = this.#undelivered.shift()) {
      for (const subscriber of this.#subscribers) this.#tell(subscriber, batch);
    }
    this.#delivering = false;
  }

  #tell(subscriber: (changes: readonly Change<T>[]) => void, batch: readonly Change<T>[]): void {
    try {
      subscriber(batch);
    } catch (error) {
      this.#onSubscriberError(error);
    }
  }
}

function addTo<T>(index: Index<T>, key: string, object: T): void {
  for (const value of index.valuesOf(object)) {
    let bucket = index.buckets.get(value);
    if (bucket === undefined) {
      bucket = new Map();
      index.buckets.set(value, bucket);
    }
    bucket.set(key, object);
  }
}

function removeFrom<T>(index: Index<T>, key: string, object: T): void {
  for (const value of index.valuesOf(object)) {
    const bucket = index.buckets.get(value);
    if (bucket?.delete(key) === true && bucket.size === 0) index.buckets.delete(value);
  }
}

/** A subscriber that throws is a bug of ours: it must be loud, but not in the middle of a batch. */
function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
