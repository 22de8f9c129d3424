import type { KubeConfig } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';
import { abortReason, systemClock, type Clock } from './clock.ts';
import { ConnectionSource, type Connection } from './connection.ts';
import { startDeadline, startWatchdog } from './deadline.ts';
import { ApiError, errorFromStatus, localError, type StatusBody } from './errors.ts';
import { LineSplitter } from './lines.ts';

/** Server-side apply. JSON is YAML, so that the body may be JSON. */
export const applyPatch = 'application/apply-patch+yaml';
/** RFC 7386: lists are replaced, null deletes. */
export const mergePatch = 'application/merge-patch+json';
/** Kubernetes' own: lists with merge keys are merged. Built-in types only. */
export const strategicMergePatch = 'application/strategic-merge-patch+json';

/** One request to the API server. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the root of the API: `/api/v1/pods`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Of the body; `application/json` unless given. */
  readonly contentType?: string;
  /** For the whole answer, time in the queue included; of a stream, for its beginning. 30 s unless given. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A request whose answer goes on. */
export interface StreamRequest extends ApiRequest {
  /**
   * The stream fails with code Timeout when nothing arrives for so long. Without it, a half-open socket hangs for ever.
   */
  readonly inactivityMs?: number;
}

/** What became of one request, for metrics. Nothing in it grows with the number of objects but `path`. */
export interface RequestObservation {
  readonly method: ApiRequest['method'];
  readonly path: string;
  /** The resource and subresource asked for, such as `pods/binding`; `other` for what is no resource. */
  readonly resource: string;
  readonly stream: boolean;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** `OK`, or the code of the ApiError. */
  readonly code: string;
  /** Until the answer was complete; of a stream, until it began. */
  readonly durationMs: number;
}

/**
 * The way to the API server. Every error it throws is an ApiError, except that an aborted request throws the reason of
 * its signal. Nothing is sent twice, save once with fresh credentials after a 401: who retries must know what a second
 * time does.
 */
export interface Transport {
  /** The parsed answer; undefined when it has no body. */
  request<T>(request: ApiRequest): Promise<T>;
  /**
   * The lines of the answer as they arrive. It ends when the server ends it and throws when it breaks. Leaving the loop
   * closes it.
   */
  stream(request: StreamRequest): AsyncIterable<string>;
  /** Waits for the requests under way and cuts the streams. */
  close(): Promise<void>;
}

const defaultTimeoutMs = 30_000;

/**
 * One transport serves the whole process: its connections are kept alive, so that a request costs no handshake.
 *
 * @param options.maxConnections for requests; watches are not counted. 32 unless given
 * @param options.observe called once for each request; must not throw
 */
export function createTransport(options: {
  readonly kubeConfig: KubeConfig;
  readonly userAgent: string;
  readonly maxConnections?: number;
  readonly observe?: (observation: RequestObservation) => void;
  readonly clock?: Clock;
}): Transport {
  return new HttpTransport(options);
}

class HttpTransport implements Transport {
  readonly #clock: Clock;
  readonly #connections: ConnectionSource;
  readonly #userAgent: string;
  readonly #observe: (observation: RequestObservation) => void;

