import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

/** Runs the test runner on a directory of the given files. */
async function runOn(
  files: Record<string, string>,
  ...args: string[]
): Promise<{ code: number | null; output: string }> {
  const root = mkdtempSync(join(tmpdir(), 'moa-test-'));
  try {
    for (const [name, source] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), source);
    }
    // The variable tells node:test that it runs inside of itself.
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
    const child = spawn(process.execPath, [main, ...args], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return { code, output: chunks.join('') };
  } finally {
    rmSync(root, { recursive: true });
  }
}

const lastLine = (output: string) => output.trimEnd().split('\n').at(-1);
const head = "import { test, describe, before } from 'node:test'; import assert from 'node:assert/strict';";
const good = `${head} test('good', () => {});`;

describe('npm test', { concurrency: 2 }, () => {
  test('runs the tests of all folders and ends with their number', async () => {
    const { code, output } = await runOn({
      'src/a.test.ts': good,
      'src/deep/b.test.ts': `${head} describe('suite', () => { test('one', () => {}); test('two', () => {}); });`,
      'tools/c.test.ts': good,
      'src/not-a-test.ts': 'throw new Error("must not run")',
    });
    assert.equal(lastLine(output), '4 passed, 0 failed');
    assert.equal(code, 0);
  });

  test('prints a failure in full, with the names around it and what the file printed', async () => {
    const { code, output } = await runOn({
      'src/a.test.ts': `${head} console.log('a trace'); describe('outer', () => { describe('inner', () => {
        test('bad', () => assert.deepEqual({ a: 1 }, { a: 2 })); test('good', () => {}); }); });`,
    });
    assert.match(output, /FAIL src\/a\.test\.ts > outer > inner > bad\n/);
    assert.match(output, /\+ {3}a: 1\n.*- {3}a: 2/);
    assert.match(output, /Output of src\/a\.test\.ts:\n {2}a trace/);
    assert.equal(lastLine(output), '1 passed, 1 failed');
    assert.equal(code, 1);
  });

  test('says why a test was skipped', async () => {
    const { code, output } = await runOn({
      'src/a.test.ts': `${good} test('later', { skip: 'the trace is not here' }, () => {});`,
    });
    assert.match(output, /Skipped:\n {2}src\/a\.test\.ts > later: the trace is not here\n/);
    assert.equal(lastLine(output), '1 passed, 0 failed, 1 skipped');
    assert.equal(code, 0);
  });

  const failures: Record<string, { source: string; want: RegExp; last: string }> = {
    'a file that cannot be loaded fails, with its own message': {
      source: 'throw new Error("broken at load");',
      want: /FAIL src\/a\.test\.ts\n[^]*broken at load/,
      last: '0 passed, 1 failed',
    },
    'a file without a test fails': {
      source: '',
      want: /FAIL src\/a\.test\.ts\n {2}the file holds no test/,
      last: '0 passed, 1 failed',
    },
    'a hook that fails is shown beside the tests that it kept from running': {
      source: `${head} describe('suite', () => { before(() => { throw new Error('hook broke'); }); test('never', () => {}); });`,
      want: /FAIL src\/a\.test\.ts > suite\n[^]*hook broke/,
      last: '0 passed, 2 failed',
    },
    'nothing but skipped tests is not a success': {
      source: `${head} test('later', { skip: true }, () => {});`,
      want: /later: no reason given/,
      last: '0 passed, 0 failed, 1 skipped',
    },
  };
  for (const [rule, { source, want, last }] of Object.entries(failures)) {
    test(rule, async () => {
      const { code, output } = await runOn({ 'src/a.test.ts': source });
      assert.match(output, want);
      assert.equal(lastLine(output), last);
      assert.equal(code, 1);
    });
  }

  test('runs only the files whose path contains an argument', async () => {
    const { output } = await runOn({ 'src/a.test.ts': good, 'src/b.test.ts': good }, 'b.test');
    assert.equal(lastLine(output), '1 passed, 0 failed');
  });

  test('an argument that matches no file is named', async () => {
    const { code, output } = await runOn({ 'src/a.test.ts': good }, 'nowhere');
    assert.match(output, /no test file's path contains "nowhere"/);
    assert.equal(code, 2);
  });

  test('an unknown flag is named', async () => {
    const { code, output } = await runOn({ 'src/a.test.ts': good }, '--watch');
    assert.match(output, /no flag --watch/);
    assert.equal(code, 2);
  });

  test('without any test file the run fails', async () => {
    const { code, output } = await runOn({});
    assert.equal(lastLine(output), '0 passed, 0 failed');
    assert.equal(code, 1);
  });
});
