import { backOffMs } from './backoff.ts';
import { isAborted, nextTurn, type Clock } from './clock.ts';
import { ApiError, errorFromStatus, localError, type StatusBody } from './errors.ts';
import { initialState, step, type ReflectorAction, type ReflectorInput, type Undertaking } from './reflector-state.ts';
import { keyOf, type Store, type Stored } from './store.ts';
import type { Transport } from './transport.ts';

/** An object as the API server sent it. */
export type RawObject = Readonly<Record<string, unknown>>;

/** What a reflector tells about itself, for metrics and logs. */
export type ReflectorObservation =
  /** The store now holds a complete list. */
  | { readonly type: 'listed'; readonly by: 'stream' | 'pages'; readonly objects: number; readonly durationMs: number }
  /** One event of a watch. */
  | { readonly type: 'event'; readonly event: 'present' | 'gone' | 'bookmark' }
  /** A list or a watch failed; it is tried again. */
  | { readonly type: 'failed'; readonly error: unknown }
  /** `project` threw for this object. It stays in the store as it was, or out of it. */
  | { readonly type: 'rejected'; readonly key: string; readonly error: unknown };

export interface ReflectorOptions<T extends Stored> {
  readonly transport: Transport;
  /** The list's path: `/api/v1/pods`. */
  readonly path: string;
  /** Selectors: `labelSelector`, `fieldSelector`. */
  readonly query?: Readonly<Record<string, string>>;
  /**
   * What the store keeps of an object; undefined when it is not of interest, then it is not in the store. The result
   * must have the object's own namespace and name.
   */
  readonly project: (raw: RawObject) => T | undefined;
  readonly store: Store<T>;
  readonly clock: Clock;
  /** 0 <= r < 1 */
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** Must not throw. */
  readonly observe?: (observation: ReflectorObservation) => void;
}

const pageSize = 500;
/** Objects are projected between two turns of the event loop for so long at most. */
const sliceMs = 10;
/**
 * The server sends a bookmark about every minute, but has been seen to leave one out on a quiet resource: after twice
 * that and some slack, a connection without a word is dead.
 */
const inactivityMs = 150_000;
const retry = { baseMs: 500, maxMs: 15_000 };

/**
 * Keeps a store equal to what the server has: lists, then watches, through every failure. Resolves when the signal
 * aborts, and never rejects.
 */
export async function runReflector<T extends Stored>(options: ReflectorOptions<T>): Promise<void> {
  await new Reflector(options).run();
}