  constructor(options: Parameters<typeof createTransport>[0]) {
    this.#clock = options.clock ?? systemClock();
    this.#userAgent = options.userAgent;
    this.#observe = options.observe ?? (() => undefined);
    this.#connections = new ConnectionSource({
      kubeConfig: options.kubeConfig,
      clock: this.#clock,
      maxConnections: options.maxConnections ?? 32,
    });
  }

  async request<T>(request: ApiRequest): Promise<T> {
    const observed = this.#begin(request, false);
    const timeoutMs = request.timeoutMs ?? defaultTimeoutMs;
    const late = timeoutError(request, `no complete answer within ${seconds(timeoutMs)}`);
    const deadline = startDeadline(this.#clock, timeoutMs, late, request.signal);
    try {
      const response = await this.#send(request, 'requests', deadline.signal);
      const text = await response.body.text();
      observed(response.statusCode, 'OK');
      return (text === '' ? undefined : parse(request, text)) as T;
    } catch (error) {
      throw this.#failure(request, error, observed);
    } finally {
      deadline.clear();
    }
  }

  async *stream(request: StreamRequest): AsyncGenerator<string, void, undefined> {
    const observed = this.#begin(request, true);
    const timeoutMs = request.timeoutMs ?? defaultTimeoutMs;
    const late = timeoutError(request, `no answer within ${seconds(timeoutMs)}`);
    const deadline = startDeadline(this.#clock, timeoutMs, late, request.signal);
    const inactivityMs = request.inactivityMs ?? Infinity;
    const silent = timeoutError(request, `nothing came for ${seconds(inactivityMs)}`);
    let watchdog: ReturnType<typeof startWatchdog> | undefined;
    try {
      const response = await this.#send(request, 'streams', deadline.signal);
      deadline.stopTimer();
      observed(response.statusCode, 'OK');
      watchdog = startWatchdog(this.#clock, inactivityMs, () => deadline.abort(silent));
      const splitter = new LineSplitter();
      for await (const chunk of watchdog.watch<Buffer>(response.body)) yield* splitter.push(chunk);
      const rest = splitter.rest();
      if (rest !== undefined) yield rest;
    } catch (error) {
      throw this.#failure(request, error, observed);
    } finally {
      watchdog?.stop();
      deadline.clear();
    }
  }

  close(): Promise<void> {
    return this.#connections.close();
  }

  /**
   * Sends with the credentials at hand and, if those are refused, once more with fresh ones.
   *
   * @throws {ApiError} for a status of 300 and above
   */
  async #send(
    request: ApiRequest,
    pool: keyof Connection['pools'],
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const connection = await this.#connections.get();
    const response = await this.#sendOn(connection, request, pool, signal);
    if (response.statusCode < 300) return response;
    const text = await response.body.text();
    const fresh = response.statusCode === 401 ? await this.#connections.renew(connection) : undefined;
    if (fresh === undefined) throw refusal(request, response, text);
    const second = await this.#sendOn(fresh, request, pool, signal);
    if (second.statusCode < 300) return second;
    throw refusal(request, second, await second.body.text());
  }

  #sendOn(
    connection: Connection,
    request: ApiRequest,
    pool: keyof Connection['pools'],
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const query = request.query === undefined ? '' : `?${new URLSearchParams(request.query).toString()}`;
    const headers: Record<string, string> = {
      accept: 'application/json',
      // Packing costs the server more time than it saves on a local network, and us a second copy of a large list.
      'accept-encoding': 'identity',
      'user-agent': this.#userAgent,
      ...connection.headers,
    };
    if (request.body !== undefined) headers['content-type'] = request.contentType ?? 'application/json';
    return connection.pools[pool].request({
      origin: connection.origin,
      method: request.method,
      path: connection.basePath + request.path + query,
      headers,
      body: request.body === undefined ? null : JSON.stringify(request.body),
      signal,
    });
  }

  /** @returns the function that reports the request; only its first call counts */
  #begin(request: ApiRequest, stream: boolean): (status: number, code: string) => void {
    const start = this.#clock.monotonic();
    let reported = false;
    return (status, code) => {
      if (reported) return;
      reported = true;
      const { method, path } = request;
      const durationMs = this.#clock.monotonic() - start;
      this.#observe({ method, path, resource: resourceOf(path), stream, status, code, durationMs });
    };
  }

  /** The error to throw for whatever was caught, reported. */
  #failure(request: ApiRequest, error: unknown, observed: (status: number, code: string) => void): Error {
    if (request.signal?.aborted === true) {
      observed(0, 'Aborted');
      return abortReason(request.signal);
    }
    const failure = error instanceof ApiError ? error : networkError(request, error);
    observed(failure.status, failure.code);
    return failure;
  }
}

function parse(request: ApiRequest, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const beginning = JSON.stringify(text.slice(0, 80));
    throw localError('InvalidResponse', `${subject(request)}: the answer is not JSON but ${beginning}`, error);
  }
}

function refusal(request: ApiRequest, response: Dispatcher.ResponseData, text: string): ApiError {
  const header = response.headers['retry-after'];
  const seconds = typeof header === 'string' && /^\d+$/.test(header) ? Number(header) : undefined;
  return errorFromStatus(
    subject(request),
    response.statusCode,
    statusBody(text),
    seconds === undefined ? undefined : seconds * 1000,
  );
}

/** The `Status` in an answer; a proxy's page becomes the message of one. */
function statusBody(text: string): StatusBody {
  try {
    const body = JSON.parse(text) as StatusBody | null;
    if (body?.kind === 'Status') return body;
  } catch {
    // Not JSON: then the text itself is the best message there is.
  }
  return { message: text.trim().slice(0, 200) };
}

function networkError(request: ApiRequest, cause: unknown): ApiError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return localError('Network', `${subject(request)}: ${why}`, cause);
}

function timeoutError(request: ApiRequest, what: string): () => ApiError {
  return () => localError('Timeout', `${subject(request)}: ${what}`);
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

function subject({ method, path }: ApiRequest): string {
  return `${method} ${path}`;
}

/** `/api/v1/namespaces/a/pods/b/binding` -> `pods/binding`. */
function resourceOf(path: string): string {
  const [root, ...parts] = path.split('/').slice(1);
  if (root !== 'api' && root !== 'apis') return 'other';
  const rest = parts.slice(root === 'api' ? 1 : 2);
  const inNamespace = rest[0] === 'namespaces' && rest.length > 2 && rest[2] !== 'status' && rest[2] !== 'finalize';
  const [resource, , subresource] = inNamespace ? rest.slice(2) : rest;
  if (resource === undefined) return 'other';
  return subresource === undefined ? resource : `${resource}/${subresource}`;
}
