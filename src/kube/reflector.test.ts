import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { afterEach, describe, it } from 'node:test';
import { nextTurn, systemClock, type Clock } from './clock.ts';
import { FakeClock } from './fake-clock.ts';
import { runReflector, type RawObject, type ReflectorObservation, type ReflectorOptions } from './reflector.ts';
import { Store, type Stored } from './store.ts';
import {
  cut,
  sendJson,
  sendStatus,
  startFaultServer,
  statusOf,
  type FaultServer,
  type SeenRequest,
} from './testing/fault-server.ts';
import { scaledClock } from './testing/scaled-clock.ts';
import { createTransport, type Transport } from './transport.ts';

interface Pod extends Stored {
  readonly phase: string;
}

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

function rawPod(name: string, resourceVersion: string, phase = 'Pending'): RawObject {
  return { metadata: { namespace: 'n', name, uid: `uid-${name}`, resourceVersion }, status: { phase } };
}

function projectPod(raw: RawObject): Pod {
  const { metadata, status } = raw as { metadata: Stored; status?: { phase: string } };
  const { uid, namespace, name, resourceVersion } = metadata;
  return { uid, namespace, name, resourceVersion, phase: status?.phase ?? '' };
}

function line(type: string, object: RawObject): string {
  return `${JSON.stringify({ type, object })}\n`;
}

function bookmark(resourceVersion: string, endOfList = false): string {
  const annotations = endOfList ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
  return line('BOOKMARK', { metadata: { resourceVersion, ...annotations } });
}

/** Sends lines and leaves the stream open. */
function say(response: ServerResponse, ...lines: readonly string[]): void {
  if (!response.headersSent) response.writeHead(200);
  response.write(lines.join(''));
}

interface Running {
  readonly server: FaultServer;
  readonly store: Store<Pod>;
  /** Every batch of changes so far, as short words. */
  readonly batches: readonly string[][];
  readonly observations: readonly ReflectorObservation[];
  readonly finished: Promise<void>;
  readonly stop: () => void;
  /** Waits until the store holds these, as `name phase`. */
  readonly holds: (...want: readonly string[]) => Promise<void>;
}

/** A reflector against a server that answers as the test says. Its clock runs a hundred times as fast as real time. */
async function reflect(
  answer: (seen: SeenRequest, response: ServerResponse, index: number) => void,
  more: Partial<ReflectorOptions<Pod>> = {},
): Promise<Running> {
  const server = await startFaultServer(answer);
  const clock = scaledClock(100);
  const transport = createTransport({ kubeConfig: server.kubeConfig(), userAgent: 'moa/test', clock });
  const store = new Store<Pod>();
  const batches: string[][] = [];
  store.subscribe((changes) => batches.push(changes.map(({ type, object }) => `${type} ${object.name}`)));
  const observations: ReflectorObservation[] = [];
  const controller = new AbortController();
  const finished = runReflector({
    transport,
    path: '/api/v1/pods',
    project: projectPod,
    store,
    clock,
    random: () => 0,
    signal: controller.signal,
    observe: (observation) => observations.push(observation),
    ...more,
  });
  const stop = (): void => controller.abort(new Error('test is over'));
  cleanUp.push(async () => {
    stop();
    await finished;
    await transport.close();
    await server.close();
  });
  const holds = async (...want: readonly string[]): Promise<void> => {
    const now = (): string[] => [...store.values()].map(({ name, phase }) => `${name} ${phase}`).sort();
    for (let left = 500; left > 0 && (!store.synced || now().join() !== want.join()); left--)
      await systemClock().sleep(5);
    assert.deepEqual(now(), want);
  };
  return { server, store, batches, observations, finished, stop, holds };
}

function failures(observations: readonly ReflectorObservation[]): string[] {
  return observations.flatMap((observation) => (observation.type === 'failed' ? [String(observation.error)] : []));
}

