import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { createTransport, loadKubeConfig } from '../../src/kube/index.ts';
import { eventually, TestClient, type KubeObject } from '../support/index.ts';

const main = fileURLToPath(new URL('../../tools/cluster/main.ts', import.meta.url));

interface Up {
  readonly child: ChildProcess;
  readonly kubeconfig: string;
  readonly dataDir: string;
  /** What it has said so far besides its result. */
  readonly messages: readonly string[];
}

/** Runs `cluster up` until it has printed its last line. */
async function up(...args: string[]): Promise<Up> {
  const child = spawn(process.execPath, [main, 'up', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const messages: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => messages.push(line));
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.endsWith('/kubeconfig')) return { child, kubeconfig: line, dataDir: join(line, '..'), messages };
  }
  throw new Error(`up ended before it printed the path of its kubeconfig:\n${messages.join('\n')}`);
}

interface Outcome {
  readonly code: number;
  readonly output: string;
}

async function cluster(...args: string[]): Promise<Outcome> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [main, ...args], { timeout: 60_000 });
    return { code: 0, output: stdout };
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string };
    return { code, output: stderr };
  }
}

/** The live processes whose command line mentions a directory: pid and command line. A zombie has no command line. */
function processesOf(directory: string): { pid: number; command: string }[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  return pids.flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return command.includes(directory) ? [{ pid: Number(pid), command }] : [];
    } catch {
      return [];
    }
  });
}

function clientOf({ kubeconfig }: Up): TestClient {
  return new TestClient(createTransport({ kubeConfig: loadKubeConfig(kubeconfig), userAgent: 'moa-test' }));
}

const noProc = process.platform === 'linux' ? false : 'needs /proc to look for processes';

describe('npm run cluster', () => {
  const root = mkdtempSync(join(tmpdir(), 'moa-up-'));
  const started = new Set<ChildProcess>();
  after(() => {
    for (const child of started) child.kill('SIGKILL');
    rmSync(root, { recursive: true, force: true });
  });
  const begin = async (...args: string[]) => {
    const running = await up(...args);
    started.add(running.child);
    return running;
  };

  test('up keeps its objects for the next up on the same directory, and a live one is not disturbed', async () => {
    const data = join(root, 'data');
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kept' }, data: { key: 'value' } };
    const first = await begin('--data', data, '--nodes', '2');
    const client = clientOf(first);
    await client.create(configMap);

    const refused = await cluster('up', '--data', data);
    assert.equal(refused.code, 1);
    assert.match(refused.output, new RegExp(`A control plane is running on ${data} \\(process ${first.child.pid}`));
    await client.get(configMap);
    await client.transport.close();

    const stopped = await cluster('down', '--data', data);
    assert.match(stopped.output, new RegExp(`Stopped the control plane on ${data}`));
    if (first.child.exitCode === null) await once(first.child, 'exit');
    assert.equal(first.child.exitCode, 0);
    assert.deepEqual(processesOf(data), []);

    const second = await begin('--data', data);
    const again = clientOf(second);
    assert.equal((await again.get<KubeObject & { data: { key: string } }>(configMap)).data.key, 'value');
    assert.equal((await again.list({ apiVersion: 'v1', kind: 'Node' })).length, 2);
    await again.transport.close();
    // Twice, as when a terminal sends it and npm passes it on.
    second.child.kill('SIGINT');
    second.child.kill('SIGINT');
    await once(second.child, 'exit');
    assert.equal(second.child.exitCode, 0);
  });

  test('leaves no process behind when it is killed with -9', { skip: noProc }, async () => {
    const data = join(root, 'killed');
    const { child } = await begin('--data', data);
    // Four components and the guard of each.
    assert.equal(processesOf(data).filter(({ command }) => !command.includes(main)).length, 8);
    child.kill('SIGKILL');
    await eventually(() => assert.deepEqual(processesOf(data), []), { timeoutMs: 5000 });
    assert.match((await cluster('down', '--data', data)).output, /No control plane runs on/);
  });

  test('leaves no process and no directory behind after Ctrl-C, even while it starts', { skip: noProc }, async () => {
    const data = join(root, 'starting');
    const child = spawn(process.execPath, [main, 'up', '--data', data], { stdio: 'ignore' });
    started.add(child);
    await eventually(() => assert.ok(existsSync(join(data, 'logs', 'etcd.log'))));
    await sleep(300);
    child.kill('SIGINT');
    await once(child, 'exit');
    assert.deepEqual(processesOf(data), []);

    const temporary = await begin();
    temporary.child.kill('SIGTERM');
    await once(temporary.child, 'exit');
    assert.equal(existsSync(temporary.dataDir), false);
    assert.deepEqual(processesOf(temporary.dataDir), []);
  });

  test('two at once do not disturb each other, and down asks which one is meant', async () => {
    const both = await Promise.all([begin(), begin()]);
    assert.notEqual(both[0].dataDir, both[1].dataDir);
    const asked = await cluster('down');
    assert.equal(asked.code, 2);
    for (const { dataDir } of both) assert.ok(asked.output.includes(`down --data ${dataDir}`), asked.output);
    for (const { dataDir } of both) assert.match((await cluster('down', '--data', dataDir)).output, /Stopped/);
  });

  test('ends with an error that names the component and its log when a component dies', { skip: noProc }, async () => {
    const data = join(root, 'lost');
    const { child, messages } = await begin('--data', data);
    const kwok = processesOf(data).find(({ command }) => /^\S*kwok /.test(command));
    assert.ok(kwok !== undefined);
    process.kill(kwok.pid, 'SIGKILL');
    await once(child, 'close');
    assert.equal(child.exitCode, 1);
    assert.match(messages.join('\n'), new RegExp(`kwok ended by SIGKILL\\. Its log, ${data}/logs/kwok\\.log, `));
    assert.deepEqual(processesOf(data), []);
  });

  const refused: Record<string, { args: string[]; want: RegExp }> = {
    'an unknown flag is refused, with help': { args: ['up', '--node', '1'], want: /no flag --node: it has --nodes N/ },
    'an unknown command is refused, with help': { args: ['restart'], want: /"restart" is not a command/ },
  };
  for (const [rule, { args, want }] of Object.entries(refused)) {
    test(rule, async () => {
      const { code, output } = await cluster(...args);
      assert.equal(code, 2);
      assert.match(output, want);
      assert.match(output, /Help: npm run cluster -- --help/);
    });
  }
});