class Reflector<T extends Stored> {
  readonly #options: ReflectorOptions<T>;
  readonly #observe: (observation: ReflectorObservation) => void;
  #state = initialState;
  #staged = new Map<string, T>();
  #listStarted = 0;
  #turnStarted = 0;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#observe = options.observe ?? (() => undefined);
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    let undertaking = this.#take({ type: 'started' });
    while (!signal.aborted && undertaking !== undefined) {
      try {
        undertaking = await this.#carryOut(undertaking);
      } catch (error) {
        if (isAborted(signal)) return;
        this.#observe({ type: 'failed', error });
        undertaking = this.#take(failureOf(error)) ?? undertaking;
      }
    }
  }

  /** Feeds the machine with what an undertaking brings until it asks for another. */
  async #carryOut(undertaking: Undertaking): Promise<Undertaking> {
    const { clock } = this.#options;
    this.#turnStarted = clock.monotonic();
    for await (const input of this.#inputsOf(undertaking)) {
      const next = this.#take(input);
      if (next !== undefined) return next;
      if (clock.monotonic() - this.#turnStarted < sliceMs) continue;
      await nextTurn();
      this.#turnStarted = clock.monotonic();
    }
    throw new Error(`reflector of ${this.#options.path} has nothing to do after ${undertaking.do}`);
  }

  #inputsOf(undertaking: Undertaking): AsyncIterable<ReflectorInput<RawObject>> {
    switch (undertaking.do) {
      case 'streamList':
        return this.#watch({ sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' });
      case 'watch':
        return this.#watch({ resourceVersion: undertaking.resourceVersion });
      case 'listPage':
        return this.#page(undertaking.continueToken);
      case 'wait':
        return this.#wait(undertaking);
    }
  }

  async *#watch(how: Readonly<Record<string, string>>): AsyncGenerator<ReflectorInput<RawObject>, void, undefined> {
    const { transport, path, query, clock, random, signal } = this.#options;
    const started = clock.monotonic();
    // Spread, so that the watches of a process which began together do not all end together.
    const timeoutSeconds = 300 + Math.floor(random() * 300);
    const lines = transport.stream({
      method: 'GET',
      path,
      query: { ...query, ...how, watch: 'true', allowWatchBookmarks: 'true', timeoutSeconds: String(timeoutSeconds) },
      inactivityMs,
      signal,
    });
    for await (const line of lines) {
      const input = parseEvent(path, line);
      this.#observe({ type: 'event', event: input.type });
      yield input;
    }
    yield { type: 'ended', lastedMs: clock.monotonic() - started };
  }

  async *#page(continueToken: string | undefined): AsyncGenerator<ReflectorInput<RawObject>, void, undefined> {
    const { transport, path, query, signal } = this.#options;
    const page = await transport.request<RawList>({
      method: 'GET',
      path,
      query: { ...query, limit: String(pageSize), ...(continueToken === undefined ? {} : { continue: continueToken }) },
      signal,
    });
    const next = page.metadata?.continue;
    yield {
      type: 'page',
      resourceVersion: page.metadata?.resourceVersion ?? '',
      continueToken: next === undefined || next === '' ? undefined : next,
      objects: page.items ?? [],
    };
  }

  async *#wait(due: Undertaking & { do: 'wait' }): AsyncGenerator<ReflectorInput<RawObject>, void, undefined> {
    const { clock, random, signal } = this.#options;
    await clock.sleep(Math.max(due.atLeastMs, backOffMs(retry, due.failures, random)), signal);
    yield { type: 'waited' };
  }

  /** Steps, does at once what can be done at once, and returns what takes time. */
  #take(input: ReflectorInput<RawObject>): Undertaking | undefined {
    const { state, actions } = step(this.#state, input);
    if (this.#state.phase !== state.phase && isListing(state.phase))
      this.#listStarted = this.#options.clock.monotonic();
    const by = this.#state.phase === 'paging' ? 'pages' : 'stream';
    this.#state = state;
    let undertaking: Undertaking | undefined;
    for (const action of actions) {
      if (action.do === 'commit') this.#commit(by);
      else undertaking = this.#perform(action) ?? undertaking;
    }
    return undertaking;
  }

  #perform(action: Exclude<ReflectorAction<RawObject>, { do: 'commit' }>): Undertaking | undefined {
    const { store } = this.#options;
    switch (action.do) {
      case 'stage': {
        const key = rawKey(action.object);
        const projected = this.#project(key, action.object, this.#staged.get(key) ?? store.get(key));
        if (projected === undefined) this.#staged.delete(key);
        else this.#staged.set(key, projected);
        return undefined;
      }
      case 'unstage':
        this.#staged.delete(rawKey(action.object));
        return undefined;
      case 'discard':
        this.#staged = new Map();
        return undefined;
      case 'upsert': {
        const key = rawKey(action.object);
        const projected = this.#project(key, action.object, store.get(key));
        if (projected === undefined) store.delete(key);
        else store.upsert(projected);
        return undefined;
      }
      case 'delete':
        store.delete(rawKey(action.object));
        return undefined;
      default:
        return action;
    }
  }

  #commit(by: 'stream' | 'pages'): void {
    const staged = this.#staged;
    this.#staged = new Map();
    this.#options.store.replace(staged.values());
    const durationMs = this.#options.clock.monotonic() - this.#listStarted;
    this.#observe({ type: 'listed', by, objects: staged.size, durationMs });
  }

  /** @param known what to keep if the projection throws, unless it is of another object of the same name */
  #project(key: string, raw: RawObject, known: T | undefined): T | undefined {
    try {
      return this.#options.project(raw);
    } catch (error) {
      this.#observe({ type: 'rejected', key, error });
      return known?.uid === metadataOf(raw).uid ? known : undefined;
    }
  }
}

interface RawMetadata {
  readonly namespace?: string;
  readonly name?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface RawList {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly RawObject[];
}

interface RawEvent {
  readonly type: string;
  readonly object: RawObject;
}

function metadataOf(raw: RawObject): RawMetadata {
  return raw['metadata'] ?? {};
}

function rawKey(raw: RawObject): string {
  const { namespace, name } = metadataOf(raw);
  return keyOf(namespace ?? '', name ?? '');
}

/** @throws {ApiError} for an error within the stream, or what is no event */
function parseEvent(path: string, line: string): ReflectorInput<RawObject> & { type: 'present' | 'gone' | 'bookmark' } {
  const { type, object } = parseLine(path, line);
  if (type === 'ERROR') {
    const status: StatusBody = object;
    throw errorFromStatus(`watch of ${path}`, status.code ?? 500, status);
  }
  const { resourceVersion, annotations } = metadataOf(object);
  if (resourceVersion === undefined) throw notAnEvent(path, line);
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
      return { type: 'present', resourceVersion, object };
    case 'DELETED':
      return { type: 'gone', resourceVersion, object };
    case 'BOOKMARK':
      return {
        type: 'bookmark',
        resourceVersion,
        initialEventsEnd: annotations?.['k8s.io/initial-events-end'] === 'true',
      };
    default:
      throw notAnEvent(path, line);
  }
}

function parseLine(path: string, line: string): RawEvent {
  try {
    const event = JSON.parse(line) as Partial<RawEvent> | null;
    if (typeof event?.type === 'string' && typeof event.object === 'object')
      return { type: event.type, object: event.object };
  } catch (error) {
    throw notAnEvent(path, line, error);
  }
  throw notAnEvent(path, line);
}

function notAnEvent(path: string, line: string, cause?: unknown): ApiError {
  const beginning = JSON.stringify(line.slice(0, 80));
  const message = `watch of ${path}: not an event: ${beginning} (${line.length} characters)`;
  return localError('InvalidResponse', message, cause);
}

function failureOf(error: unknown): ReflectorInput<RawObject> {
  if (!(error instanceof ApiError)) return { type: 'failed', status: 0, code: 'Internal' };
  const { status, code, retryAfterMs } = error;
  return { type: 'failed', status, code, retryAfterMs };
}

function isListing(phase: string): boolean {
  return phase === 'streaming' || phase === 'paging';
}
