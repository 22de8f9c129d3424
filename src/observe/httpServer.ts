import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Logger } from './logging.ts';

/** Where a server listens. An empty host is every interface; port 0 is any free port. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** An answer. Plain text unless `contentType` says otherwise. */
export interface Page {
  readonly status: number;
  readonly contentType?: string;
  readonly body: string;
}

/** Makes the page of a path out of the query. What it throws is logged and answered with 500. */
export type PageHandler = (query: URLSearchParams) => Page | Promise<Page>;

export interface HttpServer {
  /** Where it really listens, the port filled in. */
  readonly address: ListenAddress;
  /** Takes no more connections, lets answers under way finish for a second, then cuts. Can be called again. */
  close(): Promise<void>;
}

/** How long an answer under way may take once the server closes. */
const closeGraceMs = 1000;

/** A probe or a scraper sends its few header lines at once; whoever dawdles longer is cut off. */
const requestTimeoutMs = 10_000;

/**
 * Serves read-only pages by exact path: GET and HEAD, 404 with the paths that exist, 405 for other methods. Rejects
 * with the operating system's error when it cannot listen.
 */
export async function serveHttp(options: {
  readonly address: ListenAddress;
  readonly pages: ReadonlyMap<string, PageHandler>;
  readonly logger: Logger;
}): Promise<HttpServer> {
  const { address, pages, logger } = options;
  const server = createServer(
    { requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs },
    (request, response) => {
      answer(request, pages)
        .catch((error: unknown) => {
          logger.error('cannot make a page', { path: request.url, error });
          return { status: 500, body: 'internal error, see the log\n' };
        })
        .then((page) => send(response, page))
        .catch((error: unknown) => logger.debug('cannot send a page', { path: request.url, error }));
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: address.port, ...(address.host === '' ? {} : { host: address.host }) }, resolve);
  });
  server.removeAllListeners('error');
  server.on('error', (error) => logger.error('the server for metrics or health failed', { error }));
  let closed: Promise<void> | undefined;
  return {
    address: { host: address.host, port: (server.address() as AddressInfo).port },
    close: () => {
      closed ??= new Promise<void>((resolve) => {
        const cut = setTimeout(() => server.closeAllConnections(), closeGraceMs);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
      });
      return closed;
    },
  };
}

async function answer(request: IncomingMessage, pages: ReadonlyMap<string, PageHandler>): Promise<Page> {
  const target = URL.parse(request.url ?? '/', 'http://moa');
  if (target === null) return { status: 400, body: 'the path is malformed\n' };
  const page = pages.get(target.pathname);
  if (page === undefined) return { status: 404, body: `not found; there is ${[...pages.keys()].join(', ')}\n` };
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405, body: 'only GET and HEAD\n' };
  return page(target.searchParams);
}

function send(response: ServerResponse, page: Page): void {
  response.writeHead(page.status, {
    'Content-Type': page.contentType ?? 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(page.body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...(page.status === 405 ? { Allow: 'GET, HEAD' } : {}),
  });
  response.end(page.body); // Node leaves it out of the answer to HEAD.
}
