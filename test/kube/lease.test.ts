import assert from 'node:assert/strict';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import type { Readable } from 'node:stream';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { eventually, withCluster, type KubeObject } from '../support/index.ts';

interface Lease extends KubeObject {
  readonly spec: {
    readonly holderIdentity: string;
    readonly leaseDurationSeconds: number;
    readonly leaseTransitions: number;
    readonly renewTime: string;
  };
}

interface Elector {
  readonly process: ChildProcessByStdio<null, Readable, null>;
  /** What it has printed so far, line by line. */
  readonly lines: readonly string[];
}

const script = fileURLToPath(new URL('elector.ts', import.meta.url));

describe('leader election among processes', { concurrency: true }, () => {
  const cluster = withCluster({ kwok: false, controllerManager: false });
  const running: Elector[] = [];
  after(() => {
    for (const { process } of running) process.kill('SIGKILL');
  });

  function elector(namespace: string, identity: string): Elector {
    const child = spawn(process.execPath, [script, cluster.kubeconfig, namespace, identity], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => lines.push(...text.trim().split('\n')));
    const started = { process: child, lines };
    running.push(started);
    return started;
  }

  const leaseOf = (namespace: string) =>
    cluster.client.get<Lease>({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'moa-leader', namespace },
    });

  /** How long it takes until this process leads, in seconds. */
  async function secondsUntilLeading({ lines }: Elector): Promise<number> {
    const start = performance.now();
    await eventually(() => assert.ok(lines.includes('leading')), { timeoutMs: 30_000, everyMs: 10 });
    return (performance.now() - start) / 1000;
  }

  /** A leader, and a follower that has seen it lead. */
  async function leaderAndFollower(): Promise<{ namespace: string; leader: Elector; follower: Elector }> {
    const namespace = await cluster.namespace();
    const leader = elector(namespace, 'leader');
    await secondsUntilLeading(leader);
    const follower = elector(namespace, 'follower');
    const seen = (await leaseOf(namespace)).spec.renewTime;
    // Two renewals later the follower has started and looked.
    await eventually(async () =>
      assert.ok(Date.parse((await leaseOf(namespace)).spec.renewTime) > Date.parse(seen) + 3000),
    );
    assert.deepEqual(follower.lines, []);
    return { namespace, leader, follower };
  }

  test('a leader that is told to end hands over within two seconds', async () => {
    const { namespace, leader, follower } = await leaderAndFollower();
    leader.process.kill('SIGTERM');
    await once(leader.process, 'exit');
    assert.ok(leader.lines.at(-1) === 'stopped');
    const seconds = await secondsUntilLeading(follower);
    assert.ok(seconds < 2, `${seconds} s`);
    const { spec } = await leaseOf(namespace);
    assert.deepEqual([spec.holderIdentity, spec.leaseDurationSeconds, spec.leaseTransitions], ['follower', 15, 1]);
    assert.match(spec.renewTime, /\.\d{6}Z$/);
  });

  test('a leader that is killed is succeeded once its lease has run out', async () => {
    const { leader, follower } = await leaderAndFollower();
    leader.process.kill('SIGKILL');
    const seconds = await secondsUntilLeading(follower);
    // The last renewal was up to 2 s old, and the follower learnt of it up to 0.9 s later: it looks when the lease ends.
    assert.ok(seconds > 12.5 && seconds < 18, `${seconds} s`);
  });

  test('a leader that was frozen for longer than its lease does nothing when it wakes', async () => {
    const { namespace, leader, follower } = await leaderAndFollower();
    leader.process.kill('SIGSTOP');
    await secondsUntilLeading(follower);
    const before = leader.lines.length;
    leader.process.kill('SIGCONT');
    await eventually(() => assert.ok(leader.lines.includes('stopped')));
    assert.deepEqual(leader.lines.slice(before), ['stopped']);
    leader.process.kill('SIGTERM');
    await once(leader.process, 'exit');
    assert.equal((await leaseOf(namespace)).spec.holderIdentity, 'follower');
  });
});
