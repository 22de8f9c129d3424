import { abortReason, nextTurn } from '../clock.ts';
import { errorFromStatus, localError, type ApiError } from '../errors.ts';
import type { RawObject } from '../reflector.ts';
import type { StreamRequest, Transport } from '../transport.ts';

/** How a request or stream of a `FakeList` goes wrong, at the moment it is asked for. */
export type Fault =
  /** The connection breaks. */
  | 'cut'
  /** The server ends the watch in order. */
  | 'end'
  /** A line that is no event. */
  | 'garbage'
  /** All versions so far are forgotten, and it is said within the stream. */
  | 'expire'
  /** Error 500 within the stream. */
  | 'error';

interface LogEntry {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: RawObject;
}

/**
 * One resource of an API server in memory, with versions, pages and watches as Kubernetes has them, for tests that try
 * thousands of courses. What it does is proven against the real server in test/kube.
 */
export class FakeList implements Transport {
  /** Pages have two objects, so that few objects make several. */
  static readonly pageSize = 2;
  readonly #objects = new Map<string, RawObject>();
  readonly #log: LogEntry[] = [];
  readonly #faults: Fault[] = [];
  readonly #streaming: boolean;
  #version = 1;
  #forgottenUpTo = 0;
  #changed = Promise.withResolvers<true>();

  /** @param options.streaming whether it can list by streaming */
  constructor(options: { streaming: boolean }) {
    this.#streaming = options.streaming;
  }

  /** The objects, by name. */
  get objects(): ReadonlyMap<string, RawObject> {
    return this.#objects;
  }

  /** Creates or changes an object. */
  put(name: string, uid: string): void {
    const before = this.#objects.get(name);
    const known = before !== undefined && (before['metadata'] as { uid: string }).uid === uid;
    if (before !== undefined && !known) this.remove(name);
    this.#write(known ? 'MODIFIED' : 'ADDED', name, uid);
  }

  remove(name: string): void {
    const before = this.#objects.get(name);
    if (before !== undefined) this.#write('DELETED', name, (before['metadata'] as { uid: string }).uid);
  }

  /** The next thing that a request or a stream does is to fail so. */
  failNext(fault: Fault): void {
    this.#faults.push(fault);
    this.#wake();
  }

  async request<T>({ query = {} }: StreamRequest): Promise<T> {
    await nextTurn();
    if (this.#nextFault() !== undefined) throw networkError();
    const [version, after] = (query['continue'] ?? `${this.#version}:`).split(':') as [string, string];
    if (Number(version) < this.#forgottenUpTo) throw errorFromStatus('list', 410, { reason: 'Expired' });
    const names = [...this.#objects.keys()].sort().filter((name) => name > after);
    const page = names.slice(0, FakeList.pageSize);
    const more = names.length > page.length ? { continue: `${version}:${page.at(-1) ?? ''}` } : {};
    // A page shows the state of its list's version: a change between pages makes the rest expire, which is stricter
    // than etcd.
    if (Number(version) !== this.#version) throw errorFromStatus('list', 410, { reason: 'Expired' });
    return { metadata: { resourceVersion: version, ...more }, items: page.map((name) => this.#objects.get(name)) } as T;
  }

  async *stream({ query = {}, signal }: StreamRequest): AsyncGenerator<string, void, undefined> {
    await nextTurn();
    let seen = Number(query['resourceVersion'] ?? this.#version);
    if (query['sendInitialEvents'] === 'true') {
      if (!this.#streaming) throw errorFromStatus('watch', 422, { reason: 'Invalid' });
      for (const object of [...this.#objects.values()]) {
        const ending = yield* this.#fail();
        if (ending) return;
        yield JSON.stringify({ type: 'ADDED', object });
      }
      const annotations = { 'k8s.io/initial-events-end': 'true' };
      yield* this.#since(seen);
      seen = this.#version;
      yield JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(seen), annotations } } });
    }
    for (;;) {
      const ending = yield* this.#fail();
      if (ending) return;
      if (seen < this.#forgottenUpTo) throw errorFromStatus('watch', 410, { reason: 'Expired' });
      yield* this.#since(seen);
      seen = this.#version;
      await this.#changeOr(signal);
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  *#since(version: number): Generator<string, void, undefined> {
    for (const entry of this.#log) {
      if (entry.version > version) yield JSON.stringify({ type: entry.type, object: entry.object });
    }
  }

  /** @returns whether the stream ends here, in order */
  *#fail(): Generator<string, boolean, undefined> {
    switch (this.#nextFault()) {
      case undefined:
        return false;
      case 'end':
        return true;
      case 'cut':
        throw networkError();
      case 'garbage':
        yield '{"type":"ADDED","obj';
        return false;
      case 'expire':
        this.#forgottenUpTo = this.#version;
        yield JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } });
        return false;
      case 'error':
        yield JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 500, reason: 'InternalError' } });
        return false;
    }
  }

  #nextFault(): Fault | undefined {
    return this.#faults.shift();
  }

  #write(type: LogEntry['type'], name: string, uid: string): void {
    this.#version += 1;
    const object = { metadata: { namespace: 'n', name, uid, resourceVersion: String(this.#version) } };
    if (type === 'DELETED') this.#objects.delete(name);
    else this.#objects.set(name, object);
    this.#log.push({ version: this.#version, type, object });
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve(true);
    this.#changed = Promise.withResolvers<true>();
  }

  async #changeOr(signal: AbortSignal | undefined): Promise<void> {
    const stopped = Promise.withResolvers<never>();
    const stop = (): void => {
      if (signal !== undefined) stopped.reject(abortReason(signal));
    };
    if (signal?.aborted === true) stop();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      await Promise.race([this.#changed.promise, stopped.promise]);
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }
}

function networkError(): ApiError {
  return localError('Network', 'cut');
}
