import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

import { claimDataDir, liveTemporaryDirs, ownerOf } from './data-dir.ts';

describe('a data directory', () => {
  const root = mkdtempSync(join(tmpdir(), 'moa-data-'));
  after(() => rmSync(root, { recursive: true }));

  test('is refused while someone has it, naming the process, and free after its release', () => {
    const path = join(root, 'one');
    const first = claimDataDir(path);
    assert.throws(
      () => claimDataDir(path),
      new RegExp(`running on ${path} \\(process ${process.pid}, .*down --data ${path}`),
    );
    assert.equal(ownerOf(path)?.pid, process.pid);
    first.release();
    assert.equal(ownerOf(path), undefined);
    claimDataDir(path).release();
  });

  test('remembers its port and is kept', () => {
    const path = join(root, 'two');
    const first = claimDataDir(path);
    assert.equal(first.lastPort, undefined);
    first.announcePort(12345);
    first.release();
    const second = claimDataDir(path);
    assert.equal(second.lastPort, 12345);
    assert.equal(second.temporary, false);
    second.release();
  });

  test('that is temporary is found by the script that made it and removed at its release', () => {
    const directory = claimDataDir(undefined);
    assert.ok(liveTemporaryDirs(process.argv[1] ?? '').includes(directory.path));
    assert.ok(!liveTemporaryDirs('/another/script.ts').includes(directory.path));
    directory.release();
    assert.equal(existsSync(directory.path), false);
  });

  test('has no owner where nobody ever was', () => {
    assert.equal(ownerOf(join(root, 'nowhere')), undefined);
    assert.equal(existsSync(join(root, 'nowhere')), false);
  });
});
