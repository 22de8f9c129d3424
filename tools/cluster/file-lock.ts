import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

/** A lock held by this process. */
export interface FileLock {
  release(): void;
}

const busy = 5;
const pollMilliseconds = 200;

/**
 * Takes an exclusive lock on a file, or returns undefined when another process (or this one) holds it. The operating
 * system drops the lock when its owner dies, so a dead owner blocks nobody and there is no stale lock to clean up. That
 * is why the file is an empty SQLite database: Node offers no other way to lock a file.
 *
 * @throws Error when the file cannot be written.
 */
export function tryLock(path: string): FileLock | undefined {
  mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === busy) return undefined;
    throw error;
  }
  return {
    release: () => {
      if (database.isOpen) database.close();
    },
  };
}

/** Waits until the lock is free, and takes it. `onWait` is called once if there is something to wait for. */
export async function lock(path: string, onWait: () => void, signal?: AbortSignal): Promise<FileLock> {
  for (let waited = false; ; waited = true) {
    const held = tryLock(path);
    if (held !== undefined) return held;
    if (!waited) onWait();
    await sleep(pollMilliseconds, undefined, signal === undefined ? {} : { signal });
  }
}
