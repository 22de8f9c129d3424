import { Worker } from 'node:worker_threads';

import type { Clock } from '../kube/index.ts';
import { LedgerError, type LedgerErrorCode } from './errors.ts';
import type { Store } from './store.ts';

/** What is asked of the thread. */
export interface Call {
  readonly id: number;
  readonly method: keyof Store;
  readonly parameters: readonly unknown[];
}

/** What it answers. Errors lose their class on the way. */
export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { readonly code: LedgerErrorCode; readonly message: string };
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: LedgerError) => void;
}

/** A database that says nothing for so long is given up, and the thread with it. */
const patienceMs = 120_000;

/**
 * A store in a thread of its own: neither a slow disk nor a long report holds up the scheduler. The thread is expendable.
 * When it dies, or does not answer in time, whatever was asked rejects with Unavailable and the next call starts
 * another one.
 */
export class ThreadStore implements Store {
  readonly #url: string;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #calls = 0;

  /** @param url see `openStore`; nothing is opened before the first call */
  constructor(url: string, clock: Clock) {
    this.#url = url;
    this.#clock = clock;
  }

  begin: Store['begin'] = () => this.#call('begin');
  write: Store['write'] = (...parameters) => this.#call('write', ...parameters);
  open: Store['open'] = () => this.#call('open');
  lastEnds: Store['lastEnds'] = (...parameters) => this.#call('lastEnds', ...parameters);
  usage: Store['usage'] = (...parameters) => this.#call('usage', ...parameters);
  intervals: Store['intervals'] = (...parameters) => this.#call('intervals', ...parameters);
  investments: Store['investments'] = (...parameters) => this.#call('investments', ...parameters);

  async close(): Promise<void> {
    if (this.#worker === undefined) return;
    try {
      await this.#call('close');
    } finally {
      await this.#giveUp('closed');
    }
  }

  async #call<M extends keyof Store>(
    method: M,
    ...parameters: Parameters<Store[M]>
  ): Promise<Awaited<ReturnType<Store[M]>>> {
    const worker = (this.#worker ??= this.#start());
    const id = (this.#calls += 1);
    const answered = new AbortController();
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({ id, method, parameters } satisfies Call);
    }).finally(() => {
      this.#waiting.delete(id);
      answered.abort();
    });
    void this.#clock.sleep(patienceMs, answered.signal).then(
      () => this.#giveUp(`no answer within ${patienceMs / 1000} s`, worker),
      () => undefined,
    );
    return (await answer) as Awaited<ReturnType<Store[M]>>;
  }

  #start(): Worker {
    const worker = new Worker(new URL('storeThread.ts', import.meta.url), { workerData: this.#url });
    worker.on('message', ({ id, value, error }: Answer) => {
      const waiting = this.#waiting.get(id);
      if (error === undefined) waiting?.resolve(value);
      else waiting?.reject(new LedgerError(error.code, error.message));
    });
    worker.on('error', (error: unknown) => void this.#giveUp(String(error), worker));
    worker.on('exit', () => void this.#giveUp('its thread ended', worker));
    return worker;
  }

  /** Ends the thread, if it is still this one. */
  async #giveUp(why: string, worker = this.#worker): Promise<void> {
    if (worker === undefined || worker !== this.#worker) return;
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values())
      reject(new LedgerError('Unavailable', `the ledger's store is gone: ${why}`));
    await worker.terminate();
  }
}
