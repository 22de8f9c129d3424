import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { group, leaseName } from './api/v1alpha1/constants/index.ts';
import type { Config } from './config/index.ts';
import {
  Accounting,
  Caches,
  runScheduler,
  SchedulingRecord,
  startStatusControllers,
  stateSample,
} from './controllers/index.ts';
import {
  createTransport,
  EventRecorder,
  isApiError,
  loadKubeConfig,
  runLeaderElection,
  systemClock,
  type Transport,
} from './kube/index.ts';
import {
  createHealth,
  createMetrics,
  cycleObserver,
  eventObserver,
  leaderElectionObserver,
  noState,
  queueObserver,
  reconcileObserver,
  requestObserver,
  serveObservation,
  startTracing,
  tellAll,
  type Logger,
} from './observe/index.ts';

/**
 * A little tighter than Kubernetes' own components (15, 10 and 2 s): a follower learns of a renewal within a second, so
 * that a leader that crashed is succeeded after 10 to 13 seconds. An API server may be away for 8 seconds before the
 * lead is given up, and is then taken up again as soon as it is back.
 */
const lease = { leaseDurationMs: 12_000, renewDeadlineMs: 8_000, retryPeriodMs: 2_000 };

/**
 * The operator: watches everything, serves metrics and health, and, while it leads, schedules and keeps statuses.
 * Resolves when the signal has aborted and everything has ended; rejects when it cannot start or loses the lease.
 */
export async function runOperator(config: Config, version: string, logger: Logger, signal: AbortSignal): Promise<void> {
  const clock = systemClock(config.clockOffsetMs);
  const random = Math.random;
  const metrics = createMetrics({ version });
  const health = createHealth(() => clock.monotonic());
  const kubeConfig = loadKubeConfig(config.kubeconfig);
  const identity = `${hostname()}_${randomUUID()}`;
  const tracing = await tracingOf(config, { version, instance: identity, logger: logger.child('tracing') });
  const transport = createTransport({
    kubeConfig,
    userAgent: `moa/${version}`,
    maxConnections: config.bindConcurrency + 16,
    observe: tellAll(requestObserver(metrics), tracing?.request),
    clock,
  });
  // Whatever ends first, a failure included, ends everything.
  const stop = new AbortController();
  const running = AbortSignal.any([signal, stop.signal]);
  const closing: (() => Promise<void>)[] = [];
  const servers = await serveObservation({ ...config, metrics, health, logger: logger.child('server') });
  try {
    const feedOptions = { transport, clock, random, metrics, health, signal: running, logger: logger.child('cache') };
    const caches = new Caches(feedOptions, (isWatched) => accounting.podsWatched(isWatched));
    const accounting = new Accounting({
      url: config.ledger,
      journal: config.ledgerJournal ?? journalBeside(config.ledger),
      fleet: caches.fleet,
      clock,
      metrics,
      logger: logger.child('ledger'),
      onNews: () => caches.showAgain(),
    });
    closing.push(() => accounting.close());
    const events = new EventRecorder({
      transport,
      clock,
      random,
      reportingController: `${group}/operator`,
      reportingInstance: identity,
      observe: eventObserver({ metrics, logger: logger.child('events') }),
    });
    let record = new SchedulingRecord(caches.fleet.history);
    let acts = (): boolean => false;
    metrics.beforeRender(() => {
      accounting.showLag();
      const now = clock.now();
      const sample = () => stateSample(caches.fleet.snapshot(now), { record, manifests: caches.manifests, now });
      metrics.recordState(acts() ? sample() : noState);
    });
    const lead = async (leading: AbortSignal, stillLeading: () => boolean): Promise<void> => {
      await caches.synced(leading);
      const own = whileLeading(transport, stillLeading);
      await caches.caughtUp(own, leading);
      caches.fleet.forgetAll();
      record = new SchedulingRecord(caches.fleet.history);
      record.borrowing.takeUp(caches.manifests.quotas.values());
      acts = stillLeading;
      const shared = {
        transport: own,
        events,
        clock,
        random,
        metrics,
        health,
        signal: leading,
      };
      await Promise.all([
        events.run(leading),
        accounting.lead({
          transport,
          takeReclaims: () => record.access.takeReclaims(),
          statusOf: (quota) => caches.manifests.quotas.get(quota)?.status,
          signal: leading,
        }),
        runScheduler({
          ...shared,
          fleet: caches.fleet,
          wake: caches.wake,
          logger: logger.child('scheduler'),
          bindConcurrency: config.bindConcurrency,
          stillLeading,
          record,
          observe: tellAll(cycleObserver(metrics), tracing?.cycle),
          onCycle: (snapshot, now) => accounting.settle(snapshot, now),
        }),
        startStatusControllers({
          ...shared,
          world: {
            ...caches.manifests,
            record,
            budgetOf: (quota) => accounting.budgetOf(caches.fleet.snapshot(clock.now()), quota, clock.now()),
            ledgerState: () => accounting.state(),
            now: () => clock.now(),
            snapshot: () => caches.fleet.snapshot(clock.now()),
            subscribe: (listener) => caches.subscribe(listener),
          },
          onPicture: (figures) => accounting.observeInvestments(figures),
          observe: tellAll(reconcileObserver({ metrics, logger: logger.child('status') }), tracing?.reconcile),
          showQueue: queueObserver(metrics),
          onError: (error) =>
            logger.child('status').error('cannot work out the statuses, it is tried again', { error }),
        }),
      ]);
    };
    const acting = config.leaderElect
      ? ensureNamespace(transport, config).then(() =>
          runLeaderElection({
            ...lease,
            transport,
            namespace: config.namespace,
            name: leaseName,
            identity,
            clock,
            random,
            signal: running,
            onStartedLeading: lead,
            observe: leaderElectionObserver({ metrics, logger: logger.child('election') }),
          }),
        )
      : actAlone(lead, running, () => metrics.leader.set(1));
    await Promise.all([caches.run(), acting.finally(() => stop.abort())]);
  } finally {
    stop.abort();
    for (const close of closing) await close();
    await servers.close();
    await tracing?.close();
    await transport.close();
  }
}

