import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { checks, runChecks, type Check } from './checks.ts';

const check = (name: string): Check => ({ name, command: [name] });

describe('npm run check', () => {
  test('runs the checks after a failed one too, shows what it said, and fails', async () => {
    const ran: string[] = [];
    const lines: string[] = [];
    const passed = await runChecks(
      [check('one'), check('two'), check('three')],
      ({ name }) => {
        ran.push(name);
        return Promise.resolve(
          name === 'two' ? { code: 2, output: 'file.ts:1 is wrong\n' } : { code: 0, output: 'noise' },
        );
      },
      (line) => lines.push(line),
    );
    assert.equal(passed, false);
    assert.deepEqual(ran, ['one', 'two', 'three']);
    assert.match(lines.join('\n'), /^ok .* s {2}one\nFAIL .* s {2}two\n {2}file\.ts:1 is wrong\nok .* s {2}three\n/);
    assert.equal(lines.at(-1), '1 of 3 checks failed: two');
  });

  test('passes when all checks do', async () => {
    const lines: string[] = [];
    const run = () => Promise.resolve({ code: 0, output: '' });
    assert.equal(await runChecks([check('one')], run, (line) => lines.push(line)), true);
    assert.equal(lines.at(-1), '1 checks passed');
  });

  test('checks generated files where there is a generator, and mends only when asked to', () => {
    const root = mkdtempSync(join(tmpdir(), 'moa-check-'));
    const commands = (fix: boolean) => checks(root, { fix }).map(({ command }) => command.join(' '));
    try {
      assert.ok(!commands(false).some((command) => command.includes('generate')));
      mkdirSync(join(root, 'tools', 'generate'), { recursive: true });
      writeFileSync(join(root, 'tools', 'generate', 'main.ts'), '');
      assert.ok(commands(false).some((command) => command.endsWith('tools/generate/main.ts --check')));
      assert.ok(!commands(false).some((command) => /--write|--fix/.test(command)));
      assert.equal(commands(true).filter((command) => /prettier --write|eslint --fix/.test(command)).length, 2);
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
