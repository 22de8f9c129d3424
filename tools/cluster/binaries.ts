import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { goBuild } from './go-build.ts';
import { lock } from './file-lock.ts';
import type { BuildProgress } from './progress.ts';

/**
 * Programs that the local control plane, the tests and the benchmarks run, by the Go module that pins their versions,
 * and the package that each is built from. Two modules, because Helm asks for other versions of the Kubernetes libraries.
 */
const modules = {
  'control-plane': {
    etcd: 'go.etcd.io/etcd/server/v3',
    'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
    'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
    kwok: 'sigs.k8s.io/kwok/cmd/kwok',
    kubectl: 'k8s.io/kubernetes/cmd/kubectl',
    'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
    promtool: 'github.com/prometheus/prometheus/cmd/promtool',
  },
  deployment: {
    helm: 'helm.sh/helm/v4/cmd/helm',
    prometheus: 'github.com/prometheus/prometheus/cmd/prometheus',
  },
} as const;

/** A program that {@link ensureBinaries} can provide. */
export type BinaryName = { [M in keyof typeof modules]: keyof (typeof modules)[M] }[keyof typeof modules];

/** Where things are looked for. Every field has a default; tests give their own. */
export interface BinaryOptions<Optional extends BinaryName> {
  /** Holds a folder for each Go module that pins versions. Default: tools/ of this checkout. */
  readonly modulesDir?: string;
  /** Default: the environment of this process. `KUBEBUILDER_ASSETS`, `XDG_CACHE_HOME`, `HOME` and `PATH` count. */
  readonly env?: NodeJS.ProcessEnv;
  /** Programs that are left out, instead of an error, when they are missing and there is no Go to build them with. */
  readonly optional?: readonly Optional[];
  readonly signal?: AbortSignal | undefined;
}

const pinnedModules = fileURLToPath(new URL('..', import.meta.url));

/**
 * Paths of the named programs: those that the directory `KUBEBUILDER_ASSETS` holds come from there, all others are
 * built once from the pinned Go modules into a cache of this user. A finished program is kept when the next one is
 * interrupted, and a second run at the same time waits for the first.
 *
 * @throws Error when a program has to be built and Go is missing, or when its build fails; the message says what to do.
 */
export async function ensureBinaries<Name extends BinaryName, Optional extends BinaryName = never>(
  names: readonly Name[],
  progress: (event: BuildProgress) => void,
  options: BinaryOptions<Optional> = {},
): Promise<Readonly<Record<Name, string> & Partial<Record<Optional, string>>>> {
  const { modulesDir = pinnedModules, env = process.env, optional = [], signal } = options;
  const caches = new Map<string, Cache>();
  const sourceOf = (name: BinaryName): Source => {
    const { module, package: path } = originOf(name);
    let cache = caches.get(module);
    if (cache === undefined) caches.set(module, (cache = cacheFor(join(modulesDir, module), env)));
    return { name, package: path, cache };
  };
  const assets = env['KUBEBUILDER_ASSETS'];
  const find = (name: BinaryName) =>
    [...(assets === undefined || assets === '' ? [] : [assets]), sourceOf(name).cache.directory]
      .map((place) => join(place, name))
      .find(isExecutable);

  const hasGo = onPath('go', env);
  const wanted: BinaryName[] = [...new Set([...names, ...(hasGo ? optional : [])])];
  const missing = wanted.filter((name) => find(name) === undefined);
  if (missing.length > 0 && !hasGo) throw new Error(howToGetBinaries(missing, env));
  for (const [cache, sources] of Map.groupBy(missing.map(sourceOf), (source) => source.cache))
    await buildAll(sources, { cache, env, progress, signal });

  const found = [...wanted, ...optional].flatMap((name) => {
    const path = find(name);
    return path === undefined ? [] : [[name, path] as const];
  });
  return Object.fromEntries(found) as Record<Name, string> & Partial<Record<Optional, string>>;
}

/** Where the programs of one module go once they are built. */
interface Cache {
  readonly moduleDir: string;
  readonly directory: string;
}

interface Source {
  readonly name: BinaryName;
  readonly package: string;
  readonly cache: Cache;
}

