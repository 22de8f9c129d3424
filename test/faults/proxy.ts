import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';

import { loadKubeConfig } from '../../src/kube/index.ts';
import { LineQueue } from './lineQueue.ts';
import { untouched, type WatchFault } from './watchFaults.ts';

/** A request of the operator, as far as faults tell requests apart. */
export interface SeenRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** `lease` is whatever is about the lease of the leader, read or written. */
  readonly kind: 'lease' | 'watch' | 'read' | 'write';
  /** Empty where there is none. */
  readonly body: string;
}

/** A request that would change something, leases left out. */
export interface SeenWrite extends SeenRequest {
  /** When it arrived, on the clock of `performance.now`. */
  readonly at: number;
  /** What the API server said; undefined until then and for ever where it was not asked or not heard. */
  status: number | undefined;
  /** When it said it. */
  answeredAt: number | undefined;
}

/**
 * What becomes of a request:
 *
 * - `pass`: it is forwarded;
 * - `drop`: the connection breaks, and the API server hears nothing of it;
 * - `loseAnswer`: the API server acts on it, and the connection breaks before its answer;
 * - a refusal in the API server's words;
 * - other events than those that were asked for.
 */
export type Outcome = 'pass' | 'drop' | 'loseAnswer' | Refusal | { readonly events: AsyncIterable<string> };

interface Refusal {
  readonly status: number;
  readonly retryAfterSeconds?: number;
}

/** What a proxy does to what goes through it. A rule that takes time delays. */
export interface Rules {
  readonly onRequest?: (request: SeenRequest) => Outcome | Promise<Outcome>;
  /** Called when the API server has answered a write, before the operator hears of it. */
  readonly onWritten?: (write: SeenWrite) => void | Promise<void>;
  /** Chosen for each watch when it begins. */
  readonly onWatch?: (request: SeenRequest) => WatchFault;
}

/** Stands between one operator and the API server, and breaks what it is told to break. */
export interface FaultProxy {
  /** Path of a kubeconfig that leads here. */
  readonly kubeconfig: string;
  /** Every write so far, in the order in which they arrived. */
  readonly writes: readonly SeenWrite[];
  /** Watches that are open now. */
  readonly watches: number;
  /** For requests and watches that begin from now on; `{}` ends all faults. */
  use(rules: Rules): void;
  /** Breaks every connection, now. */
  cut(): void;
  close(): Promise<void>;
}

const reasons: Readonly<Record<number, string>> = {
  410: 'Expired',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
};

/**
 * Starts a proxy on loopback.
 *
 * @param upstream kubeconfig of the API server, with a token
 * @param kubeconfig where to write the one that leads through the proxy
 */
