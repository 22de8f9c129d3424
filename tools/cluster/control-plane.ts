import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { createTransport, loadKubeConfig, type Transport } from '../../src/kube/index.ts';
import { ensureBinaries, type BinaryName } from './binaries.ts';
import { ComponentProcesses } from './component-processes.ts';
import { componentArguments, kubeconfigOf, type Component, type Ports } from './components.ts';
import { ensureCredentials, writeKubeconfig, type Credentials } from './credentials.ts';
import { claimDataDir, type DataDir } from './data-dir.ts';
import { kwokConfiguration } from './kwok/index.ts';
import { createNodes, sampleNodes, areUsable, type SimulatedNode } from './nodes.ts';
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
  /** Requests a second that kube-controller-manager and kube-scheduler may send, each. Default 5000. */
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
  /** Paths of the programs in use, and of kubectl unless it is missing and there is no Go to build it with. */
  readonly binaries: Readonly<Partial<Record<BinaryName, string>>>;
  /** Resolves with the reason when a component ends that nobody stopped. */
  readonly failed: Promise<Error>;
  /** Pids of what runs now. */
  pids(): Readonly<Partial<Record<Component, number>>>;
  /** Ends one component, and resolves when it is gone. Default signal: SIGKILL. */
  kill(component: Component, signal?: NodeJS.Signals): Promise<void>;
  /** Starts a component that was killed, and resolves when it can be used again. */
  start(component: Component): Promise<void>;
  /** Kills a component and starts it again. */
  restart(component: Component, signal?: NodeJS.Signals): Promise<void>;
  /** Ends everything and removes a temporary data directory. Can be called more than once. */
  stop(): Promise<void>;
}

const startAttempts = 5;
const graceMilliseconds = 10_000;

