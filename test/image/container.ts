import { mkdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

import { spawnGuarded } from '../../tools/cluster/index.ts';
import type { ImageConfig } from './buildah.ts';

/** How to run an image, as a kubelet would with `readOnlyRootFilesystem` and without privileges. */
export interface ContainerOptions {
  /** Its unpacked file system. */
  readonly root: string;
  readonly image: ImageConfig;
  /** Arguments for the image's entrypoint. */
  readonly args: readonly string[];
  /** Runs this in place of the image's entrypoint. */
  readonly entrypoint?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly mounts?: readonly Mount[];
}

/** A folder of this machine that the container sees. */
export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly writable?: boolean;
}

/** A running container. */
export interface Container {
  /** What it has printed so far, on both streams. */
  output(): string;
  /** Resolves with the exit code once it has ended; undefined when a signal ended it. */
  readonly exited: Promise<number | undefined>;
  /** Processor time that its program has used since it started. */
  processorSeconds(): number;
  kill(signal: NodeJS.Signals): void;
}

/*
 * What a container runtime does, by the programs of util-linux; runtimes themselves want cgroups of their own, which a
 * machine for tests may not give away. Mounts are in a namespace of their own and end with it.
 */
const script = `
set -eu
root=$1 user=$2 folder=$3; shift 3
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount --rbind /dev "$root/dev"
while [ "$1" != -- ]; do
  mount --bind "$1" "$root$2"
  [ "$3" = rw ] || mount -o remount,bind,ro "$root$2"
  shift 3
done
shift
mount -o remount,bind,ro "$root"
exec setpriv --no-new-privs unshare --root="$root" --wd="$folder" --setgid="\${user#*:}" --setuid="\${user%:*}" "$@"
`;

/** Starts a container: the image's user and environment, a read-only root, a process table and mounts of its own. */
export function runContainer(options: ContainerOptions): Container {
  const { root, image, args, entrypoint = image.Entrypoint, env = {}, mounts = [] } = options;
  for (const { target } of mounts) mkdirSync(join(root, target), { recursive: true });
  const chunks: string[] = [];
  const child = spawnGuarded(
    'unshare',
    [
      ...['--mount', '--pid', '--ipc', '--uts', '--fork', '--kill-child', '/bin/sh', '-c', script, 'container'],
      ...[root, image.User, image.WorkingDir],
      ...mounts.flatMap(({ source, target, writable = false }) => [source, target, writable ? 'rw' : 'ro']),
      ...['--', ...entrypoint, ...args],
    ],
    { output: { stdout: 'pipe', stderr: 'pipe' }, env: { ...Object.fromEntries(image.Env.map(entryOf)), ...env } },
  );
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => chunks.push(text));
  return {
    output: () => chunks.join(''),
    exited: child.exited.then(({ code }) => code),
    processorSeconds: () => processorSeconds(child.pid, entrypoint[0] ?? ''),
    kill: (signal) => child.kill(signal),
  };
}

/** Ticks of the processor time in /proc, a second: the kernel's promise to programs, on every machine. */
const ticks = 100;

/** Of the child that runs `program`: user and system time, fields 14 and 15 of /proc/PID/stat. */
function processorSeconds(parent: number, program: string): number {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ');
  const pid = children.find((each) => readlinkSync(`/proc/${each}/exe`).endsWith(program));
  if (pid === undefined) throw new Error(`${program} does not run`);
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticks;
}

function entryOf(variable: string): [name: string, value: string] {
  const [name = '', ...value] = variable.split('=');
  return [name, value.join('=')];
}