/** Where the journal of a ledger is when nobody says so. */
function journalBeside(ledger: string): string {
  const file = /^sqlite:(.+)$/.exec(ledger)?.[1];
  return file === undefined ? 'moa-ledger.journal' : `${file}.journal`;
}

function tracingOf({ otlpEndpoint: endpoint }: Config, options: Omit<Parameters<typeof startTracing>[0], 'endpoint'>) {
  return endpoint === undefined ? undefined : startTracing({ endpoint, ...options });
}

/** Lets nothing through once leadership cannot be relied on: a process that was frozen finds out here. */
function whileLeading(transport: Transport, stillLeading: () => boolean): Transport {
  return {
    stream: (request) => transport.stream(request),
    close: () => transport.close(),
    request: async (request) => {
      if (!stillLeading()) throw new Error('no longer leading');
      return transport.request(request);
    },
  };
}

async function actAlone(
  lead: (signal: AbortSignal, stillLeading: () => boolean) => Promise<void>,
  signal: AbortSignal,
  onStart: () => void,
): Promise<void> {
  onStart();
  await lead(signal, () => true).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

/**
 * Outside a cluster nobody has made the operator's namespace; inside, it is the one that we run in. Looks before it
 * creates: whoever may not create it may well have been given it.
 */
async function ensureNamespace(transport: Transport, { namespace, kubeconfig }: Config): Promise<void> {
  if (kubeconfig === undefined) return;
  const path = '/api/v1/namespaces';
  const query = { fieldSelector: `metadata.name=${namespace}` };
  const { items } = await transport.request<{ readonly items: readonly unknown[] }>({ method: 'GET', path, query });
  if (items.length > 0) return;
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await transport.request({ method: 'POST', path, body }).catch((error: unknown) => {
    if (!isApiError(error, 'AlreadyExists')) throw error;
  });
}