function originOf(name: BinaryName): { readonly module: string; readonly package: string } {
  for (const [module, packages] of Object.entries<Readonly<Record<string, string>>>(modules)) {
    const path = packages[name];
    if (path !== undefined) return { module, package: path };
  }
  throw new Error(`no Go module builds ${name}`);
}

interface BuildAll {
  readonly cache: Cache;
  readonly env: NodeJS.ProcessEnv;
  readonly progress: (event: BuildProgress) => void;
  readonly signal: AbortSignal | undefined;
}

async function buildAll(sources: readonly Source[], build: BuildAll): Promise<void> {
  const { env, progress, signal } = build;
  const { moduleDir, directory } = build.cache;
  const held = await lock(join(directory, 'lock'), () => progress({ kind: 'waiting', directory }), signal);
  try {
    // What an earlier, interrupted run left half written. The lock says that nobody is writing now.
    for (const file of readdirSync(directory))
      if (file.endsWith(partial)) rmSync(join(directory, file), { force: true });
    const todo = sources.filter(({ name }) => !isExecutable(join(directory, name)));
    for (const [index, { name, package: path }] of todo.entries()) {
      const output = join(directory, name + partial);
      const position = { name, number: index + 1, of: todo.length };
      await goBuild({
        moduleDir,
        package: path,
        linkerFlags: linkerFlags(moduleDir),
        output,
        env,
        signal,
        progress: (step) => progress({ ...position, ...step }),
      });
      renameSync(output, join(directory, name));
    }
  } finally {
    held.release();
  }
}

const partial = '.partial';

/** The cache of one set of versions: other versions, flags or platforms have another one. */
function cacheFor(moduleDir: string, env: NodeJS.ProcessEnv): Cache {
  const key = createHash('sha256');
  for (const file of ['go.mod', 'go.sum']) {
    const path = join(moduleDir, file);
    if (existsSync(path)) key.update(readFileSync(path));
    key.update('\0');
  }
  key.update([linkerFlags(moduleDir), process.platform, process.arch].join('\0'));
  const root = env['XDG_CACHE_HOME'];
  const base = root === undefined || root === '' ? join(env['HOME'] ?? homedir(), '.cache') : root;
  const directory = join(base, 'moa', 'control-plane', key.digest('hex').slice(0, 16));
  mkdirSync(directory, { recursive: true });
  return { moduleDir, directory };
}

/**
 * Strips symbols, and stamps the Kubernetes version: without it kubectl, Helm and others cannot parse what the server
 * reports as its version.
 */
function linkerFlags(moduleDir: string): string {
  const goMod = readFileSync(join(moduleDir, 'go.mod'), 'utf8');
  const [, version, major, minor] = /\sk8s\.io\/kubernetes (v(\d+)\.(\d+)\.\S+)/.exec(goMod) ?? [];
  if (version === undefined) return '-s -w';
  const stamp = 'k8s.io/component-base/version';
  return `-s -w -X ${stamp}.gitVersion=${version} -X ${stamp}.gitMajor=${major!} -X ${stamp}.gitMinor=${minor!}`;
}

function howToGetBinaries(names: readonly string[], env: NodeJS.ProcessEnv): string {
  const assets = env['KUBEBUILDER_ASSETS'];
  const looked =
    assets === undefined || assets === ''
      ? 'KUBEBUILDER_ASSETS is not set'
      : `KUBEBUILDER_ASSETS (${assets}) does not hold ${names.length === 1 ? 'it' : 'them'}`;
  return (
    `The local control plane needs ${names.join(', ')}. Go, to build ${names.length === 1 ? 'it' : 'them'}, ` +
    `is not on PATH, and ${looked}. Install Go 1.21 or later (https://go.dev/doc/install), ` +
    `or set KUBEBUILDER_ASSETS to a directory that holds ${names.join(', ')}.`
  );
}

function onPath(program: string, env: NodeJS.ProcessEnv): boolean {
  return (env['PATH'] ?? '')
    .split(delimiter)
    .some((directory) => directory !== '' && isExecutable(join(directory, program)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
