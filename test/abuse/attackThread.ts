import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

import { clientOf } from '../support/index.ts';
import { attacks } from './attacks.ts';

/** Who attacks what. Plain data: it goes to another thread. */
export interface Assault {
  /** Name of the attack. */
  readonly attack: string;
  /** Path of an administrator's kubeconfig. */
  readonly kubeconfig: string;
  /** Whom the attacker acts as. */
  readonly user: string;
  readonly namespace: string;
  readonly size: number;
}

/** An attack that goes on. */
export interface Attacker {
  /** Resolves when the attack is in full swing. */
  readonly ready: Promise<void>;
  /** Ends it; resolves when nothing of it is under way any more. @throws whatever the attack failed with */
  stop(): Promise<void>;
}

/** Attacks from a thread of its own, so that who measures beside it is not held up by it in their own. */
export function startAttack(assault: Assault): Attacker {
  const worker = new Worker(new URL(import.meta.url), { workerData: assault });
  const ready = Promise.withResolvers<undefined>();
  const ended = Promise.withResolvers<undefined>();
  worker.on('message', () => ready.resolve(undefined));
  worker.on('error', (error) => {
    ready.reject(error);
    ended.reject(error);
  });
  worker.on('exit', () => {
    ready.resolve(undefined);
    ended.resolve(undefined);
  });
  // Whoever waits for neither is told by the other.
  for (const { promise } of [ready, ended]) promise.catch(() => undefined);
  return {
    ready: ready.promise,
    stop: async () => {
      worker.postMessage('stop');
      await ended.promise;
    },
  };
}

async function attack({ attack: name, kubeconfig, user, namespace, size }: Assault): Promise<void> {
  const chosen = attacks.find((one) => one.name === name);
  if (chosen === undefined) throw new Error(`there is no attack ${name}`);
  const stop = new AbortController();
  parentPort?.once('message', () => stop.abort());
  const client = clientOf(kubeconfig, { user });
  await chosen.run({ client, namespace, size, signal: stop.signal }, () => parentPort?.postMessage('ready'));
  // One that only puts things up lasts until it is told to end.
  if (!stop.signal.aborted) await new Promise((ended) => stop.signal.addEventListener('abort', ended));
  await client.transport.close();
}

if (!isMainThread) await attack(workerData as Assault);
