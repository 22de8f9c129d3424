import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

import { ensureBinaries, type BinaryName } from './binaries.ts';
import { ApiError, apiClient, type ApiClient } from './client.ts';
import { componentArguments, kubeconfigOf, type Component, type ComponentSettings, type Ports } from './components.ts';
import { ensureCredentials, writeKubeconfig, type Credentials } from './credentials.ts';
import { claimDataDir, lastPort, type DataDir } from './data-dir.ts';
import { spawnGuarded, type GuardedProcess, type ProcessExit } from './guarded-process.ts';
import { kwokConfiguration } from './kwok.ts';
import { createNodes, sampleNodes, type SimulatedNode } from './nodes.ts';
import { freePort } from './ports.ts';
import { printProgress, type BuildProgress } from './progress.ts';

/** What to start, and how. Everything has a default. */
export interface ControlPlaneOptions {
  /** Keeps its objects for the next start. Default: a temporary directory, removed at stop. */
  readonly dataDir?: string;
  /** Simulated nodes to create: a number of the sample fleet, or the nodes themselves. Default: none. */
  readonly nodes?: number | readonly SimulatedNode[];
  /** Aborting it stops everything, during the start and after it. */
  readonly signal?: AbortSignal;
  /** Default true. */
  readonly kwok?: boolean;
  /** Default true. */
  readonly controllerManager?: boolean;
  /** Default false. */
  readonly kubeScheduler?: boolean;
  /** Further flags of kube-apiserver; they win over the usual ones. */
  readonly apiServerFlags?: readonly string[];
  /** Requests a second that kube-controller-manager and kube-scheduler may send. Default 5000. */
  readonly qps?: number;
  /** Hears of builds. Default: prints to standard error. */
  readonly progress?: (event: BuildProgress) => void;
}

/** A running control plane. */
export interface ControlPlane {
  /** Path of an administrator's kubeconfig. */
  readonly kubeconfig: string;
  /** The API server's URL. */
  readonly server: string;
  readonly dataDir: string;
  /** Directory of the components' logs, `<component>.log` each. */
  readonly logs: string;
  /** Paths of the programs in use; kubectl is always among them. */
  readonly binaries: Readonly<Partial<Record<BinaryName, string>>>;
  /** Pids of what runs now. */
  pids(): Readonly<Partial<Record<Component, number>>>;
  /** Resolves with the reason when a component ends that nobody stopped. */
  readonly failed: Promise<Error>;
  /** Ends one component, and resolves when it is gone. Default signal: SIGKILL. */
  kill(component: Component, signal?: NodeJS.Signals): Promise<void>;
  /** Starts a component that was killed, and resolves when it can be used again. */
  start(component: Component): Promise<void>;
  /** {@link kill}, then {@link start}. */
  restart(component: Component, signal?: NodeJS.Signals): Promise<void>;
  /** Ends everything, removes a temporary data directory. Can be called more than once. */
  stop(): Promise<void>;
}

const startAttempts = 5;
const readySeconds = 60;
const graceMilliseconds = 10_000;

