import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';

import { fleetOf, nodeFacts, resource } from '../../../test/support/fleet.ts';
import type { Taint } from '../../core/snapshot/index.ts';
import { FakeClock, type ApiRequest, type Transport } from '../../kube/index.ts';
import { ApiError } from '../../kube/errors.ts';
import { IsolationController, wrongTaints } from './isolationController.ts';

const pool = (name: string, isolate: boolean, product = 'H200') =>
  resource('GpuPool', name, {
    spec: {
      isolate,
      acceleratorClasses: [{ name: 'c', nodeSelector: { matchLabels: { product } }, weight: '1' }],
    },
  });
const taint = (value: string, effect: Taint['effect'] = 'NoSchedule'): Taint => ({
  key: 'moa.dev/pool',
  value,
  effect,
});
const foreign: Taint = { key: 'dedicated', value: 'x', effect: 'NoSchedule' };

interface Row {
  readonly pools: readonly ReturnType<typeof pool>[];
  /** Names of further pools that exist and can't be read. */
  readonly unreadable?: readonly string[];
  readonly taints?: readonly Taint[];
  readonly product?: string;
  /** The pool that the node is to be tainted for, or none; absent: it is as it should be. */
  readonly want?: { readonly pool: string | undefined };
}

const rows: Readonly<Record<string, Row>> = {
  'a node of a pool that isolates is tainted': { pools: [pool('a', true)], want: { pool: 'a' } },
  'a node that carries the taint is left alone': { pools: [pool('a', true)], taints: [foreign, taint('a')] },
  'a node of a pool that does not isolate is left alone': { pools: [pool('a', false)], taints: [foreign] },
  'the taint goes when the pool no longer isolates': {
    pools: [pool('a', false)],
    taints: [taint('a')],
    want: { pool: undefined },
  },
  'the taint goes when the node has left the pool': {
    pools: [pool('a', true)],
    product: 'A100',
    taints: [taint('a')],
    want: { pool: undefined },
  },
  'the taint of a pool that does not exist goes': { pools: [], taints: [taint('gone')], want: { pool: undefined } },
  'the taint of another pool is replaced': { pools: [pool('a', true)], taints: [taint('b')], want: { pool: 'a' } },
  'a node that two pools claim carries the taint of the first by name, if that isolates': {
    pools: [pool('b', true), pool('a', false)],
    taints: [taint('b')],
    want: { pool: undefined },
  },
  'a taint with another effect is not ours': { pools: [], taints: [taint('a', 'NoExecute')] },
  'a node that is tainted for a pool which can not be read stays as it is': {
    pools: [],
    unreadable: ['a'],
    taints: [taint('a')],
  },
};

function picture({ pools, taints = [], product = 'H200' }: Pick<Row, 'pools' | 'taints' | 'product'>) {
  return fleetOf({ pools, nodes: [nodeFacts('node', { labels: { product }, taints })] }).snapshot(0);
}

describe('which nodes carry the wrong taint', () => {
  for (const [rule, row] of Object.entries(rows)) {
    it(rule, () => {
      const names = new Set([...row.pools.map(({ metadata }) => metadata.name), ...(row.unreadable ?? [])]);
      const want = row.want === undefined ? [] : [['node', row.want.pool]];
      assert.deepEqual([...wrongTaints(picture(row), names)], want);
    });
  }
});

