import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { after, describe, it } from 'node:test';

import { compile } from './compile.ts';

const scratch = mkdtempSync(join(tmpdir(), 'moa-compile-'));
after(() => rmSync(scratch, { recursive: true }));

/** Compiles sources, given by path, from `main.ts` on. */
function compiled(name: string, sources: Readonly<Record<string, string>>) {
  const root = join(scratch, name, 'src');
  const out = join(scratch, name, 'dist');
  for (const [path, text] of Object.entries({ '../package.json': '{"type":"module"}', ...sources })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const run = (folder: string, main: string) => {
    const { stdout, stderr } = spawnSync(process.execPath, [join(folder, main)], { encoding: 'utf8' });
    return stdout + stderr;
  };
  return { root, out, run, list: compile({ mains: ['main.ts'], root, out }) };
}

describe('compiled sources', () => {
  it('do the same, with imports, re-exports, dynamic imports and worker threads', () => {
    const { out, run, list } = compiled('whole', {
      'main.ts': [
        `import { Worker } from 'node:worker_threads';`,
        `import { double, type Count } from './math/index.ts';`,
        `const two: Count = double(1);`,
        `const { word } = await import('./word.ts');`,
        `const worker = new Worker(new URL('thread.ts', import.meta.url));`,
        `worker.on('message', (answer: string) => console.log(two satisfies number, word, answer));`,
      ].join('\n'),
      'math/index.ts': `export { double } from './double.ts';\nexport type { Count } from './count.ts';\n`,
      'math/double.ts': `import type { Count } from './count.ts';\nexport const double = (n: Count): Count => 2 * n;\n`,
      'math/count.ts': `export type Count = number;\n`,
      'word.ts': `export const word = 'said' as const;\n`,
      'thread.ts': `import { parentPort } from 'node:worker_threads';\nparentPort!.postMessage('from the thread');\n`,
      'main.test.ts': `throw new Error('not of the program');\n`,
    });
    assert.equal(run(out, 'main.js'), '2 said from the thread\n');
    assert.deepEqual(list, ['main.ts', 'math/double.ts', 'math/index.ts', 'thread.ts', 'word.ts']);
    assert.ok(!existsSync(join(out, 'main.test.js')));
  });

  it('fail at the line and column of the source', () => {
    const { root, out, run } = compiled('trace', {
      'main.ts': [
        `import type { Boat } from './boat.ts';`,
        `interface Ferry extends Boat {`,
        `  readonly cars: number;`,
        `}`,
        `const sink = (ferry: Ferry): never => { throw new Error(\`\${ferry.cars} cars\`); };`,
        `sink({ cars: 3 } as Ferry);`,
      ].join('\n'),
      'boat.ts': `export type Boat = object;\n`,
    });
    const place = /main\.[jt]s:(\d+:\d+)/g;
    const from = (text: string) => [...text.matchAll(place)].map(([, at]) => at);
    const trace = from(run(out, 'main.js'));
    assert.ok(trace.includes('6:1'), `${trace.join()} names the call`);
    assert.deepEqual(trace, from(run(root, 'main.ts')));
  });

  it('keep a quoted path that names no source', () => {
    const { out, list } = compiled('quoted', { 'main.ts': `export const example = 'some/where.ts';\n` });
    assert.equal(readFileSync(join(out, 'main.js'), 'utf8'), `export const example = 'some/where.ts';\n`);
    assert.deepEqual(list, ['main.ts']);
  });

  it('are all in one folder: an import of a source outside is refused', () => {
    const sources = { 'main.ts': `import '../tools/x.ts';\n`, '../tools/x.ts': 'export {};\n' };
    assert.throws(() => compiled('outside', sources), /tools\/x\.ts lies outside .*src$/);
  });
});
