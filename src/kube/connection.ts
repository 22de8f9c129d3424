import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { Pool, ProxyAgent, type Dispatcher } from 'undici';
import type { Clock } from './clock.ts';
import { localError } from './errors.ts';
import { KubeConfigError } from './kubeconfig.ts';

/** A way to the API server with the credentials of one moment. */
export interface Connection {
  /** scheme://host:port */
  readonly origin: string;
  /** What the server's URL has after the host, without a slash at the end: '' unless the API sits behind a gateway. */
  readonly basePath: string;
  /** Headers of authentication. */
  readonly headers: Readonly<Record<string, string>>;
  readonly pools: Pools;
}

interface Pools {
  /** Everything that has an answer. */
  readonly requests: Dispatcher;
  /** Watches. Each holds a connection for minutes, so that they would starve the others out of one pool. */
  readonly streams: Dispatcher;
}

interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

/** What the kubeconfig comes down to, once its files are read and its plugins have run. */
interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsMaterial;
}

/** Tokens in files are replaced minutes before they expire, so a minute is soon enough. */
const recheckMs = 60_000;
/** A server that refuses fresh credentials too must not make us run a plugin for every request. */
const renewalPauseMs = 5_000;

/** Keeps the connection of a kubeconfig, and renews it when its credentials change. */
export class ConnectionSource {
  #kubeConfig: KubeConfig;
  readonly #clock: Clock;
  readonly #maxConnections: number;
  #current: { readonly connection: Connection; readonly credentials: Credentials } | undefined;
  #checkedAt = 0;
  #renewedAt = -Infinity;
  #checking: Promise<Connection> | undefined;
  #renewing: Promise<Connection> | undefined;

  constructor(options: { kubeConfig: KubeConfig; clock: Clock; maxConnections: number }) {
    this.#kubeConfig = options.kubeConfig;
    this.#clock = options.clock;
    this.#maxConnections = options.maxConnections;
  }

  /**
   * The connection to use. Credentials are looked at again once a minute, in the background: the ones at hand serve
   * until then, and should they have expired, the server says so and `renew` follows.
   *
   * @throws {ApiError} code Credentials, when there are none yet and they cannot be had
   */
  get(): Connection | Promise<Connection> {
    if (this.#current === undefined) return this.#check();
    if (this.#clock.monotonic() - this.#checkedAt >= recheckMs) this.#check().catch(keepWhatWeHave);
    return this.#current.connection;
  }

  /**
   * A connection with other credentials than the refused one has; undefined when there are no others.
   *
   * @throws {ApiError} code Credentials
   */
  async renew(refused: Connection): Promise<Connection | undefined> {
    if (this.#current?.connection === refused) await this.#renewOnce();
    const connection = this.#current?.connection;
    return connection === refused ? undefined : connection;
  }

  /** Waits for the requests under way and cuts the streams. */
  async close(): Promise<void> {
    // Or what is being opened would stay open.
    await this.#checking?.catch(keepWhatWeHave);
    if (this.#current === undefined) return;
    const { requests, streams } = this.#current.connection.pools;
    await Promise.all([requests.close(), streams.destroy()]);
  }

  #check(): Promise<Connection> {
    this.#checkedAt = this.#clock.monotonic();
    this.#checking ??= this.#connect().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  /** Many requests are refused together: one renewal serves them all. */
  async #renewOnce(): Promise<void> {
    if (this.#renewing === undefined) {
      const now = this.#clock.monotonic();
      if (now - this.#renewedAt < renewalPauseMs) return;
      this.#renewedAt = now;
      // A fresh object has none of the library's caches: they would give us the refused credentials again.
      const { clusters, users, contexts, currentContext } = this.#kubeConfig;
      this.#kubeConfig = new KubeConfig();
      this.#kubeConfig.loadFromOptions({ clusters, users, contexts, currentContext });
      this.#renewing = this.#connect().finally(() => {
        this.#renewing = undefined;
      });
    }
    await this.#renewing;
  }

  async #connect(): Promise<Connection> {
    const kubeConfig = this.#kubeConfig;
    const credentials = await readCredentials(kubeConfig);
    const before = this.#current;
    // A renewal has overtaken a look in the background, which may have found the refused credentials.
    const overtaken = kubeConfig !== this.#kubeConfig;
    if (before !== undefined && (overtaken || same(before.credentials, credentials))) return before.connection;
    const cluster = kubeConfig.getCurrentCluster();
    if (cluster === null) throw new KubeConfigError('the current context names no cluster');
    const { origin, pathname } = new URL(cluster.server);
    const keepPools = before !== undefined && same(before.credentials.tls, credentials.tls);
    const connection: Connection = {
      origin,
      basePath: pathname.replace(/\/+$/, ''),
      headers: credentials.headers,
      pools: keepPools ? before.connection.pools : this.#open(origin, cluster.proxyUrl, credentials.tls),
    };
    this.#current = { connection, credentials };
    if (before !== undefined && !keepPools) retire(before.connection.pools);
    return connection;
  }

  #open(origin: string, proxyUrl: string | undefined, tls: TlsMaterial): Pools {
    const pool = (connections: number | null): Dispatcher => {
      const options = {
        connections,
        pipelining: 1,
        // One HTTP/2 connection binds fewer pods per second than HTTP/1.1 connections side by side.
        allowH2: false,
        // The transport has timeouts of its own, which cover the time in the queue as well.
        headersTimeout: 0,
        bodyTimeout: 0,
        // Below what servers and load balancers allow, so that it is we who close an idle connection, not they.
        keepAliveTimeout: 30_000,
        keepAliveMaxTimeout: 30_000,
      };
      const connect = { ...tls, keepAlive: true, keepAliveInitialDelay: 30_000 };
      if (proxyUrl === undefined) return new Pool(origin, { ...options, connect });
      return new ProxyAgent({
        ...options,
        uri: proxyUrl,
        proxyTunnel: true,
        requestTls: { ...connect, allowH2: false },
      });
    };
    return { requests: pool(this.#maxConnections), streams: pool(null) };
  }
}

async function readCredentials(kubeConfig: KubeConfig): Promise<Credentials> {
  const options: RequestOptions = {};
  try {
    await kubeConfig.applyToHTTPSOptions(options);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const user = kubeConfig.getCurrentUser()?.name ?? '(none)';
    throw localError('Credentials', `cannot get the credentials of user ${user}: ${why}`, error);
  }
  const headers: Record<string, string> = {};
  // A token that was read from a file may end in a newline, which no header can hold.
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = String(value).trim();
  const { auth } = options;
  if (typeof auth === 'string') headers['authorization'] = `Basic ${Buffer.from(auth).toString('base64')}`;
  const { servername, rejectUnauthorized } = options;
  return {
    headers,
    tls: {
      ...pem('ca', options.ca),
      ...pem('cert', options.cert),
      ...pem('key', options.key),
      ...(servername === undefined ? {} : { servername }),
      ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    },
  };
}

function pem(name: 'ca' | 'cert' | 'key', value: unknown): TlsMaterial {
  if (Buffer.isBuffer(value)) return { [name]: value.toString('utf8') };
  return typeof value === 'string' ? { [name]: value } : {};
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Lets what runs on the old credentials end by itself: a watch lasts minutes, then its successor uses the others. */
function retire(pools: Pools): void {
  pools.requests.close().catch(ignore);
  pools.streams.close().catch(ignore);
}

/** A failed look in the background is no news: it matters when the server refuses what we have, and then it is told. */
function keepWhatWeHave(): void {
  // The current connection stays.
}

function ignore(): void {
  // A pool that cannot be closed in order is gone already.
}
