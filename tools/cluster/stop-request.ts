import process from 'node:process';

import { endWithParent } from './parent.ts';

/** Somebody wants this process to end. */
export interface StopRequest {
  /** Aborts when they do. */
  readonly signal: AbortSignal;
  /** Resolves when they do. */
  readonly asked: Promise<undefined>;
  /** Leaves signals to their usual effect again. */
  forget(): void;
}

/**
 * Ctrl-C, SIGTERM, a closed terminal or the end of npm ask for an orderly stop. A signal that comes a second later does
 * not wait for it; sooner it is the same Ctrl-C, which a terminal and npm both pass on.
 */
export function stopRequest(): StopRequest {
  const controller = new AbortController();
  const { promise: asked, resolve } = Promise.withResolvers<undefined>();
  let first = Infinity;
  const onSignal = () => {
    if (Date.now() > first + 1000) process.exit(130);
    if (controller.signal.aborted) return;
    first = Date.now();
    console.error('Stopping ...');
    controller.abort();
    resolve(undefined);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  // Without npm in between, someone may have detached this process from its parent on purpose.
  const underNpm = process.env['npm_lifecycle_event'] !== undefined;
  const forgetParent = underNpm ? endWithParent(onSignal) : () => undefined;
  return {
    signal: controller.signal,
    asked,
    forget: () => {
      for (const signal of signals) process.off(signal, onSignal);
      forgetParent();
    },
  };
}
