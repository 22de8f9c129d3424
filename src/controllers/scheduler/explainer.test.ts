import assert from 'node:assert/strict';
import { it } from 'node:test';

import { WaitReason } from '../../api/v1alpha1/constants/index.ts';
import { pod } from '../../core/testing/world.ts';
import { FakeClock, type ApiRequest } from '../../kube/index.ts';
import { createMetrics } from '../../observe/index.ts';
import { Explainer } from './explainer.ts';

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

it('a pod is told why it waits, but not one that was bound before its turn to be told', async () => {
  const clock = new FakeClock(0);
  const end = new AbortController();
  const told: string[] = [];
  const noted: string[] = [];
  // As long as the API server has not answered four, the fifth waits for its turn.
  const answers: (() => void)[] = [];
  const pods = Array.from({ length: 5 }, (_, i) => pod('kaist', 1, { name: `p${i}` }));
  const bound = new Set<string>();
  const explainer = new Explainer({
    transport: {
      request: ({ path }: ApiRequest) => {
        told.push(path.split('/')[6] ?? '');
        return new Promise((answer) => answers.push(() => answer({})));
      },
    } as never,
    events: { record: ({ regarding }: { regarding: { name: string } }) => noted.push(regarding.name) } as never,
    clock,
    metrics: createMetrics({ version: '0' }),
    logger: silent as never,
    heartbeat: { beat: () => undefined } as never,
    stillLeading: () => true,
    stillWaits: (uid: string) => !bound.has(uid),
    busy: () => false,
    signal: end.signal,
  });
  const workloads = pods.map((one) => ({
    ...{ key: one.name, namespace: 'kaist', pods: [one], createdAt: 0, priority: 0, gang: undefined },
  }));
  explainer.update([{ reason: WaitReason.NoCapacity, message: 'full', owed: false, workloads }]);
  const running = explainer.run();
  for (let i = 0; i < 6; i++) await clock.advance(250);
  assert.deepEqual(told, ['p0', 'p1', 'p2', 'p3']);
  bound.add(pods[4]!.uid);
  for (const answer of answers) answer();
  for (let i = 0; i < 6; i++) await clock.advance(250);
  assert.deepEqual(told, ['p0', 'p1', 'p2', 'p3']);
  assert.deepEqual(noted, ['p0', 'p1', 'p2', 'p3']);
  end.abort();
  await running;
});
