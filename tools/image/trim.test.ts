import assert from 'node:assert/strict';
import { globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { it } from 'node:test';

import { trim } from './trim.ts';

it('packages lose TypeScript and source maps, at any depth, and nothing else', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'moa-trim-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const kept = [
    'a/LICENSE',
    'a/index.js',
    'a/map.json',
    'a/package.json',
    'b/c/ts.mjs',
    'b/node_modules/d/x.cjs',
    'e.ts.js',
  ];
  const gone = ['a/index.d.ts', 'a/index.js.map', 'b/c/ts.d.mts', 'b/node_modules/d/x.d.cts', 'b/src/x.ts'];
  for (const file of [...kept, ...gone]) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), '');
  }
  assert.deepEqual(trim(directory).sort(), gone);
  const files = globSync('**', { cwd: directory, withFileTypes: true }).filter((entry) => entry.isFile());
  assert.equal(files.length, kept.length);
});
