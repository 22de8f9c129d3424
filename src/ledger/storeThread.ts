import { parentPort, workerData } from 'node:worker_threads';

import { LedgerError } from './errors.ts';
import { openStore, type Store } from './store.ts';
import type { Answer, Call } from './threadStore.ts';

/*
 * The other end of ThreadStore: runs the store of the URL that it is given. The store is opened with the first call, and
 * again with the next one when that fails.
 */
let opened: Promise<Store> | undefined;

parentPort?.on('message', (call: Call) => void answer(call).then((message) => parentPort?.postMessage(message)));

async function answer({ id, method, parameters }: Call): Promise<Answer> {
  try {
    opened ??= openStore(workerData as string);
    const store = await opened.catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    const run = store[method].bind(store) as (...parameters: readonly unknown[]) => Promise<unknown>;
    return { id, value: await run(...parameters) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { id, error: { code: error instanceof LedgerError ? error.code : 'Unavailable', message } };
  }
}
