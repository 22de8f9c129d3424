import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';

import { createHealth } from './health.ts';
import type { ListenAddress } from './httpServer.ts';
import { silentLogger } from './logging.ts';
import { createMetrics } from './metrics.ts';
import { ListenError, serveObservation } from './server.ts';
import type { ObservationOptions } from './server.ts';

const anyPort: ListenAddress = { host: '127.0.0.1', port: 0 };

async function served(t: TestContext, options: Partial<ObservationOptions> = {}) {
  const health = createHealth();
  const servers = await serveObservation({
    metricsAddress: anyPort,
    healthAddress: anyPort,
    metrics: createMetrics({ version: '1' }),
    health,
    logger: silentLogger,
    ...options,
  });
  t.after(() => servers.close());
  return {
    servers,
    health,
    metricsPort: servers.metricsAddress?.port ?? 0,
    healthPort: servers.healthAddress?.port ?? 0,
  };
}

async function call(port: number, path: string, method = 'GET', body = '') {
  const sent = request({ host: '127.0.0.1', port, path, method, agent: false });
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const text = (await answer.toArray()).map(String).join('');
  return { status: answer.statusCode, headers: answer.headers, text };
}

describe('/metrics', () => {
  it('is the page in the Prometheus text format', async (t) => {
    const { metricsPort } = await served(t);
    const { status, headers, text } = await call(metricsPort, '/metrics');
    assert.equal(status, 200);
    assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    assert.match(text, /^moa_build_info\{version="1"/m);
  });

  it('that cannot be made is a 500 without the cause, and the next page is served', async (t) => {
    const metrics = createMetrics({ version: '1' });
    let failures = 1;
    const broken = {
      ...metrics,
      render: () => (failures-- > 0 ? Promise.reject(new Error('secret')) : metrics.render()),
    };
    const { metricsPort } = await served(t, { metrics: broken });
    const { status, text } = await call(metricsPort, '/metrics');
    assert.deepEqual([status, text], [500, 'internal error, see the log\n']);
    assert.equal((await call(metricsPort, '/metrics')).status, 200);
  });
});

describe('/healthz', () => {
  it('is ok alone when all is well', async (t) => {
    const { health, healthPort } = await served(t);
    health.loop('scheduler', 60_000);
    const { status, text } = await call(healthPort, '/healthz');
    assert.deepEqual([status, text], [200, 'ok\n']);
  });

  it('lists each check when asked, as Kubernetes does', async (t) => {
    const { health, healthPort } = await served(t);
    health.loop('scheduler', 60_000);
    const { status, text } = await call(healthPort, '/healthz?verbose');
    assert.deepEqual([status, text], [200, '[+]ping ok\n[+]scheduler ok\nhealthz check passed\n']);
  });

  it('is 503 and names the loop that stands still', async (t) => {
    let milliseconds = 0;
    const health = createHealth(() => milliseconds);
    const { healthPort } = await served(t, { health });
    health.loop('scheduler', 1000);
    milliseconds = 2000;
    const { status, text } = await call(healthPort, '/healthz');
    assert.equal(status, 503);
    assert.equal(
      text,
      '[+]ping ok\n[-]scheduler failed: no sign of life for 2 s, allowed are 1 s\nhealthz check failed\n',
    );
  });
});

describe('/readyz', () => {
  it('is 503 until every condition is met, while /healthz is already 200', async (t) => {
    const { health, healthPort } = await served(t);
    assert.equal((await call(healthPort, '/readyz')).status, 503);
    assert.equal((await call(healthPort, '/healthz')).status, 200);
    let synced = false;
    health.requireReady('pods', () => (synced ? undefined : 'not listed yet'));
    const { status, text } = await call(healthPort, '/readyz');
    assert.deepEqual([status, text], [503, '[-]pods failed: not listed yet\nreadyz check failed\n']);
    synced = true;
    assert.equal((await call(healthPort, '/readyz')).status, 200);
  });
});

describe('the servers', () => {
  it('answer HEAD like GET, without the body', async (t) => {
    const { healthPort } = await served(t);
    const { status, headers, text } = await call(healthPort, '/healthz', 'HEAD');
    assert.deepEqual([status, headers['content-length'], text], [200, '3', '']);
  });

  it('answer 405 with what is allowed, body and all', async (t) => {
    const { healthPort } = await served(t);
    const { status, headers } = await call(healthPort, '/healthz', 'POST', 'x'.repeat(1_000_000));
    assert.deepEqual([status, headers.allow], [405, 'GET, HEAD']);
  });

  it('answer 404 with the paths that there are', async (t) => {
    const { healthPort, metricsPort } = await served(t);
    assert.deepEqual(await call(healthPort, '/metrics').then(({ status, text }) => [status, text]), [
      404,
      'not found; there is /healthz, /readyz\n',
    ]);
    assert.deepEqual(await call(metricsPort, '/').then(({ status, text }) => [status, text]), [
      404,
      'not found; there is /metrics\n',
    ]);
  });

  it('answer 400 to a path that is none', async (t) => {
    const { healthPort } = await served(t);
    assert.equal((await call(healthPort, '//:99999')).status, 400);
  });

  it('are one when both addresses are the same', async (t) => {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as { port: number };
    await new Promise((resolve) => probe.close(resolve));
    const address = { host: '127.0.0.1', port };
    await served(t, { metricsAddress: address, healthAddress: address });
    assert.equal((await call(port, '/metrics')).status, 200);
    assert.equal((await call(port, '/healthz')).status, 200);
  });

  it('are left out where there is no address', async (t) => {
    const { servers } = await served(t, { metricsAddress: undefined, healthAddress: undefined });
    assert.deepEqual([servers.metricsAddress, servers.healthAddress], [undefined, undefined]);
  });

  it('say which flag to change when the address is taken, and leave nothing listening', async (t) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    t.after(() => taken.close());
    const { port } = taken.address() as { port: number };
    let metricsPort = 0;
    const metrics = createMetrics({ version: '1' });
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    metricsPort = (free.address() as { port: number }).port;
    await new Promise((resolve) => free.close(resolve));
    const start = served(t, {
      metrics,
      metricsAddress: { host: '127.0.0.1', port: metricsPort },
      healthAddress: { host: '127.0.0.1', port },
    });
    await assert.rejects(start, (error: unknown) => {
      assert.ok(error instanceof ListenError);
      assert.equal(error.code, 'EADDRINUSE');
      assert.match(
        error.message,
        new RegExp(`^--health-address 127\\.0\\.0\\.1:${port}: something else listens there`),
      );
      return true;
    });
    await assert.rejects(call(metricsPort, '/metrics'), { code: 'ECONNREFUSED' });
  });

  it('close at once though an idle connection is open, and cut one that dawdles after a second', async (t) => {
    const { servers, healthPort } = await served(t);
    const dawdling = connect(healthPort, '127.0.0.1');
    await once(dawdling, 'connect');
    dawdling.write('GET /healthz HTTP/1.1\r\n');
    const ended = once(dawdling, 'close');
    dawdling.on('error', () => undefined);
    await call(healthPort, '/healthz');
    await Promise.all([servers.close(), servers.close(), ended]);
    await assert.rejects(call(healthPort, '/healthz'), { code: 'ECONNREFUSED' });
  });
});
