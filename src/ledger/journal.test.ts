import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';

import { Journal } from './journal.ts';

let folder: string;
let path: string;
let files = 0;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'moa-journal-'));
});
after(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  path = join(folder, String((files += 1)));
});

/** Takes everything off the journal. */
async function drain(journal: Journal): Promise<string[]> {
  const lines: string[] = [];
  for (let chunk = await journal.first(); chunk !== undefined; chunk = await journal.first()) {
    lines.push(...chunk.lines);
    journal.drop(chunk);
  }
  return lines;
}

describe('the journal', () => {
  it('gives back what was added, in order, and is empty afterwards', async () => {
    const journal = new Journal(path);
    journal.append(['one', 'two']);
    journal.append(['drei — 셋']);
    assert.deepEqual(await drain(journal), ['one', 'two', 'drei — 셋']);
    assert.equal(journal.bytes, 0);
    assert.equal(readFileSync(path, 'utf8'), '');
    assert.equal(await journal.first(), undefined);
    journal.close();
  });

  it('what was not dropped is there for the next process', async () => {
    const journal = new Journal(path);
    journal.append(['one', 'two']);
    assert.deepEqual((await journal.first())?.lines, ['one', 'two']);
    journal.append(['three']);
    journal.close();
    const next = new Journal(path);
    assert.deepEqual(await drain(next), ['one', 'two', 'three']);
    next.close();
  });

  it('what is added while a chunk is under way comes after it', async () => {
    const journal = new Journal(path);
    journal.append(['one']);
    const chunk = (await journal.first())!;
    journal.append(['two']);
    journal.drop(chunk);
    assert.deepEqual(await drain(journal), ['two']);
    journal.close();
  });

  it('half a line that a dying process left is cut off', async () => {
    for (const [text, want] of [
      ['one\ntw', ['one']],
      ['tw', []],
      [`one\n${'x'.repeat(200_000)}`, ['one']],
    ] as const) {
      path = join(folder, String((files += 1)));
      appendFileSync(path, text);
      const journal = new Journal(path);
      journal.append(['next']);
      assert.deepEqual(await drain(journal), [...want, 'next']);
      journal.close();
    }
  });

  it('more than fits in a chunk comes in several, at borders of lines', async () => {
    const journal = new Journal(path);
    const lines = Array.from({ length: 5000 }, (_, i) => `${i} ${'ü'.repeat(200)}`);
    journal.append(lines);
    assert.ok((await journal.first())!.lines.length < lines.length);
    assert.deepEqual(await drain(journal), lines);
    journal.close();
  });

  it('what the disk does not take waits in memory, and says so', { skip: process.platform !== 'linux' }, async () => {
    // Every write to it fails as on a full disk.
    const journal = new Journal('/dev/full');
    journal.append(['one', 'two']);
    journal.append(['three']);
    assert.equal((journal.problem as NodeJS.ErrnoException).code, 'ENOSPC');
    assert.deepEqual(await drain(journal), ['one', 'two', 'three']);
    assert.equal(journal.bytes, 0);
  });

  it('is empty once it was cleared, for the next process too', async () => {
    const journal = new Journal(path);
    journal.append(['one', 'two']);
    journal.clear();
    assert.deepEqual(await drain(journal), []);
    journal.append(['three']);
    journal.close();
    assert.deepEqual(await drain(new Journal(path)), ['three']);
  });
});
