import { createServer } from 'node:net';

/**
 * A TCP port of the loopback interface that is free now: `preferred` if it is, else any. Another program may take it
 * before it is used, so whoever listens on it must be ready to try again.
 */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await listens(preferred)) !== undefined) return preferred;
  const port = await listens(0);
  if (port === undefined) throw new Error('no free TCP port on 127.0.0.1');
  return port;
}

function listens(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(address === null || typeof address === 'string' ? undefined : address.port));
    });
  });
}
