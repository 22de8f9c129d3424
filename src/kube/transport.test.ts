import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, it } from 'node:test';
import type { KubeConfig } from '@kubernetes/client-node';
import { ApiError } from './errors.ts';
import { FakeClock } from './fake-clock.ts';
import {
  cut,
  kubeConfigFor,
  sendJson,
  sendStatus,
  startFaultServer,
  type FaultServer,
  type SeenRequest,
} from './testing/fault-server.ts';
import { scaledClock } from './testing/scaled-clock.ts';
import { createTransport, mergePatch, type RequestObservation, type Transport } from './transport.ts';

const cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function serve(
  answer: (seen: SeenRequest, response: ServerResponse, index: number) => void,
): Promise<FaultServer> {
  const server = await startFaultServer(answer);
  cleanUp.push(() => server.close());
  return server;
}

function transportTo(kubeConfig: KubeConfig, more: Partial<Parameters<typeof createTransport>[0]> = {}): Transport {
  const transport = createTransport({ kubeConfig, userAgent: 'moa/test', ...more });
  cleanUp.push(() => transport.close());
  return transport;
}

/** The error that a promise rejects with. */
async function errorOf(promise: Promise<unknown>): Promise<ApiError> {
  const error = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  assert.ok(error instanceof ApiError, String(error));
  return error;
}

async function collect(lines: AsyncIterable<string>): Promise<string[]> {
  const seen: string[] = [];
  for await (const line of lines) seen.push(line);
  return seen;
}

const get = { method: 'GET', path: '/api/v1/pods' } as const;
/** Leaves a busy machine time to begin its answer when the clock is fast. */
const patient = { timeoutMs: 5_000_000 };

