import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';

import { tryLock } from './file-lock.ts';

/** Who runs a control plane on a data directory. */
export interface Owner {
  readonly pid: number;
  /** Path of the script that this process runs. */
  readonly script: string;
  readonly apiServerPort: number | undefined;
}

/** A data directory that this process has for itself. */
export interface DataDir {
  readonly path: string;
  /** Removed when it is released. */
  readonly temporary: boolean;
  /** The API server's port when a control plane last ran here. Kept where possible: copied kubeconfigs stay good. */
  readonly lastPort: number | undefined;
  announcePort(port: number): void;
  release(): void;
}

const temporaryPrefix = 'moa-cluster-';

/**
 * Takes a data directory, or a temporary one when no path is given.
 *
 * @throws Error when a live process has it; the message names that process and how to stop it.
 */
export function claimDataDir(path: string | undefined): DataDir {
  const temporary = path === undefined;
  const directory = temporary ? mkdtempSync(join(tmpdir(), temporaryPrefix)) : resolve(path);
  if (temporary) sweepTemporary(directory);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const lock = tryLock(lockOf(directory));
  if (lock === undefined) {
    const owner = readOwner(directory);
    const who = owner === undefined ? 'another process' : `process ${owner.pid}, ${owner.script}`;
    throw new Error(
      `A control plane is running on ${directory} (${who}). ` +
        `Stop it with: npm run cluster -- down --data ${directory}; or give another directory with --data.`,
    );
  }
  const lastPort = readOwner(directory)?.apiServerPort;
  const announcePort = (apiServerPort: number | undefined) => {
    const owner: Owner = { pid: process.pid, script: process.argv[1] ?? '', apiServerPort };
    writeFileSync(ownerFile(directory), JSON.stringify(owner) + '\n');
  };
  // At once: whoever finds the lock taken reads this file.
  announcePort(lastPort);
  return {
    path: directory,
    temporary,
    lastPort,
    announcePort,
    release: () => {
      if (temporary) rmSync(directory, { recursive: true, force: true });
      lock.release();
    },
  };
}

/** The live owner of a data directory; undefined when nobody runs on it. */
export function ownerOf(directory: string): Owner | undefined {
  const owner = readOwner(directory);
  if (owner === undefined) return undefined;
  const lock = tryLock(lockOf(directory));
  lock?.release();
  return lock === undefined ? owner : undefined;
}

/** Temporary data directories of this user on which a process runs this script. */
export function liveTemporaryDirs(script: string): string[] {
  return temporaryDirs().filter((directory) => ownerOf(directory)?.script === script);
}

/** Removes what a killed process left behind. Its children ended with it. */
function sweepTemporary(except: string): void {
  for (const directory of temporaryDirs()) {
    if (directory === except) continue;
    // A directory without an owner file is just being set up, unless it is old.
    const settled = readOwner(directory) !== undefined || Date.now() - statSync(directory).mtimeMs > 60_000;
    if (settled && ownerOf(directory) === undefined) rmSync(directory, { recursive: true, force: true });
  }
}

function temporaryDirs(): string[] {
  const uid = process.getuid?.();
  return readdirSync(tmpdir())
    .filter((name) => name.startsWith(temporaryPrefix))
    .map((name) => join(tmpdir(), name))
    .filter((directory) => statSync(directory, { throwIfNoEntry: false })?.uid === uid);
}

const lockOf = (directory: string) => join(directory, 'lock');
const ownerFile = (directory: string) => join(directory, 'owner.json');

function readOwner(directory: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(ownerFile(directory), 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}
