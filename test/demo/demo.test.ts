import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import type { Summary } from '../../tools/demo/summary.ts';
import { eventually } from '../support/index.ts';

const main = fileURLToPath(new URL('../../tools/demo/main.ts', import.meta.url));
const small = ['--trace', 'sample', '--jobs', '60', '--nodes', '20'];

interface Run {
  readonly child: ReturnType<typeof spawn>;
  /** What it has printed so far, to either stream. */
  output(): string;
  /** Resolves with the exit code when it has ended and everything that it printed is known. */
  readonly code: Promise<number | null>;
}

function start(...args: string[]): Run {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  return { child, output: () => printed, code: once(child, 'close').then(([code]) => code as number | null) };
}

/** Pids of the live processes that a process started, and those that these started. */
function descendantsOf(pid: number): number[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(Number(name)) === pid)
    .map(Number);
  return [...children, ...children.flatMap(descendantsOf)];
}

/** Undefined when there is no such process, or only what is left of one that has ended. */
function parentOf(pid: number): number | undefined {
  try {
    const [state, parent] = /\) (\S) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.slice(1) ?? [];
    return state === 'Z' ? undefined : Number(parent);
  } catch {
    return undefined;
  }
}

const noProc = process.platform === 'linux' ? false : 'needs /proc to look for processes';

describe('npm run demo', { timeout: 180_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'moa-demo-'));
  const runs: Run[] = [];
  const begin = (...args: string[]) => {
    const run = start(...args);
    runs.push(run);
    return run;
  };
  after(() => {
    for (const { child } of runs) child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });

  test('replays every job, passes its own checks, and exits with 0', async () => {
    const file = join(directory, 'summary.json');
    const run = begin(...small, '--speedup', '11520', '--summary', file, '--exit');
    assert.equal(await run.code, 0, run.output());
    const summary = JSON.parse(readFileSync(file, 'utf8')) as Summary;
    const { submitted, done, failed, running, pending } = summary.jobs;
    assert.equal(submitted, 60);
    assert.equal(done + failed + running + pending, submitted);
    assert.equal(failed, 0);
    // Nearly all jobs of this day are over long before the demo is.
    assert.ok(done >= 50, `${done} of 60 are done`);
    assert.ok(summary.gpuSeconds >= done);
    assert.equal(
      summary.use.reduce((sum, { gpuSeconds }) => sum + gpuSeconds, 0),
      summary.gpuSeconds,
    );
    assert.equal(summary.use.length, 15);
    assert.deepEqual(summary.api.errors, {});
    assert.equal(summary.investment?.phase, 'Active');
    assert.ok(summary.checks.every(({ holds }) => holds));
    assert.match(run.output(), /60 submitted = \d+ done \+ 0 failed/);
  });

  test('leaves no process behind after Ctrl-C in the middle', { skip: noProc }, async () => {
    const run = begin(...small);
    await eventually(() => assert.match(run.output(), /replay \|/), { timeoutMs: 90_000 });
    const started = descendantsOf(run.child.pid!);
    // Four components, Moa, and the guard of each.
    assert.equal(started.length, 10);
    run.child.kill('SIGINT');
    assert.equal(await run.code, 130, run.output());
    await eventually(() =>
      assert.deepEqual(
        started.filter((pid) => parentOf(pid) !== undefined),
        [],
      ),
    );
  });

  const refused: Record<string, { args: string[]; want: RegExp }> = {
    'a trace that does not exist is refused': {
      args: ['--trace', join('nowhere', 'trace.csv')],
      want: /--trace nowhere\/trace\.csv: ENOENT/,
    },
    'a file that is no trace is refused, with the line': {
      args: ['--trace', main],
      want: /line 1 of the trace is not/,
    },
    'an unknown flag is refused, with help': {
      args: ['--fast'],
      want: /no flag --fast.*\nHelp: npm run demo -- --help/,
    },
  };
  for (const [rule, { args, want }] of Object.entries(refused)) {
    test(rule, async () => {
      const run = begin(...args);
      assert.equal(await run.code, 2);
      assert.match(run.output(), want);
    });
  }
});