describe('a reflector', () => {
  it('fills the store in one batch by streaming, and follows on the same connection', async () => {
    const { server, batches, observations, holds } = await reflect((_, response) => {
      say(response, line('ADDED', rawPod('a', '1')), line('ADDED', rawPod('b', '2')), bookmark('5', true));
      say(
        response,
        line('MODIFIED', rawPod('a', '6', 'Running')),
        line('DELETED', rawPod('b', '7')),
        line('ADDED', rawPod('c', '8')),
      );
    });
    await holds('a Running', 'c Pending');
    assert.deepEqual(batches, [['added a', 'added b'], ['updated a'], ['deleted b'], ['added c']]);
    assert.equal(server.requests.length, 1);
    const { timeoutSeconds, ...query } = server.requests[0]!.query;
    assert.deepEqual(query, {
      watch: 'true',
      allowWatchBookmarks: 'true',
      sendInitialEvents: 'true',
      resourceVersionMatch: 'NotOlderThan',
    });
    assert.ok(Number(timeoutSeconds) >= 300);
    const listed = observations.find(({ type }) => type === 'listed');
    assert.deepEqual({ ...listed, durationMs: 0 }, { type: 'listed', by: 'stream', objects: 2, durationMs: 0 });
  });

  it('sends its selectors with every list and watch', async () => {
    const selectors = { labelSelector: 'a=b', fieldSelector: 'spec.nodeName!=' };
    const { server, holds } = await reflect(
      (seen, response, index) => {
        if (index === 0) sendStatus(response, 422, 'Invalid');
        else if (seen.query['watch'] === undefined)
          sendJson(response, 200, { metadata: { resourceVersion: '1' }, items: [] });
        else say(response, line('ADDED', rawPod('a', '2')));
      },
      { query: selectors },
    );
    await holds('a Pending');
    assert.equal(server.requests.length, 3);
    for (const { query } of server.requests) {
      assert.deepEqual({ labelSelector: query['labelSelector'], fieldSelector: query['fieldSelector'] }, selectors);
    }
  });

  it('lists page by page where streaming is refused, and never tries streaming again', async () => {
    const { server, batches, holds } = await reflect((seen, response, index) => {
      if (seen.query['sendInitialEvents'] !== undefined) sendStatus(response, 422, 'Invalid');
      else if (seen.query['limit'] !== undefined) {
        const last = seen.query['continue'] === 'more';
        const metadata = { resourceVersion: '10', ...(last ? {} : { continue: 'more' }) };
        const items = last ? [rawPod('b', '2')] : [rawPod('a', '1')];
        sendJson(response, 200, { metadata, items });
      } else if (index === 3) sendStatus(response, 410, 'Expired');
      else say(response, line('ADDED', rawPod('c', '11')));
    });
    await holds('a Pending', 'b Pending', 'c Pending');
    assert.deepEqual(batches, [['added a', 'added b'], ['added c']]);
    const asked = server.requests.map(({ query }) => {
      const { limit, resourceVersion, sendInitialEvents, continue: token } = query;
      return { limit, resourceVersion, sendInitialEvents, token };
    });
    const none = { limit: undefined, resourceVersion: undefined, sendInitialEvents: undefined, token: undefined };
    const pages = [
      { ...none, limit: '500' },
      { ...none, limit: '500', token: 'more' },
      { ...none, resourceVersion: '10' },
    ];
    assert.deepEqual(asked, [{ ...none, sendInitialEvents: 'true' }, ...pages, ...pages]);
  });

  it('does not show what was deleted while the list arrived', async () => {
    const { batches, holds } = await reflect((_, response) => {
      say(response, line('ADDED', rawPod('a', '1')), line('ADDED', rawPod('b', '2')));
      say(
        response,
        line('DELETED', rawPod('a', '3')),
        line('MODIFIED', rawPod('b', '4', 'Running')),
        bookmark('5', true),
      );
    });
    await holds('b Running');
    assert.deepEqual(batches, [['added b']]);
  });

  it('shows nothing of a list that breaks in the middle of a line', async () => {
    const { batches, holds } = await reflect((_, response, index) => {
      if (index > 0) {
        say(response, line('ADDED', rawPod('b', '2')), bookmark('5', true));
        return;
      }
      response.writeHead(200);
      response.write(line('ADDED', rawPod('a', '1')) + line('ADDED', rawPod('b', '2')).slice(0, 20), () =>
        cut(response),
      );
    });
    await holds('b Pending');
    assert.deepEqual(batches, [['added b']]);
  });

  /** How a watch at version 7 stops; it must be taken up from there. */
  const interruptions: Record<string, (response: ServerResponse) => void> = {
    'that is cut in the middle of a line': (response) => {
      response.write(line('MODIFIED', rawPod('a', '8')).slice(0, 30), () => cut(response));
    },
    'that goes silent without closing': () => undefined,
    'that brings what is no event': (response) => say(response, '{"type":"ADDED","object":"nonsense"}\n', '{}\n'),
    'that brings what is no JSON': (response) => say(response, '<html>\n'),
    'that brings an unknown type of event': (response) => say(response, line('RENAMED', rawPod('a', '8'))),
    'that brings an error other than 410': (response) =>
      say(response, line('ERROR', statusOf(500, 'InternalError') as RawObject)),
    'that the server ends': (response) => void response.end(),
  };
  for (const [name, interrupt] of Object.entries(interruptions)) {
    it(`takes up a watch ${name} where it was, without listing`, async () => {
      const { server, batches, holds } = await reflect((_, response, index) => {
        if (index === 0) {
          say(
            response,
            line('ADDED', rawPod('a', '1')),
            bookmark('5', true),
            line('MODIFIED', rawPod('a', '6')),
            bookmark('7'),
          );
          interrupt(response);
        } else say(response, line('ADDED', rawPod('b', '8')));
      });
      await holds('a Pending', 'b Pending');
      assert.deepEqual(
        server.requests.map(({ query }) => query['resourceVersion']),
        [undefined, '7'],
      );
      assert.deepEqual(batches, [['added a'], ['updated a'], ['added b']]);
    });
  }

  const expirations: Record<string, (response: ServerResponse, first: boolean) => void> = {
    'as a status': (response, first) => {
      if (first) response.end();
      else sendStatus(response, 410, 'Expired');
    },
    'within the stream': (response, first) => {
      if (first) response.end();
      else say(response, line('ERROR', statusOf(410, 'Expired') as RawObject));
    },
  };
  for (const [name, expire] of Object.entries(expirations)) {
    it(`lists anew when its version has expired, said ${name}, and deletes what has vanished`, async () => {
      const { batches, holds } = await reflect((_, response, index) => {
        if (index === 0) {
          say(
            response,
            line('ADDED', rawPod('stays', '1')),
            line('ADDED', rawPod('vanishes', '2')),
            bookmark('5', true),
          );
          expire(response, true);
        } else if (index === 1) expire(response, false);
        else
          say(response, line('ADDED', rawPod('stays', '1')), line('ADDED', rawPod('new', '9')), bookmark('10', true));
      });
      await holds('new Pending', 'stays Pending');
      assert.deepEqual(batches, [
        ['added stays', 'added vanishes'],
        ['deleted vanishes', 'added new'],
      ]);
    });
  }

  it('stays away for as long as the server asks', async () => {
    const times: number[] = [];
    const clock = scaledClock(100);
    const { observations, holds } = await reflect((_, response, index) => {
      times.push(clock.monotonic());
      if (index === 0) sendJson(response, 429, statusOf(429, 'TooManyRequests'), { 'retry-after': '30' });
      else say(response, line('ADDED', rawPod('a', '1')), bookmark('5', true));
    });
    await holds('a Pending');
    assert.ok(times[1]! - times[0]! >= 30_000, `${times[1]! - times[0]!} ms`);
    assert.deepEqual(failures(observations), [
      'ApiError: GET /api/v1/pods: 429 TooManyRequests: TooManyRequests happened',
    ]);
  });

  it('comes back from errors of the server at growing intervals, by pages when streaming goes on failing', async () => {
    const times: number[] = [];
    const clock = scaledClock(100);
    const { server, holds } = await reflect((seen, response, index) => {
      times.push(clock.monotonic());
      if (index < 4) sendStatus(response, 500, 'InternalError');
      else if (seen.query['watch'] === undefined)
        sendJson(response, 200, { metadata: { resourceVersion: '5' }, items: [rawPod('a', '1')] });
      else say(response, bookmark('6'));
    });
    await holds('a Pending');
    const gaps = times.slice(1, 5).map((time, index) => time - times[index]!);
    [250, 500, 1000, 2000].forEach((least, index) =>
      assert.ok(gaps[index]! >= least, `gap ${index}: ${gaps[index]} ms`),
    );
    assert.deepEqual(
      server.requests.slice(0, 5).map(({ query }) => query['sendInitialEvents']),
      ['true', 'true', 'true', undefined, undefined],
    );
  });

  it('waits for a resource that is not served yet', async () => {
    const { holds } = await reflect((_, response, index) => {
      if (index < 2) response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n');
      else say(response, line('ADDED', rawPod('a', '1')), bookmark('5', true));
    });
    await holds('a Pending');
  });

  it('reports an object that cannot be projected, and goes on without it', async () => {
    const bug = new Error('cannot read it');
    const { batches, observations, holds } = await reflect(
      (_, response) => {
        say(response, line('ADDED', rawPod('bad', '1')), line('ADDED', rawPod('good', '2')), bookmark('5', true));
        say(response, line('MODIFIED', rawPod('bad', '6')), line('ADDED', rawPod('later', '7')));
      },
      {
        project: (raw) => {
          const pod = projectPod(raw);
          if (pod.name === 'bad') throw bug;
          return pod;
        },
      },
    );
    await holds('good Pending', 'later Pending');
    assert.deepEqual(batches, [['added good'], ['added later']]);
    const rejected = { type: 'rejected', key: 'n/bad', error: bug };
    assert.deepEqual(
      observations.filter(({ type }) => type === 'rejected'),
      [rejected, rejected],
    );
  });

  it('keeps what it knows of an object whose new form cannot be projected, through a list as well', async () => {
    const { batches, holds } = await reflect(
      (_, response, index) => {
        if (index === 0) {
          say(
            response,
            line('ADDED', rawPod('a', '1')),
            bookmark('5', true),
            line('MODIFIED', rawPod('a', '6', 'odd')),
          );
          say(response, line('ERROR', statusOf(410, 'Expired') as RawObject));
        } else
          say(response, line('ADDED', rawPod('a', '6', 'odd')), line('ADDED', rawPod('b', '7')), bookmark('8', true));
      },
      {
        project: (raw) => {
          const pod = projectPod(raw);
          if (pod.phase === 'odd') throw new Error('odd');
          return pod;
        },
      },
    );
    await holds('a Pending', 'b Pending');
    assert.deepEqual(batches, [['added a'], ['added b']]);
  });

  it('holds only what is of interest: an object that ceases to be is deleted', async () => {
    const { batches, holds } = await reflect(
      (_, response) => {
        say(
          response,
          line('ADDED', rawPod('a', '1')),
          line('ADDED', rawPod('done', '2', 'Succeeded')),
          bookmark('5', true),
        );
        say(response, line('MODIFIED', rawPod('a', '6', 'Succeeded')), line('ADDED', rawPod('b', '7')));
      },
      {
        project: (raw) => {
          const pod = projectPod(raw);
          return pod.phase === 'Succeeded' ? undefined : pod;
        },
      },
    );
    await holds('b Pending');
    assert.deepEqual(batches, [['added a'], ['deleted a'], ['added b']]);
  });

  it('ends when its signal aborts: in a list, in a watch and in a back-off', async () => {
    const answers: ((response: ServerResponse) => void)[] = [
      () => undefined,
      (response) => say(response, bookmark('5', true)),
      (response) => sendStatus(response, 503, 'ServiceUnavailable', { details: { retryAfterSeconds: 3600 } }),
    ];
    for (const answer of answers) {
      const arrived = Promise.withResolvers<true>();
      const { stop, finished } = await reflect((_, response) => {
        answer(response);
        arrived.resolve(true);
      });
      await arrived.promise;
      await systemClock().sleep(20);
      stop();
      await finished;
    }
  });

  it('lets others run while a long list arrives', async () => {
    // A clock by which each look costs a millisecond, so that ten objects are a slice.
    let time = 0;
    const fake = new FakeClock();
    const clock: Clock = { now: () => 0, monotonic: () => (time += 1), sleep: (ms, signal) => fake.sleep(ms, signal) };
    const names = Array.from({ length: 100 }, (_, index) => `pod-${index}`);
    const transport: Transport = {
      request: () => Promise.reject(new Error('not asked')),
      stream: async function* () {
        for (const name of names) yield line('ADDED', rawPod(name, '1'));
        await fake.sleep(Infinity);
      },
      close: () => Promise.resolve(),
    };
    const seenAtTurn: number[] = [];
    let seen = 0;
    const controller = new AbortController();
    void runReflector({
      transport,
      path: '/api/v1/pods',
      project: (raw) => {
        seen += 1;
        return projectPod(raw);
      },
      store: new Store<Pod>(),
      clock,
      random: () => 0,
      signal: controller.signal,
    });
    while (seen < names.length) {
      await nextTurn();
      seenAtTurn.push(seen);
    }
    controller.abort(new Error('test is over'));
    assert.ok(seenAtTurn.length >= 9, `only ${seenAtTurn.length} turns`);
  });
});
