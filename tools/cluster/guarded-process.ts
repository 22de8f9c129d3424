import { spawn, type StdioOptions } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

/** How a process ended: by exit code, or by signal. */
export interface ProcessExit {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

/** A child process that cannot outlive this one. */
export interface GuardedProcess {
  readonly pid: number;
  /** Resolves when the process has ended, however it ended; never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** The child's output where it was asked for with `pipe`. */
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  /** Sends a signal to the process and to what it started. Does nothing once it has ended. */
  kill(signal: NodeJS.Signals): void;
}

/** Options of {@link spawnGuarded}. */
export interface GuardedSpawnOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** A file descriptor or `pipe`, for standard output and standard error each. */
  readonly output: { readonly stdout: number | 'pipe' | 'ignore'; readonly stderr: number | 'pipe' | 'ignore' };
}

/*
 * The shell becomes the program (exec), so that its pid is ours to signal. Before that it leaves a guard behind, which
 * reads descriptor 3: a pipe whose other end only this process holds. A line on it means that the program has ended and
 * the guard may go. End of file without a line means that this process died, by kill -9 too: the guard then kills the
 * program's whole process group, itself included.
 */
const script = `
(trap '' INT TERM HUP; read -r word <&3 || kill -s KILL -- "-$$") >/dev/null 2>&1 &
exec "$@" 3<&-
`;

/**
 * Starts a program that ends when this process ends, even by kill -9. It runs in a session of its own, so that Ctrl-C in
 * a terminal reaches this process only and the order of shutdown stays ours.
 *
 * @throws Error when no shell can be started. A program that does not exist ends with code 126 or 127.
 */
export function spawnGuarded(program: string, args: readonly string[], options: GuardedSpawnOptions): GuardedProcess {
  const stdio: StdioOptions = ['ignore', options.output.stdout, options.output.stderr, 'pipe'];
  const child = spawn('/bin/sh', ['-c', script, 'guard', program, ...args], {
    stdio,
    detached: true,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`cannot start ${program}: /bin/sh could not be run`);
  const leash = child.stdio[3] as Writable;
  // The guard may be gone already when the group was killed.
  leash.on('error', () => undefined);
  let ended = false;
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = true;
      leash.end('ended\n');
      resolve({ code: code ?? undefined, signal: signal ?? undefined });
    });
  });
  return {
    pid,
    exited,
    stdout: child.stdout ?? undefined,
    stderr: child.stderr ?? undefined,
    kill: (signal) => {
      if (ended) return;
      // To the group: the guard ignores every signal but SIGKILL, which takes it along with the program.
      process.kill(-pid, signal);
    },
  };
}
