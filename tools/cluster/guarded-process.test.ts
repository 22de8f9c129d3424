import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { spawnGuarded } from './guarded-process.ts';

const quiet = { output: { stdout: 'ignore', stderr: 'ignore' } } as const;

const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const untilGone = async (pids: readonly number[]) => {
  const deadline = Date.now() + 5000;
  while (pids.some(alive)) {
    assert.ok(Date.now() < deadline, `processes ${pids.filter(alive).join(', ')} are still there`);
    await sleep(20);
  }
};

describe('a guarded process', () => {
  test('reports its exit code', async () => {
    assert.deepEqual(await spawnGuarded('sh', ['-c', 'exit 3'], quiet).exited, { code: 3, signal: undefined });
  });

  test('reports the signal that ended it', async () => {
    const child = spawnGuarded('sleep', ['60'], quiet);
    child.kill('SIGTERM');
    assert.deepEqual(await child.exited, { code: undefined, signal: 'SIGTERM' });
  });

  test('has the pid of the program itself, and leaves no guard behind when it ends', async () => {
    const child = spawnGuarded('sh', ['-c', 'sleep 0.3; echo $$'], { output: { stdout: 'pipe', stderr: 'ignore' } });
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await child.exited;
    await sleep(50);
    assert.equal(text.trim(), String(child.pid));
    // The guard is the last of the group.
    const deadline = Date.now() + 5000;
    while (groupExists(child.pid)) {
      assert.ok(Date.now() < deadline, 'the guard is still there');
      await sleep(20);
    }
  });

  test('ends with code 127 when there is no such program', async () => {
    assert.equal((await spawnGuarded('/nonexistent/program', [], quiet).exited).code, 127);
  });

  test('passes arguments on as they are', async () => {
    const args = ["it's", '$HOME', 'a b', ''];
    const child = spawnGuarded('printf', ['[%s]', ...args], { output: { stdout: 'pipe', stderr: 'ignore' } });
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await child.exited;
    await sleep(50);
    assert.equal(text, "[it's][$HOME][a b][]");
  });

  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    test(`dies, with what it started, when its owner gets ${signal}`, async () => {
      const source = `
        import { spawnGuarded } from ${JSON.stringify(new URL('./guarded-process.ts', import.meta.url).href)};
        const child = spawnGuarded('sh', ['-c', 'trap "" TERM; sleep 60 & echo $$ $!; wait'], { output: { stdout: 1, stderr: 2 } });
        await child.exited;`;
      const owner = spawn(process.execPath, ['--input-type=module', '-e', source], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [line] = (await once(owner.stdout, 'data')) as [Buffer];
      const pids = line.toString().trim().split(' ').map(Number);
      assert.equal(pids.length, 2);
      assert.ok(pids.every(alive));
      owner.kill(signal);
      await untilGone(pids);
    });
  }
});

function groupExists(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}
