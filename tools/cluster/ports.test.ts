import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';

import { freePort } from './ports.ts';

test('a preferred port is taken when it is free and replaced when it is not', async () => {
  const port = await freePort();
  assert.equal(await freePort(port), port);
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  assert.notEqual(await freePort(port), port);
  server.close();
});
