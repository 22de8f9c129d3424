import type { CheckResult, Health } from './health.ts';
import { serveHttp } from './httpServer.ts';
import type { HttpServer, ListenAddress, Page, PageHandler } from './httpServer.ts';
import type { Logger } from './logging.ts';
import type { Metrics } from './metrics.ts';

export interface ObservationOptions {
  /** For `/metrics`; absent: not served. */
  readonly metricsAddress: ListenAddress | undefined;
  /** For `/healthz` and `/readyz`; absent: not served. May be the same as the other, then one server has all pages. */
  readonly healthAddress: ListenAddress | undefined;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly logger: Logger;
}

/** The servers that run. */
export interface ObservationServers {
  readonly metricsAddress: ListenAddress | undefined;
  readonly healthAddress: ListenAddress | undefined;
  close(): Promise<void>;
}

/** The operator was told to listen where it cannot. Not retryable: the address or the machine must change. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: string;
  readonly retryable = false;

  constructor(message: string, code: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** Starts the servers for metrics and health. Rejects with a {@link ListenError} that names the flag to change. */
export async function serveObservation(options: ObservationOptions): Promise<ObservationServers> {
  const { metrics, health, logger } = options;
  const metricsPages = new Map<string, PageHandler>([
    ['/metrics', async () => ({ status: 200, ...(await metrics.render()) })],
  ]);
  const healthPages = new Map<string, PageHandler>([
    ['/healthz', (query) => checkPage('healthz', health.liveness(), query.has('verbose'))],
    ['/readyz', (query) => checkPage('readyz', health.readiness(), query.has('verbose'))],
  ]);
  const listen = async (flag: string, address: ListenAddress | undefined, pages: Map<string, PageHandler>) => {
    if (address === undefined) return undefined;
    try {
      return await serveHttp({ address, pages, logger });
    } catch (error) {
      throw listenError(flag, address, error);
    }
  };

  if (sameAddress(options.metricsAddress, options.healthAddress)) {
    const both = await listen('--metrics-address', options.metricsAddress, new Map([...metricsPages, ...healthPages]));
    return running(both, both);
  }
  const metricsServer = await listen('--metrics-address', options.metricsAddress, metricsPages);
  try {
    return running(metricsServer, await listen('--health-address', options.healthAddress, healthPages));
  } catch (error) {
    await metricsServer?.close();
    throw error;
  }
}

function running(metricsServer: HttpServer | undefined, healthServer: HttpServer | undefined): ObservationServers {
  return {
    metricsAddress: metricsServer?.address,
    healthAddress: healthServer?.address,
    close: async () => {
      await Promise.all([metricsServer?.close(), healthServer?.close()]);
    },
  };
}

/** The same fixed address; two free ports asked for are never the same. */
function sameAddress(one: ListenAddress | undefined, other: ListenAddress | undefined): boolean {
  return one !== undefined && one.port !== 0 && one.port === other?.port && one.host === other.host;
}

function listenError(flag: string, { host, port }: ListenAddress, cause: unknown): ListenError {
  const code = (cause as { code?: unknown }).code;
  const why = typeof code === 'string' ? (explanations[code] ?? code) : String(cause);
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return new ListenError(`${flag} ${place}: ${why}`, typeof code === 'string' ? code : 'Listen', cause);
}

const explanations: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something else listens there; choose another port, or give 0 as the address to serve nothing',
  EACCES: 'this user may not listen there; choose a port above 1023',
  EADDRNOTAVAIL: 'this machine does not have that address',
  ENOTFOUND: 'the host name is unknown',
};

/** Laid out as by Kubernetes' own components: `ok` alone, or a line for each check when asked or when one fails. */
function checkPage(title: string, checks: readonly CheckResult[], verbose: boolean): Page {
  const failed = checks.some(({ problem }) => problem !== undefined);
  if (!failed && !verbose) return { status: 200, body: 'ok\n' };
  const lines = checks.map(({ name, problem }) =>
    problem === undefined ? `[+]${name} ok` : `[-]${name} failed: ${problem}`,
  );
  const verdict = `${title} check ${failed ? 'failed' : 'passed'}`;
  return { status: failed ? 503 : 200, body: [...lines, verdict, ''].join('\n') };
}