/**
 * Starts a real control plane on loopback: etcd, kube-apiserver, kube-controller-manager and KWOK. Resolves when the API
 * server is ready and the nodes asked for are Ready. No process of it outlives this one.
 *
 * @throws Error when the data directory is in use, when a program is missing and cannot be built, or when a component
 *   does not start; the last lines of its log are in the message.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const { signal, progress = printProgress() } = options;
  signal?.throwIfAborted();
  const parts = componentsOf(options);
  const binaries = await ensureBinaries(parts, progress, { optional: ['kubectl'], signal });
  const plane = new LocalControlPlane(claimDataDir(options.dataDir), parts, binaries, options);
  signal?.addEventListener('abort', () => void plane.stop(), { once: true });
  try {
    await plane.startAll();
    signal?.throwIfAborted();
    return plane;
  } catch (error) {
    await plane.stop();
    signal?.throwIfAborted();
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

class LocalControlPlane implements ControlPlane {
  readonly kubeconfig: string;
  readonly dataDir: string;
  readonly logs: string;
  readonly binaries: Readonly<Partial<Record<BinaryName, string>>>;
  readonly failed: Promise<Error>;

  readonly #directory: DataDir;
  readonly #parts: readonly Component[];
  readonly #options: ControlPlaneOptions;
  readonly #credentials: Credentials;
  readonly #processes: ComponentProcesses;
  #ports: Ports = { apiServer: 0, etcd: 0, etcdPeer: 0 };
  #transport: Transport | undefined;
  /** While servers are being started, ends are expected and looked after there. */
  #settled = false;
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
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.failed = promise;
    this.#processes = new ComponentProcesses(directory.path, (reason) => {
      if (this.#settled) resolve(reason);
    });
    this.logs = this.#processes.logs;
    this.#credentials = ensureCredentials(directory.path);
    writeFileSync(join(directory.path, 'kwok.yaml'), kwokConfiguration());
  }

  get server(): string {
    return `https://127.0.0.1:${this.#ports.apiServer}`;
  }

  pids(): Readonly<Partial<Record<Component, number>>> {
    return this.#processes.pids();
  }

  async startAll(): Promise<void> {
    await this.#startServers();
    this.#settled = true;
    const rest = this.#parts.filter((part) => part !== 'etcd' && part !== 'kube-apiserver');
    await Promise.all(rest.map((part) => this.start(part)));
    const { nodes = 0 } = this.#options;
    const fleet = typeof nodes === 'number' ? sampleNodes(nodes) : nodes;
    await createNodes(this.#api(), fleet);
    if (this.#processes.has('kwok')) await this.#until(['kwok'], () => areUsable(this.#api(), fleet));
  }

  kill(component: Component, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    return this.#processes.kill(component, signal);
  }

  async start(component: Component): Promise<void> {
    if (component === 'kwok') await this.#untilLeaseNamespace();
    this.#spawn(component);
    // etcd is asked through the API server: when both were killed, the second to start is waited for.
    const servers = this.#processes.has('etcd') && this.#processes.has('kube-apiserver');
    if ((component === 'etcd' || component === 'kube-apiserver') && servers) await this.#untilReady();
    if (component === 'kube-controller-manager') await this.#untilServiceAccount();
  }

  async restart(component: Component, signal?: NodeJS.Signals): Promise<void> {
    await this.kill(component, signal);
    await this.start(component);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    const order: Component[] = ['kwok', 'kube-scheduler', 'kube-controller-manager', 'kube-apiserver', 'etcd'];
    if (this.#directory.temporary) {
      // Nothing is kept, so there is nothing to finish.
      await Promise.all(order.map((component) => this.#processes.kill(component, 'SIGKILL')));
    } else {
      for (const component of order) await this.#processes.kill(component, 'SIGTERM', graceMilliseconds);
    }
    await this.#transport?.close();
    this.#directory.release();
  }

  /** etcd and kube-apiserver; on other ports when someone takes one of theirs between choice and use. */
  async #startServers(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const apiServer = await freePort(attempt === 1 ? this.#directory.lastPort : undefined);
      this.#ports = { apiServer, etcd: await freePort(), etcdPeer: await freePort() };
      this.#directory.announcePort(apiServer);
      // Together: the API server spends its first second on itself, and then waits for etcd.
      this.#spawn('etcd');
      this.#spawn('kube-apiserver');
      try {
        await this.#untilCertificate();
        this.#writeKubeconfigs();
        const kubeConfig = loadKubeConfig(this.kubeconfig);
        this.#transport = createTransport({ kubeConfig, userAgent: 'moa-cluster' });
        await this.#untilReady();
        return;
      } catch (error) {
        await Promise.all([this.kill('etcd'), this.kill('kube-apiserver')]);
        await this.#transport?.close();
        const clash = error instanceof Error && error.message.includes('address already in use');
        if (!clash || attempt === startAttempts) throw error;
      }
    }
  }

  #spawn(component: Component): void {
    const program = this.binaries[component];
    if (program === undefined) throw new Error(`${component} was not asked for when this control plane was started`);
    const args = componentArguments[component]({
      dataDir: this.dataDir,
      ports: this.#ports,
      credentials: this.#credentials,
      durable: !this.#directory.temporary,
      qps: this.#options.qps ?? 5000,
      apiServerFlags: this.#options.apiServerFlags ?? [],
    });
    this.#processes.spawn(component, program, args);
  }

  #writeKubeconfigs(): void {
    for (const part of this.#parts) {
      if (part === 'etcd' || part === 'kube-apiserver') continue;
      writeKubeconfig(kubeconfigOf(this.dataDir, part), this.server, part, this.#credentials);
    }
    writeKubeconfig(this.kubeconfig, this.server, 'admin', this.#credentials);
  }

  #until(components: readonly [Component, ...Component[]], probe: () => boolean | Promise<boolean>): Promise<void> {
    return this.#processes.until(components, probe, this.#options.signal);
  }

  /** kube-apiserver makes its serving certificate on its first start; every kubeconfig must hold it. */
  #untilCertificate(): Promise<void> {
    const { certificate } = this.#credentials;
    const whole = () => existsSync(certificate) && readFileSync(certificate, 'utf8').endsWith('-----\n');
    return this.#until(['kube-apiserver', 'etcd'], whole);
  }

  #untilReady(): Promise<void> {
    return this.#until(['kube-apiserver', 'etcd'], async () => {
      for await (const line of this.#api().stream({ method: 'GET', path: '/readyz' })) return line === 'ok';
      return false;
    });
  }

  /** The first thing that kube-controller-manager does for a new cluster. */
  #untilServiceAccount(): Promise<void> {
    return this.#until(['kube-controller-manager'], async () => {
      await this.#api().request({ method: 'GET', path: '/api/v1/namespaces/default/serviceaccounts/default' });
      return true;
    });
  }

  /** The API server makes it shortly after it is ready. KWOK does not try a second time to give a node its lease. */
  #untilLeaseNamespace(): Promise<void> {
    return this.#until(['kube-apiserver', 'etcd'], async () => {
      await this.#api().request({ method: 'GET', path: '/api/v1/namespaces/kube-node-lease' });
      return true;
    });
  }

  #api(): Transport {
    if (this.#transport === undefined) throw new Error('the API server has not been started');
    return this.#transport;
  }
}
