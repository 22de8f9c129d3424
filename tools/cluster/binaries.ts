import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { goBuild } from './go-build.ts';
import { lock } from './file-lock.ts';
import type { BuildProgress } from './progress.ts';

/** Programs that the local control plane, the tests and the benchmarks run, and the Go package that each is built from. */
const packages = {
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
  kwok: 'sigs.k8s.io/kwok/cmd/kwok',
  kubectl: 'k8s.io/kubernetes/cmd/kubectl',
  'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
  promtool: 'github.com/prometheus/prometheus/cmd/promtool',
} as const;

/** A program that {@link ensureBinaries} can provide. */
export type BinaryName = keyof typeof packages;

/** Where things are looked for. Every field has a default; tests give their own. */
export interface BinaryOptions {
  /** The directory of the go.mod that pins the versions. Default: tools/control-plane of this checkout. */
  readonly moduleDir?: string;
  /** Default: the environment of this process. `KUBEBUILDER_ASSETS`, `XDG_CACHE_HOME`, `HOME` and `PATH` count. */
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

const pinnedModule = fileURLToPath(new URL('../control-plane', import.meta.url));

/**
 * Paths of the named programs: those that the directory `KUBEBUILDER_ASSETS` holds come from there, all others are
 * built once from the pinned Go modules into a cache of this user. A finished program is kept when the next one is
 * interrupted, and a second run at the same time waits for the first.
 *
 * @throws Error when a program has to be built and Go is missing, or when its build fails; the message says what to do.
 */
export async function ensureBinaries<Name extends BinaryName>(
  names: readonly Name[],
  progress: (event: BuildProgress) => void,
  options: BinaryOptions = {},
): Promise<Readonly<Record<Name, string>>> {
  const env = options.env ?? process.env;
  const moduleDir = options.moduleDir ?? pinnedModule;
  const paths: Partial<Record<Name, string>> = {};
  const missing: Name[] = [];
  const assets = env['KUBEBUILDER_ASSETS'];
  const cache = cacheDirectory(moduleDir, env);
  for (const name of new Set(names)) {
    const found = [assets, cache].filter((directory) => directory !== undefined && directory !== '');
    const path = found.map((directory) => join(directory!, name)).find(isExecutable);
    if (path === undefined) missing.push(name);
    else paths[name] = path;
  }
  if (missing.length > 0) await buildAll(missing, { moduleDir, cache, env, progress, signal: options.signal });
  for (const name of missing) paths[name] = join(cache, name);
  return paths as Record<Name, string>;
}

interface BuildAll {
  readonly moduleDir: string;
  readonly cache: string;
  readonly env: NodeJS.ProcessEnv;
  readonly progress: (event: BuildProgress) => void;
  readonly signal: AbortSignal | undefined;
}

async function buildAll(names: readonly BinaryName[], build: BuildAll): Promise<void> {
  const { cache, env, progress, signal } = build;
  if (!onPath('go', env)) throw new Error(howToGetBinaries(names, env));
  const held = await lock(join(cache, 'lock'), () => progress({ kind: 'waiting', directory: cache }), signal);
  try {
    // What an earlier, interrupted run left half written. The lock says that nobody is writing now.
    for (const file of readdirSync(cache)) if (file.endsWith(partial)) rmSync(join(cache, file), { force: true });
    const todo = names.filter((name) => !isExecutable(join(cache, name)));
    for (const [index, name] of todo.entries()) {
      const output = join(cache, name + partial);
      const position = { name, number: index + 1, of: todo.length };
      await goBuild({
        moduleDir: build.moduleDir,
        package: packages[name],
        linkerFlags: linkerFlags(build.moduleDir),
        output,
        env,
        signal,
        progress: (step) => progress({ ...position, ...step }),
      });
      renameSync(output, join(cache, name));
    }
  } finally {
    held.release();
  }
}

const partial = '.partial';

/** The cache of one set of versions: other versions, flags or platforms have another one. */
function cacheDirectory(moduleDir: string, env: NodeJS.ProcessEnv): string {
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
  return directory;
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