/** A server with one node. `refuse` makes it refuse the next requests. */
function start(context: TestContext, taints: readonly object[]) {
  const clock = new FakeClock(0);
  const server = { taints, version: 1, requests: [] as string[], refuse: undefined as string | undefined };
  const hooks: { onGet: () => void } = { onGet: () => undefined };
  const transport = {
    request: ({ method, body }: ApiRequest) => {
      server.requests.push(method);
      if (method === 'GET') hooks.onGet();
      const { refuse: code } = server;
      if (code !== undefined) return Promise.reject(new ApiError(code, { code, status: 403, retryable: false }));
      if (method === 'PATCH') {
        const patch = body as { metadata: { resourceVersion: string }; spec: { taints: readonly object[] } };
        if (patch.metadata.resourceVersion !== String(server.version))
          return Promise.reject(new ApiError('changed', { code: 'Conflict', status: 409, retryable: false }));
        server.taints = patch.spec.taints;
        server.version += 1;
      }
      const { taints: now, version } = server;
      return Promise.resolve({ metadata: { resourceVersion: String(version) }, spec: { taints: now } });
    },
  } as unknown as Transport;
  const stop = new AbortController();
  const controller = new IsolationController({
    transport,
    clock,
    random: () => 0,
    signal: stop.signal,
  });
  const finished = controller.run();
  context.after(async () => {
    stop.abort(new Error('the test is over'));
    await finished;
  });
  const isolated = (isolate: boolean, seen: readonly Taint[]) =>
    controller.show(picture({ pools: [pool('a', isolate)], taints: seen }), new Set(['a']));
  return { clock, server, hooks, isolated };
}

describe('the controller of isolation', () => {
  it('adds its taint to those that are there, unknown fields included, and asks nothing when all is well', async (t) => {
    const others = [{ key: 'k', effect: 'NoExecute', timeAdded: '2026-01-01T00:00:00Z' }];
    const { clock, server, isolated } = start(t, others);
    isolated(true, []);
    await clock.advance(10_000);
    assert.deepEqual(server.taints, [...others, { key: 'moa.dev/pool', value: 'a', effect: 'NoSchedule' }]);
    assert.deepEqual(server.requests, ['GET', 'PATCH']);
    isolated(true, [taint('a')]);
    await clock.advance(600_000);
    assert.deepEqual(server.requests, ['GET', 'PATCH']);
  });

  it('looks once more when the picture is older than its write, and writes nothing', async (t) => {
    const { clock, server, isolated } = start(t, []);
    isolated(true, []);
    await clock.advance(10_000);
    isolated(true, []);
    await clock.advance(10_000);
    assert.deepEqual(server.requests, ['GET', 'PATCH', 'GET']);
  });

  it('follows a picture that came while it was at the node, though it had nothing to write there', async (t) => {
    const { clock, server, hooks, isolated } = start(t, [taint('a')]);
    hooks.onGet = () => {
      hooks.onGet = () => undefined;
      isolated(false, [taint('a')]);
    };
    isolated(true, []);
    await clock.advance(10_000);
    assert.deepEqual(server.taints, []);
  });

  it('tries again at once when someone else has written to the node meanwhile', async (t) => {
    const { clock, server, hooks, isolated } = start(t, []);
    let others = 20;
    hooks.onGet = () => {
      if (others-- > 0) queueMicrotask(() => (server.version += 1));
    };
    isolated(true, []);
    await clock.advance(5000);
    assert.deepEqual(server.taints, [{ key: 'moa.dev/pool', value: 'a', effect: 'NoSchedule' }]);
  });

  it('removes its own taint only', async (t) => {
    const { clock, server, isolated } = start(t, [taint('a', 'NoExecute'), taint('a'), foreign]);
    isolated(false, [taint('a', 'NoExecute'), taint('a'), foreign]);
    await clock.advance(10_000);
    assert.deepEqual(server.taints, [taint('a', 'NoExecute'), foreign]);
  });

  it('that may not patch nodes asks once a minute, not once a node and picture', async (t) => {
    const { clock, server, isolated } = start(t, []);
    server.refuse = 'Forbidden';
    for (let second = 0; second < 180; second++) {
      isolated(true, []);
      await clock.advance(1000);
    }
    assert.ok(server.requests.length <= 4, `${server.requests.length} requests in three minutes`);
    server.refuse = undefined;
    await clock.advance(120_000);
    assert.deepEqual(server.taints, [{ key: 'moa.dev/pool', value: 'a', effect: 'NoSchedule' }]);
  });
});