export async function startFaultProxy(upstream: string, kubeconfig: string): Promise<FaultProxy> {
  const config = loadKubeConfig(upstream);
  const [cluster, user] = [config.getCurrentCluster(), config.getCurrentUser()];
  if (cluster === null || user === null) throw new Error(`${upstream} names no cluster and user`);
  const ca = cluster.caData === undefined ? undefined : Buffer.from(cluster.caData, 'base64');
  const agent = new Agent({ keepAlive: true, ...(ca === undefined ? {} : { ca }) });
  const server = createServer((request, response) => {
    void proxy.handle(request, response);
  });
  const proxy = new Proxy(new URL(cluster.server), agent);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  writeKubeconfig(kubeconfig, `http://127.0.0.1:${port}`, user.token ?? '');
  return {
    kubeconfig,
    writes: proxy.writes,
    get watches() {
      return proxy.watches;
    },
    use: (rules) => {
      proxy.rules = rules;
    },
    cut: () => server.closeAllConnections(),
    close: async () => {
      server.closeAllConnections();
      agent.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}

class Proxy {
  rules: Rules = {};
  watches = 0;
  readonly writes: SeenWrite[] = [];
  readonly #server: URL;
  readonly #agent: Agent;

  constructor(server: URL, agent: Agent) {
    this.#server = server;
    this.#agent = agent;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request).catch(() => undefined);
    if (body === undefined) return;
    const seen = seenRequest(request, body);
    const write =
      seen.kind === 'write' ? { ...seen, at: performance.now(), status: undefined, answeredAt: undefined } : undefined;
    if (write !== undefined) this.writes.push(write);
    const outcome = (await this.rules.onRequest?.(seen)) ?? 'pass';
    if (outcome === 'drop') response.destroy();
    else if (typeof outcome === 'object' && 'events' in outcome) await this.#answerWith(outcome.events, response);
    else if (typeof outcome === 'object') refuse(response, outcome);
    else this.#forward({ request, response, seen, write, loseAnswer: outcome === 'loseAnswer' });
  }

  #forward(exchange: Exchange): void {
    const { request, response, seen, write } = exchange;
    const { body } = seen;
    const { authorization, accept, 'content-type': type, 'user-agent': agentName } = request.headers;
    // Node states no length for the body of a DELETE by itself, and the API server then reads none.
    const length = body === '' ? undefined : String(Buffer.byteLength(body));
    const headers = { authorization, accept, 'content-type': type, 'user-agent': agentName, 'content-length': length };
    const upstream = httpsRequest(new URL(request.url ?? '/', this.#server), {
      agent: this.#agent,
      method: seen.method,
      headers: Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)),
    });
    upstream.on('error', () => response.destroy());
    // A watch that the operator leaves, or dies on, ends at the API server too; a write is carried out.
    response.on('close', () => {
      if (write === undefined) upstream.destroy();
    });
    upstream.on('response', (answer) => {
      answer.on('error', () => response.destroy());
      if (seen.kind === 'watch' && answer.statusCode === 200) void this.#passEvents(seen, answer, response);
      else void this.#passAnswer(exchange, answer);
    });
    upstream.end(body);
  }

  async #passAnswer({ response, write, loseAnswer }: Exchange, answer: IncomingMessage): Promise<void> {
    const body = await readBody(answer).catch(() => undefined);
    if (write !== undefined) {
      write.status = answer.statusCode;
      write.answeredAt = performance.now();
      await this.rules.onWritten?.(write);
    }
    if (loseAnswer || body === undefined) {
      response.destroy();
      return;
    }
    const { 'content-type': type, 'retry-after': retryAfter } = answer.headers;
    if (type !== undefined) response.setHeader('content-type', type);
    if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter);
    response.writeHead(answer.statusCode ?? 502).end(body);
  }

  async #answerWith(events: AsyncIterable<string>, response: ServerResponse): Promise<void> {
    response.writeHead(200, { 'content-type': 'application/json' });
    try {
      for await (const text of events) {
        if (response.destroyed) return;
        response.write(`${text}\n`);
      }
    } catch {
      // What it comes from has broken: so does this.
    }
    response.destroy();
  }

  async #passEvents(seen: SeenRequest, answer: IncomingMessage, response: ServerResponse): Promise<void> {
    const events = new LineQueue();
    const answered = { whole: false };
    answer.setEncoding('utf8').on('data', (piece: string) => events.push(piece));
    answer.on('end', () => {
      answered.whole = true;
    });
    answer.on('close', () => events.end());
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    this.watches += 1;
    try {
      for await (const text of (this.rules.onWatch?.(seen) ?? untouched)(events)) {
        if (response.destroyed) return;
        response.write(`${text}\n`);
      }
      if (answered.whole) response.end();
    } finally {
      this.watches -= 1;
      if (!answered.whole) response.destroy();
      answer.destroy();
    }
  }
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly seen: SeenRequest;
  readonly write: SeenWrite | undefined;
  readonly loseAnswer: boolean;
}

function seenRequest(request: IncomingMessage, body: string): SeenRequest {
  const { pathname: path, searchParams: query } = new URL(request.url ?? '/', 'http://proxy');
  const method = request.method ?? 'GET';
  const isLease = path.startsWith('/apis/coordination.k8s.io/');
  const kind = isLease ? 'lease' : method !== 'GET' ? 'write' : query.get('watch') === 'true' ? 'watch' : 'read';
  return { method, path, query, kind, body };
}

function refuse(response: ServerResponse, { status, retryAfterSeconds }: Refusal): void {
  const reason = reasons[status] ?? 'Unknown';
  const message = 'refused by the fault proxy';
  const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: status, reason, message };
  if (retryAfterSeconds !== undefined) response.setHeader('retry-after', String(retryAfterSeconds));
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function readBody(message: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of message) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
}

function writeKubeconfig(path: string, server: string, token: string): void {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'proxy',
    contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'operator' } }],
    clusters: [{ name: 'proxy', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'operator', user: { token } }],
  };
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
}
