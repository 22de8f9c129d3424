import { existsSync } from 'node:fs';
import { KubeConfig } from '@kubernetes/client-node';

/** There is no usable kubeconfig. The message says where was looked and what to do. */
export class KubeConfigError extends Error {
  readonly code = 'KubeConfig';
  readonly retryable = false;

  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'KubeConfigError';
  }
}

/**
 * Finds the cluster and the credentials: the file at `path` when given, else those of KUBECONFIG, else ~/.kube/config,
 * else the service account of the pod we run in.
 *
 * @throws {KubeConfigError} when nothing is found, or what is found cannot be used
 */
export function loadKubeConfig(path?: string): KubeConfig {
  const source = path ?? 'KUBECONFIG, ~/.kube/config or the service account of a pod';
  const config = new KubeConfig();
  try {
    if (path !== undefined && !existsSync(path)) throw new KubeConfigError(`${path} does not exist`);
    if (path === undefined) config.loadFromDefault();
    else config.loadFromFile(path);
  } catch (error) {
    if (error instanceof KubeConfigError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new KubeConfigError(`cannot read a kubeconfig from ${source}: ${why}`, error);
  }
  // What the library makes up when it finds nothing.
  if (path === undefined && config.getCurrentContext() === 'loaded-context') {
    throw new KubeConfigError(`no kubeconfig found in ${source}; pass one with --kubeconfig`);
  }
  checkUsable(config, source);
  return config;
}

function checkUsable(config: KubeConfig, source: string): void {
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    const context = config.getCurrentContext();
    const contexts = config.getContexts().map(({ name }) => name);
    const known = contexts.length === 0 ? 'it has no contexts' : `its contexts are ${contexts.join(', ')}`;
    throw new KubeConfigError(`${source}: the current context ${JSON.stringify(context)} names no cluster; ${known}`);
  }
  if (!/^https?:/.test(cluster.server) || !URL.canParse(cluster.server)) {
    const { name, server } = cluster;
    throw new KubeConfigError(`${source}: the server of cluster ${name} is not an http or https URL: ${server}`);
  }
  if (config.getCurrentUser() === null) {
    throw new KubeConfigError(`${source}: the current context ${config.getCurrentContext()} names no user`);
  }
  if (cluster.proxyUrl !== undefined && !/^https?:/.test(cluster.proxyUrl)) {
    throw new KubeConfigError(`${source}: only http and https proxies are supported, not ${cluster.proxyUrl}`);
  }
  if (cluster.server.startsWith('http:') && !cluster.skipTLSVerify) {
    throw new KubeConfigError(
      `${source}: ${cluster.server} is not encrypted; set insecure-skip-tls-verify to allow it`,
    );
  }
}
