/**
 * A process that stands for election, for tests that kill and freeze it. Arguments: kubeconfig, namespace, identity.
 * It prints `leading`, then `act` ten times a second for as long as it may act as leader, and `stopped` when it was
 * told to stop. SIGTERM ends it in order.
 */
import process from 'node:process';

import { createTransport, loadKubeConfig, runLeaderElection, systemClock } from '../../src/kube/index.ts';

const [kubeconfig, namespace = '', identity = ''] = process.argv.slice(2);
const clock = systemClock();
const transport = createTransport({ kubeConfig: loadKubeConfig(kubeconfig), userAgent: 'moa-test' });
const controller = new AbortController();
process.on('SIGTERM', () => controller.abort(new Error('terminated')));

await runLeaderElection({
  transport,
  namespace,
  name: 'moa-leader',
  identity,
  leaseDurationMs: 15_000,
  renewDeadlineMs: 10_000,
  retryPeriodMs: 2000,
  clock,
  random: Math.random,
  signal: controller.signal,
  onStartedLeading: async (signal, stillLeading) => {
    console.log('leading');
    while (!signal.aborted) {
      if (stillLeading()) console.log('act');
      await clock.sleep(100, signal).catch(() => undefined);
    }
    console.log('stopped');
  },
});
await transport.close();