describe('a request', () => {
  it('carries method, path, query, credentials, our name and a JSON body, and gives the parsed answer', async () => {
    const server = await serve((_, response) => sendJson(response, 200, { name: 'é' }));
    const transport = transportTo(server.kubeConfig());
    const answer = await transport.request({
      method: 'PATCH',
      path: '/api/v1/namespaces/a/pods/b',
      query: { fieldManager: 'me & you' },
      contentType: mergePatch,
      body: { spec: 1 },
    });
    assert.deepEqual(answer, { name: 'é' });
    const { method, path, query, headers, body } = server.requests[0]!;
    assert.deepEqual(
      { method, path, query, body },
      {
        method: 'PATCH',
        path: '/api/v1/namespaces/a/pods/b',
        query: { fieldManager: 'me & you' },
        body: '{"spec":1}',
      },
    );
    assert.equal(headers['content-type'], 'application/merge-patch+json');
    assert.equal(headers['authorization'], 'Bearer secret');
    assert.equal(headers['user-agent'], 'moa/test');
    assert.equal(headers['accept-encoding'], 'identity');
  });

  it('keeps the path of a server that sits behind a gateway', async () => {
    const server = await serve((_, response) => sendJson(response, 200, {}));
    await transportTo(kubeConfigFor(`${server.url}/k8s/clusters/c-1/`, {})).request(get);
    assert.equal(server.requests[0]?.path, '/k8s/clusters/c-1/api/v1/pods');
  });

  it('gives undefined for an empty answer', async () => {
    const server = await serve((_, response) => response.writeHead(200).end());
    assert.equal(await transportTo(server.kubeConfig()).request(get), undefined);
  });

  it('uses its connections again, and no more than it may', async () => {
    const server = await serve((_, response) => sendJson(response, 200, {}));
    const transport = transportTo(server.kubeConfig(), { maxConnections: 3 });
    await Promise.all(Array.from({ length: 50 }, () => transport.request(get)));
    assert.equal(server.requests.length, 50);
    assert.ok(server.connections <= 3, `${server.connections} connections`);
  });

  it('goes through a proxy when the kubeconfig names one', async () => {
    const server = await serve((_, response) => sendJson(response, 200, { through: 'proxy' }));
    const tunnels: (string | undefined)[] = [];
    const proxy = createServer();
    proxy.on('connect', (request, socket) => {
      tunnels.push(request.url);
      const { hostname, port } = new URL(server.url);
      const target = connect(Number(port), hostname, () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
      socket.pipe(target).pipe(socket);
    });
    await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
    cleanUp.push(
      () => proxy.closeAllConnections(),
      () => void proxy.close(),
    );
    const proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const transport = transportTo(kubeConfigFor(server.url, {}, { proxyUrl }));
    assert.deepEqual(await transport.request(get), { through: 'proxy' });
    assert.deepEqual(tunnels, [new URL(server.url).host]);
  });

  const refusals: Record<
    string,
    { answer: (response: ServerResponse) => void; want: Partial<ApiError> & { message: string } }
  > = {
    'a conflict is not to be repeated as it was': {
      answer: (response) => sendStatus(response, 409, 'Conflict', { details: { name: 'b', kind: 'pods' } }),
      want: {
        message: 'GET /api/v1/pods: 409 Conflict: Conflict happened',
        status: 409,
        code: 'Conflict',
        retryable: false,
        details: { name: 'b', kind: 'pods' },
      },
    },
    'an overloaded server says when to come back, in its header': {
      answer: (response) =>
        sendJson(
          response,
          429,
          { kind: 'Status', reason: 'TooManyRequests', message: 'later' },
          { 'retry-after': '7' },
        ),
      want: {
        message: 'GET /api/v1/pods: 429 TooManyRequests: later',
        status: 429,
        code: 'TooManyRequests',
        retryable: true,
        retryAfterMs: 7000,
      },
    },
    'or in its body': {
      answer: (response) => sendStatus(response, 503, 'ServiceUnavailable', { details: { retryAfterSeconds: 2 } }),
      want: {
        message: 'GET /api/v1/pods: 503 ServiceUnavailable: ServiceUnavailable happened',
        status: 503,
        code: 'ServiceUnavailable',
        retryable: true,
        retryAfterMs: 2000,
      },
    },
    "a proxy's page becomes the message, and the status gives the code": {
      answer: (response) => response.writeHead(504, { 'content-type': 'text/html' }).end('<h1>upstream is gone</h1>\n'),
      want: {
        message: 'GET /api/v1/pods: 504 Timeout: <h1>upstream is gone</h1>',
        status: 504,
        code: 'Timeout',
        retryable: true,
      },
    },
    'an answer that is not JSON shows its beginning': {
      answer: (response) => response.writeHead(200).end('<html>please log in</html>'),
      want: {
        message: 'GET /api/v1/pods: the answer is not JSON but "<html>please log in</html>"',
        status: 0,
        code: 'InvalidResponse',
        retryable: true,
      },
    },
    'a redirect is not followed': {
      answer: (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      want: { message: 'GET /api/v1/pods: 302 Unknown: ', status: 302, code: 'Unknown', retryable: false },
    },
    'a connection that breaks before the answer is a network error': {
      answer: cut,
      want: { message: 'GET /api/v1/pods: other side closed', status: 0, code: 'Network', retryable: true },
    },
    'and so is one that breaks within it': {
      answer: (response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{"half":', () => cut(response));
      },
      want: { message: 'GET /api/v1/pods: other side closed', status: 0, code: 'Network', retryable: true },
    },
  };
  for (const [name, { answer, want }] of Object.entries(refusals)) {
    it(name, async () => {
      const server = await serve((_, response) => answer(response));
      const error = await errorOf(transportTo(server.kubeConfig()).request(get));
      const got = Object.fromEntries(Object.keys(want).map((key) => [key, error[key as keyof ApiError]]));
      assert.deepEqual(got, want);
    });
  }

  it('fails with Network when nobody listens', async () => {
    const server = await startFaultServer(() => undefined);
    await server.close();
    const error = await errorOf(transportTo(server.kubeConfig()).request(get));
    assert.equal(error.code, 'Network');
    assert.match(error.message, /ECONNREFUSED/);
  });

  it('fails with Timeout when the whole answer does not come in time', async () => {
    const server = await serve((_, response) => response.writeHead(200).write('{'));
    const transport = transportTo(server.kubeConfig(), { clock: scaledClock(1000) });
    const error = await errorOf(transport.request({ ...get, timeoutMs: 5000 }));
    assert.equal(error.code, 'Timeout');
    assert.equal(error.retryable, true);
    assert.equal(error.message, 'GET /api/v1/pods: no complete answer within 5 s');
  });

  it('counts the time in the queue', async () => {
    const server = await serve(() => undefined);
    const transport = transportTo(server.kubeConfig(), { clock: scaledClock(1000), maxConnections: 1 });
    const errors = await Promise.all([errorOf(transport.request(get)), errorOf(transport.request(get))]);
    assert.deepEqual(
      errors.map(({ code }) => code),
      ['Timeout', 'Timeout'],
    );
    assert.equal(server.requests.length, 1);
  });

  it('throws the reason of its signal when aborted, before or meanwhile', async () => {
    const server = await serve(() => undefined);
    const transport = transportTo(server.kubeConfig());
    const reason = new Error('enough');
    await assert.rejects(transport.request({ ...get, signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const asking = transport.request({ ...get, signal: controller.signal });
    setTimeout(() => controller.abort(reason), 20);
    await assert.rejects(asking, reason);
  });

  it('leaves neither timer nor listener behind', async () => {
    const server = await serve((_, response) => sendJson(response, 200, {}));
    const clock = new FakeClock();
    const transport = transportTo(server.kubeConfig(), { clock });
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...all: Parameters<typeof add>) => {
      listeners += 1;
      add(...all);
    };
    signal.removeEventListener = (...all: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...all);
    };
    await transport.request({ ...get, signal });
    assert.equal(clock.sleeping, 0);
    assert.equal(listeners, 0);
  });

  it('is observed once, with a resource that does not grow with the number of objects', async () => {
    const server = await serve((seen, response) =>
      seen.method === 'POST' ? sendStatus(response, 409, 'Conflict') : sendJson(response, 200, {}),
    );
    const seen: RequestObservation[] = [];
    const transport = transportTo(server.kubeConfig(), { observe: (observation) => seen.push(observation) });
    for (const path of [
      '/api/v1/pods',
      '/api/v1/namespaces/a/pods/b',
      '/api/v1/namespaces/a',
      '/api/v1/namespaces/a/status',
      '/api/v1/namespaces/status/pods',
      '/apis/moa.dev/v1alpha1/gpupools/national/status',
      '/apis/coordination.k8s.io/v1/namespaces/a/leases/b',
      '/version',
      '/apis',
    ]) {
      await transport.request({ method: 'GET', path });
    }
    await errorOf(transport.request({ method: 'POST', path: '/api/v1/namespaces/a/pods/b/binding' }));
    assert.deepEqual(
      seen.map(({ method, resource, status, code, stream }) => [method, resource, status, code, stream]),
      [
        ['GET', 'pods', 200, 'OK', false],
        ['GET', 'pods', 200, 'OK', false],
        ['GET', 'namespaces', 200, 'OK', false],
        ['GET', 'namespaces/status', 200, 'OK', false],
        ['GET', 'pods', 200, 'OK', false],
        ['GET', 'gpupools/status', 200, 'OK', false],
        ['GET', 'leases', 200, 'OK', false],
        ['GET', 'other', 200, 'OK', false],
        ['GET', 'other', 200, 'OK', false],
        ['POST', 'pods/binding', 409, 'Conflict', false],
      ],
    );
    assert.ok(seen.every(({ durationMs }) => durationMs > 0));
  });
});

describe('a stream', () => {
  it('gives the lines as they arrive and ends when the server ends', async () => {
    const server = await serve((_, response) => {
      response.writeHead(200);
      response.write('{"a":1}\n{"b"', () => response.end(':2}\nrest'));
    });
    assert.deepEqual(await collect(transportTo(server.kubeConfig()).stream(get)), ['{"a":1}', '{"b":2}', 'rest']);
  });

  it('carries lines of a megabyte', async () => {
    const long = 'x'.repeat(1_048_576);
    const server = await serve((_, response) => response.writeHead(200).end(`${long}\n${long}\n`));
    const lines = await collect(transportTo(server.kubeConfig()).stream(get));
    assert.deepEqual(
      lines.map(({ length }) => length),
      [1_048_576, 1_048_576],
    );
  });

  it('throws Network when the connection breaks in the middle of a line, after the lines before it', async () => {
    const server = await serve((_, response) => {
      response.writeHead(200);
      response.write('one\ntw', () => cut(response));
    });
    const lines = transportTo(server.kubeConfig()).stream(get)[Symbol.asyncIterator]();
    assert.deepEqual(await lines.next(), { done: false, value: 'one' });
    assert.equal((await errorOf(lines.next())).code, 'Network');
  });

  it('throws Timeout when it goes silent, and frees the connection', async () => {
    const closed = Promise.withResolvers<true>();
    const server = await serve((_, response) => {
      response.writeHead(200).write('one\n');
      response.on('close', () => closed.resolve(true));
    });
    const transport = transportTo(server.kubeConfig(), { clock: scaledClock(1000) });
    const lines = transport.stream({ ...get, ...patient, inactivityMs: 90_000 })[Symbol.asyncIterator]();
    await lines.next();
    const error = await errorOf(lines.next());
    assert.equal(error.code, 'Timeout');
    assert.equal(error.message, 'GET /api/v1/pods: nothing came for 90 s');
    await closed.promise;
  });

  it('does not take a slow consumer for a silent server', async () => {
    const consumed = Promise.withResolvers<true>();
    const server = await serve((_, response) => {
      response.writeHead(200).write('one\n');
      void consumed.promise.then(() => response.end('two\n'));
    });
    const clock = scaledClock(1000);
    const seen: string[] = [];
    const lines = transportTo(server.kubeConfig(), { clock }).stream({ ...get, ...patient, inactivityMs: 200_000 });
    for await (const line of lines) {
      seen.push(line);
      await clock.sleep(500_000);
      consumed.resolve(true);
    }
    assert.deepEqual(seen, ['one', 'two']);
  });

  it('does not end a stream that speaks now and then, however long after its beginning', async () => {
    const clock = scaledClock(1000);
    const words = ['a', 'b', 'c', 'd', 'e', 'f'];
    const server = await serve((_, response) => {
      response.writeHead(200).flushHeaders();
      const speak = async (): Promise<void> => {
        for (const word of words) {
          await clock.sleep(60_000);
          response.write(`${word}\n`);
        }
        response.end();
      };
      void speak();
    });
    const transport = transportTo(server.kubeConfig(), { clock });
    const lines = await collect(transport.stream({ ...get, timeoutMs: 250_000, inactivityMs: 250_000 }));
    assert.deepEqual(lines, words);
  });

  it('throws Timeout when it does not begin', async () => {
    const server = await serve(() => undefined);
    const transport = transportTo(server.kubeConfig(), { clock: scaledClock(1000) });
    assert.equal((await errorOf(collect(transport.stream(get)))).code, 'Timeout');
  });

  it('throws the refusal of the server', async () => {
    const server = await serve((_, response) => sendStatus(response, 410, 'Expired'));
    const error = await errorOf(collect(transportTo(server.kubeConfig()).stream(get)));
    assert.deepEqual([error.status, error.code], [410, 'Expired']);
  });

  it('closes its connection when the loop is left', async () => {
    const closed = Promise.withResolvers<true>();
    const server = await serve((_, response) => {
      response.writeHead(200).write('one\n');
      response.on('close', () => closed.resolve(true));
    });
    for await (const line of transportTo(server.kubeConfig()).stream(get)) {
      assert.equal(line, 'one');
      break;
    }
    await closed.promise;
  });

  it('throws the reason of its signal when aborted', async () => {
    const server = await serve((_, response) => response.writeHead(200).write('one\n'));
    const controller = new AbortController();
    const reason = new Error('enough');
    const reading = collect(transportTo(server.kubeConfig()).stream({ ...get, signal: controller.signal }));
    setTimeout(() => controller.abort(reason), 20);
    await assert.rejects(reading, reason);
  });

  it('does not take the place of a request, however many there are', async () => {
    const server = await serve((seen, response) => {
      if (seen.query['watch'] === undefined) sendJson(response, 200, { free: true });
      else response.writeHead(200).write('one\n');
    });
    const transport = transportTo(server.kubeConfig(), { maxConnections: 1 });
    const streams = Array.from({ length: 5 }, () =>
      transport.stream({ ...get, query: { watch: 'true' } })[Symbol.asyncIterator](),
    );
    await Promise.all(streams.map((stream) => stream.next()));
    assert.deepEqual(await transport.request(get), { free: true });
    for (const stream of streams) await stream.return?.();
  });
});

describe('credentials', () => {
  const folder = mkdtempSync(join(tmpdir(), 'moa-credentials-'));
  after(() => rmSync(folder, { recursive: true }));

  /** A server that accepts one token at a time. */
  async function guarded(): Promise<FaultServer & { accept(token: string): void }> {
    let accepted = 'first';
    const server = await serve((seen, response) => {
      if (seen.headers['authorization'] === `Bearer ${accepted}`) sendJson(response, 200, {});
      else sendStatus(response, 401, 'Unauthorized');
    });
    return Object.assign(server, { accept: (token: string) => (accepted = token) });
  }

  function withTokenFile(server: FaultServer, name: string): { config: KubeConfig; write: (token: string) => void } {
    const tokenFile = join(folder, name);
    const write = (token: string): void => writeFileSync(tokenFile, `${token}\n`);
    write('first');
    const config = kubeConfigFor(server.url, { authProvider: { name: 'tokenFile', config: { tokenFile } } });
    return { config, write };
  }

  it('are read again at once after a refusal, and the request is sent once more', async () => {
    const server = await guarded();
    const { config, write } = withTokenFile(server, 'renewed');
    const transport = transportTo(config);
    await transport.request(get);
    server.accept('second');
    write('second');
    await Promise.all([transport.request(get), transport.request(get), collect(transport.stream(get))]);
    const accepted = server.requests.filter(({ headers }) => headers['authorization'] === 'Bearer second');
    assert.equal(accepted.length, 3);
  });

  it('that stay refused are the answer, and are not read for every request', async () => {
    const server = await guarded();
    const counter = join(folder, 'runs');
    const script = join(folder, 'plugin.mjs');
    writeFileSync(
      script,
      `import { appendFileSync } from 'node:fs';
       appendFileSync(${JSON.stringify(counter)}, 'x');
       console.log(JSON.stringify({ kind: 'ExecCredential', status: { token: 'wrong' } }));`,
    );
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: [script] };
    const transport = transportTo(kubeConfigFor(server.url, { exec }));
    for (let count = 0; count < 5; count++) {
      assert.equal((await errorOf(transport.request(get))).code, 'Unauthorized');
    }
    assert.equal(readFileSync(counter, 'utf8'), 'xx');
  });

  it('of a plugin are asked for again when the server refuses them, though the plugin set no end', async () => {
    const server = await guarded();
    const token = join(folder, 'plugin-token');
    writeFileSync(token, 'first');
    const script = join(folder, 'rotating-plugin.mjs');
    writeFileSync(
      script,
      `import { readFileSync } from 'node:fs';
       const token = readFileSync(${JSON.stringify(token)}, 'utf8');
       console.log(JSON.stringify({ kind: 'ExecCredential', status: { token } }));`,
    );
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: [script] };
    const transport = transportTo(kubeConfigFor(server.url, { exec }));
    await transport.request(get);
    server.accept('second');
    writeFileSync(token, 'second');
    await transport.request(get);
  });

  it('of another certificate open new connections, and let the streams on the old ones go on', async () => {
    const server = await serve((seen, response) => {
      if (seen.query['watch'] === undefined) sendJson(response, 200, {});
      else response.writeHead(200).write('one\n', () => setTimeout(() => response.end('two\n'), 100));
    });
    const certFile = join(folder, 'certificate');
    writeFileSync(certFile, 'first');
    const clock = new FakeClock();
    const transport = transportTo(kubeConfigFor(server.url, { certFile }), { clock, maxConnections: 1 });
    const lines = transport.stream({ ...get, query: { watch: 'true' } })[Symbol.asyncIterator]();
    await lines.next();
    await transport.request(get);
    await transport.request(get);
    assert.equal(server.connections, 2);
    writeFileSync(certFile, 'second');
    await clock.advance(60_000);
    // This one finds that it is time to look; the next has what was found.
    await transport.request(get);
    await transport.request(get);
    assert.equal(server.connections, 3);
    assert.deepEqual(await lines.next(), { done: false, value: 'two' });
    assert.equal((await lines.next()).done, true);
  });

  it('that cannot be had any more do not stop a request while the old ones are accepted', async () => {
    const server = await guarded();
    const certFile = join(folder, 'vanishing-certificate');
    writeFileSync(certFile, 'first');
    const clock = new FakeClock();
    const transport = transportTo(kubeConfigFor(server.url, { certFile, token: 'first' }), { clock });
    await transport.request(get);
    rmSync(certFile);
    for (let minute = 0; minute < 3; minute++) {
      await clock.advance(60_000);
      await transport.request(get);
    }
  });

  it('that cannot be had say whose they are and why', async () => {
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: join(folder, 'no-such-plugin') };
    const error = await errorOf(transportTo(kubeConfigFor('http://127.0.0.1:1', { exec })).request(get));
    assert.equal(error.code, 'Credentials');
    assert.match(error.message, /cannot get the credentials of user u: .*ENOENT/);
  });

  it('as name and password are sent as such', async () => {
    const server = await serve((_, response) => sendJson(response, 200, {}));
    await transportTo(kubeConfigFor(server.url, { username: 'kim', password: 'pw' })).request(get);
    assert.equal(server.requests[0]?.headers['authorization'], `Basic ${Buffer.from('kim:pw').toString('base64')}`);
  });
});
