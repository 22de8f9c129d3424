import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

import { lock, tryLock } from './file-lock.ts';

describe('a file lock', () => {
  const directory = mkdtempSync(join(tmpdir(), 'moa-lock-'));
  after(() => rmSync(directory, { recursive: true }));

  /** A process that takes a lock, says so, and then does nothing more. */
  const holder = async (path: string) => {
    const source = `
      import { tryLock } from ${JSON.stringify(new URL('./file-lock.ts', import.meta.url).href)};
      console.log(tryLock(${JSON.stringify(path)}) === undefined ? 'refused' : 'held');
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [answer] = (await once(child.stdout, 'data')) as [Buffer];
    return { child, answer: answer.toString().trim() };
  };

  test('is refused while it is held, and free again after its release', () => {
    const path = join(directory, 'nested', 'one');
    const first = tryLock(path);
    assert.notEqual(first, undefined);
    assert.equal(tryLock(path), undefined);
    first?.release();
    const second = tryLock(path);
    assert.notEqual(second, undefined);
    second?.release();
  });

  test('of another process is refused, and free as soon as that process is killed', async () => {
    const path = join(directory, 'two');
    const { child, answer } = await holder(path);
    assert.equal(answer, 'held');
    assert.equal(tryLock(path), undefined);
    let waits = 0;
    const taken = lock(path, () => (waits += 1));
    child.kill('SIGKILL');
    (await taken).release();
    assert.equal(waits, 1);
  });

  test('is no longer waited for when the signal says so', async () => {
    const path = join(directory, 'three');
    const held = tryLock(path);
    const stop = new AbortController();
    const waiting = lock(path, () => stop.abort(), stop.signal);
    await assert.rejects(waiting, { name: 'AbortError' });
    held?.release();
  });
});
