import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';

/** Plays an API server in tests: answers as the test says, breaks as the test says, and remembers what it was asked. */
export interface FaultServer {
  readonly url: string;
  /** Every request so far. */
  readonly requests: readonly SeenRequest[];
  /** How many connections were opened so far. */
  readonly connections: number;
  /** A kubeconfig that leads here, with this token. */
  kubeConfig(token?: string): KubeConfig;
  /** Cuts every connection and stops. */
  close(): Promise<void>;
}

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** @param answer called once a request has arrived whole; `index` counts from 0 */
export async function startFaultServer(
  answer: (seen: SeenRequest, response: ServerResponse, index: number) => void,
): Promise<FaultServer> {
  const requests: SeenRequest[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const url = new URL(request.url ?? '/', 'http://localhost');
      const query = Object.fromEntries(url.searchParams);
      const seen = { method: request.method ?? '', path: url.pathname, query, headers: request.headers, body };
      requests.push(seen);
      answer(seen, response, requests.length - 1);
    });
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    requests,
    get connections() {
      return connections;
    },
    kubeConfig: (token = 'secret') => kubeConfigFor(url, { token }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** A kubeconfig with one cluster at `server` and one user. */
export function kubeConfigFor(server: string, user: object, cluster: object = {}): KubeConfig {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'c', server, skipTLSVerify: true, ...cluster }],
    users: [{ name: 'u', ...user }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
    currentContext: 'x',
  });
  return config;
}

/** Answers with JSON. */
export function sendJson(response: ServerResponse, status: number, body: unknown, headers: object = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Answers with an error as the API server words it. */
export function sendStatus(response: ServerResponse, code: number, reason: string, more: object = {}): void {
  sendJson(response, code, statusOf(code, reason, more));
}

/** The API's `Status`. */
export function statusOf(code: number, reason: string, more: object = {}): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message: `${reason} happened`, ...more };
}

/** Breaks the connection, now. */
export function cut(response: ServerResponse): void {
  response.socket?.destroy();
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}