/**
 * Starts a real control plane on loopback: etcd, kube-apiserver, kube-controller-manager and KWOK. Resolves when the
 * API server is ready and the nodes asked for are Ready. No process outlives this one.
 *
 * @throws Error when the data directory is in use, when a program is missing and cannot be built, or when a component
 *   does not start; the last lines of its log are in the message.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  options.signal?.throwIfAborted();
  const parts = componentsOf(options);
  const progress = options.progress ?? printProgress();
  const binaryOptions = options.signal === undefined ? {} : { signal: options.signal };
  const binaries = await ensureBinaries([...parts, 'kubectl'], progress, binaryOptions);
  const dataDir = claimDataDir(options.dataDir);
  const plane = new RunningControlPlane(dataDir, parts, binaries, options);
  const onAbort = () => void plane.stop();
  options.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await plane.startAll();
    options.signal?.throwIfAborted();
    return plane;
  } catch (error) {
    await plane.stop();
    options.signal?.throwIfAborted();
    throw error;
  }
}

function componentsOf(options: ControlPlaneOptions): Component[] {
  const parts: Component[] = ['etcd', 'kube-apiserver'];
  if (options.controllerManager ?? true) parts.push('kube-controller-manager');
  if (options.kwok ?? true) parts.push('kwok');
  if (options.kubeScheduler ?? false) parts.push('kube-scheduler');
  return parts;
}

class RunningControlPlane implements ControlPlane {
  readonly kubeconfig: string;
  readonly dataDir: string;
  readonly logs: string;
  readonly binaries: Readonly<Partial<Record<BinaryName, string>>>;
  readonly failed: Promise<Error>;

  readonly #directory: DataDir;
  readonly #parts: readonly Component[];
  readonly #options: ControlPlaneOptions;
  readonly #credentials: Credentials;
  readonly #running = new Map<Component, GuardedProcess>();
  readonly #expected = new Set<GuardedProcess>();
  readonly #fail: (reason: Error) => void;
  #ports: Ports | undefined;
  #client: ApiClient | undefined;
  #stopping: Promise<void> | undefined;

  constructor(
    directory: DataDir,
    parts: readonly Component[],
    binaries: Readonly<Partial<Record<BinaryName, string>>>,
    options: ControlPlaneOptions,
  ) {
    this.#directory = directory;
    this.#parts = parts;
    this.#options = options;
    this.binaries = binaries;
    this.dataDir = directory.path;
    this.kubeconfig = join(directory.path, 'kubeconfig');
    this.logs = join(directory.path, 'logs');
    const failure = Promise.withResolvers<Error>();
    this.failed = failure.promise;
    this.#fail = failure.resolve;
    this.#credentials = ensureCredentials(directory.path);
    mkdirSync(this.logs, { recursive: true });
    writeFileSync(join(directory.path, 'kwok.yaml'), kwokConfiguration());
  }

  get server(): string {
    return `https://127.0.0.1:${this.#settings().ports.apiServer}`;
  }

  pids(): Readonly<Partial<Record<Component, number>>> {
    return Object.fromEntries([...this.#running].map(([component, process]) => [component, process.pid]));
  }

  async startAll(): Promise<void> {
    await this.#startServers();
    const rest = this.#parts.filter((part) => part !== 'etcd' && part !== 'kube-apiserver');
    await Promise.all(rest.map((part) => this.start(part)));
    const nodes = this.#options.nodes ?? 0;
    const fleet = typeof nodes === 'number' ? sampleNodes(nodes) : nodes;
    if (fleet.length > 0) await this.#addNodes(fleet);
  }

  async kill(component: Component, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const process = this.#running.get(component);
    if (process === undefined) return;
    this.#expected.add(process);
    process.kill(signal);
    await process.exited;
  }

  async start(component: Component): Promise<void> {
    if (this.#running.has(component)) throw new Error(`${component} is running already`);
    if (component === 'kwok') await this.#forgetLeases();
    const process = this.#spawn(component);
    if (component === 'etcd' || component === 'kube-apiserver') {
      // etcd alone cannot be asked through the API server when that is down as well.
      if (this.#running.has('kube-apiserver') && this.#running.has('etcd')) await this.#ready(process);
    } else if (component === 'kube-controller-manager') {
      await this.#until(process, async () => {
        await this.#api().request({ method: 'GET', path: '/api/v1/namespaces/default/serviceaccounts/default' });
        return true;
      });
    }
  }

  async restart(component: Component, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.kill(component, signal);
    await this.start(component);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  /** etcd and kube-apiserver, on other ports when someone takes one of theirs between choice and use. */
  async #startServers(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const preferred = attempt === 1 ? lastPort(this.dataDir) : undefined;
      const [apiServer, etcd, etcdPeer] = [await freePort(preferred), await freePort(), await freePort()];
      this.#ports = { apiServer, etcd, etcdPeer };
      this.#directory.announce({ pid: process.pid, apiServerPort: apiServer });
      // Together: the API server spends its first second on itself, and then waits for etcd.
      const etcdProcess = this.#spawn('etcd');
      const apiServerProcess = this.#spawn('kube-apiserver');
      try {
        await Promise.race([this.#certificate(apiServerProcess), this.#exitOf('etcd', etcdProcess)]);
        for (const part of this.#parts) {
          const user = part === 'etcd' || part === 'kube-apiserver' ? undefined : part;
          if (user !== undefined)
            writeKubeconfig(kubeconfigOf(this.dataDir, part), this.server, user, this.#credentials);
        }
        writeKubeconfig(this.kubeconfig, this.server, 'admin', this.#credentials);
        this.#client = apiClient(this.kubeconfig);
        await Promise.race([this.#ready(apiServerProcess), this.#exitOf('etcd', etcdProcess)]);
        return;
      } catch (error) {
        await Promise.all([this.kill('etcd'), this.kill('kube-apiserver')]);
        await this.#client?.close();
        const clash = error instanceof Error && /address already in use/.test(error.message);
        if (!clash || attempt === startAttempts || this.#options.signal?.aborted === true) throw error;
      }
    }
  }

  #spawn(component: Component): GuardedProcess {
    const log = openSync(this.#logOf(component), 'a');
    try {
      const program = this.binaries[component];
      if (program === undefined) throw new Error(`${component} was not asked for when this control plane started`);
      const args = componentArguments[component](this.#settings());
      const child = spawnGuarded(program, args, { cwd: this.dataDir, output: { stdout: log, stderr: log } });
      this.#running.set(component, child);
      void child.exited.then((exit) => {
        if (this.#running.get(component) === child) this.#running.delete(component);
        if (!this.#expected.has(child)) this.#fail(this.#describeExit(component, exit));
      });
      return child;
    } finally {
      closeSync(log);
    }
  }

  /** Resolves when kube-apiserver has written its serving certificate, which every kubeconfig must hold. */
  #certificate(process: GuardedProcess): Promise<void> {
    const { certificate } = this.#credentials;
    return this.#until(process, () => existsSync(certificate) && readFileSync(certificate, 'utf8').endsWith('-----\n'));
  }

  #ready(process: GuardedProcess): Promise<void> {
    return this.#until(process, async () => (await this.#api().request({ method: 'GET', path: '/readyz' })) === 'ok');
  }

  /** Polls until `probe` says true, for as long as the process lives. What the probe throws counts as not yet. */
  async #until(process: GuardedProcess, probe: () => boolean | Promise<boolean>): Promise<void> {
    const component = [...this.#running].find(([, running]) => running === process)?.[0];
    const deadline = Date.now() + readySeconds * 1000;
    let last: unknown;
    let exit: ProcessExit | undefined;
    void process.exited.then((value) => (exit = value));
    while (Date.now() < deadline) {
      this.#options.signal?.throwIfAborted();
      if (exit !== undefined) throw this.#describeExit(component ?? 'etcd', exit);
      try {
        if (await probe()) return;
      } catch (error) {
        last = error;
      }
      await sleep(50);
    }
    const why = last instanceof Error ? `: ${last.message}` : '';
    throw new Error(`${component ?? 'a component'} was not ready after ${readySeconds} s${why}. Logs: ${this.logs}`);
  }

  async #exitOf(component: Component, process: GuardedProcess): Promise<never> {
    throw this.#describeExit(component, await process.exited);
  }

  #describeExit(component: Component, exit: ProcessExit): Error {
    const how = exit.signal === undefined ? `with code ${exit.code ?? 'unknown'}` : `by ${exit.signal}`;
    const path = this.#logOf(component);
    const tail = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n').slice(-15).join('\n') : '';
    return new Error(`${component} ended ${how}. Its log, ${path}, ends with:\n${tail}`);
  }

  /**
   * KWOK takes a new identity on every start and leaves nodes alone whose lease another identity holds. Its own of an
   * earlier life would keep it out until they run out.
   */
  async #forgetLeases(): Promise<void> {
    const path = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
    try {
      await this.#api().request({ method: 'DELETE', path });
    } catch (error) {
      if (!(error instanceof ApiError && error.reason === 'NotFound')) throw error;
    }
  }

  async #addNodes(fleet: readonly SimulatedNode[]): Promise<void> {
    const client = this.#api();
    await createNodes(client, fleet);
    const names = new Set(fleet.map((node) => node.name));
    const kwok = this.#running.get('kwok');
    if (kwok !== undefined) await this.#until(kwok, async () => (await countUsable(client, names)) === names.size);
  }

  async #stopAll(): Promise<void> {
    await this.#client?.close();
    // Nothing of a temporary directory is kept, so there is nothing to finish.
    const polite = !this.#directory.temporary;
    for (const component of ['kwok', 'kube-scheduler', 'kube-controller-manager', 'kube-apiserver', 'etcd'] as const) {
      const process = this.#running.get(component);
      if (process === undefined) continue;
      this.#expected.add(process);
      if (polite) {
        process.kill('SIGTERM');
        const deadline = new AbortController();
        await Promise.race([process.exited, sleep(graceMilliseconds, undefined, { signal: deadline.signal })]);
        deadline.abort();
      }
      process.kill('SIGKILL');
      await process.exited;
    }
    this.#directory.release();
  }

  #settings(): ComponentSettings {
    if (this.#ports === undefined) throw new Error('the control plane has not been started');
    return {
      dataDir: this.dataDir,
      ports: this.#ports,
      credentials: this.#credentials,
      durable: !this.#directory.temporary,
      qps: this.#options.qps ?? 5000,
      apiServerFlags: this.#options.apiServerFlags ?? [],
    };
  }

  #api(): ApiClient {
    if (this.#client === undefined) throw new Error('the API server has not been started');
    return this.#client;
  }

  #logOf(component: Component): string {
    return join(this.logs, `${component}.log`);
  }
}

/** How many of the named nodes a scheduler would use: Ready, and without the taint that a new node carries. */
async function countUsable(client: ApiClient, names: ReadonlySet<string>): Promise<number> {
  const { items } = (await client.request({ method: 'GET', path: '/api/v1/nodes?resourceVersion=0' })) as {
    items: {
      metadata: { name: string };
      spec: { taints?: { key: string }[] };
      status: { conditions?: { type: string; status: string }[] };
    }[];
  };
  return items.filter(
    ({ metadata, spec, status }) =>
      names.has(metadata.name) &&
      status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true &&
      spec.taints?.some(({ key }) => key === 'node.kubernetes.io/not-ready') !== true,
  ).length;
}
