import type {
  EventObservation,
  LeaderElectionObservation,
  ReconcileObservation,
  ReflectorObservation,
  RequestObservation,
} from '../kube/index.ts';
import { describeError } from './errors.ts';
import type { Logger } from './logging.ts';
import type { Metrics } from './metrics.ts';

interface Sinks {
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** Counts what a transport tells of its requests. */
export function requestObserver(metrics: Metrics): (observation: RequestObservation) => void {
  return ({ method, resource, stream, status, code, durationMs }) => {
    const verb = stream ? 'WATCH' : method;
    metrics.apiRequests.inc({ verb, resource, code: status === 0 ? code : String(status) });
    metrics.apiRequestDuration.observe({ verb, resource }, durationMs / 1000);
  };
}

/** Counts and logs what the reflector of `resource` tells, and shows the size of its store. */
export function reflectorObserver(
  options: Sinks & {
    readonly resource: string;
    readonly store: { readonly size: number };
  },
): (observation: ReflectorObservation) => void {
  const { resource, store, metrics, logger } = options;
  metrics.beforeRender(() => metrics.storeObjects.set({ resource }, store.size));
  metrics.storeRejects.inc({ resource }, 0);
  return (observation) => {
    switch (observation.type) {
      case 'listed': {
        const { by, objects, durationMs } = observation;
        metrics.storeLists.inc({ resource, by });
        logger.info(`listed by ${by}`, { resource, count: objects, durationMs: Math.round(durationMs) });
        return;
      }
      case 'event':
        metrics.watchEvents.inc({ resource, type: observation.event });
        return;
      case 'failed':
        metrics.watchRestarts.inc({ resource, reason: describeError(observation.error).code ?? 'Other' });
        logger.warn('list or watch failed, it is tried again', { resource, error: observation.error });
        return;
      case 'rejected':
        metrics.storeRejects.inc({ resource });
        logger.error('cannot read an object, it stays as known before', {
          resource,
          key: observation.key,
          error: observation.error,
        });
        return;
    }
  };
}

/** Counts, times and logs what controllers tell of their reconciliations. */
export function reconcileObserver({ metrics, logger }: Sinks): (observation: ReconcileObservation) => void {
  return ({ name, key, outcome, durationMs, error }) => {
    metrics.reconciles.inc({ controller: name, result: outcome });
    metrics.reconcileDuration.observe({ controller: name }, durationMs / 1000);
    const fields = { controller: name, key, durationMs: Math.round(durationMs), error };
    if (outcome === 'failed') logger.warn('cannot reconcile, it is tried again', fields);
    if (outcome === 'terminal') logger.error('cannot reconcile, it is not tried again until something changes', fields);
  };
}

/** Counts what becomes of Kubernetes Events, and logs those that are lost. */
export function eventObserver({ metrics, logger }: Sinks): (observation: EventObservation) => void {
  return (observation) => {
    metrics.events.inc({ result: observation.type });
    if (observation.type === 'failed')
      logger.warn('cannot write an event, it is given up', { error: observation.error });
    if (observation.type === 'dropped') logger.debug(`an event is given up: ${observation.why}`);
  };
}

/** Shows and logs whether this process leads. */
export function leaderElectionObserver({ metrics, logger }: Sinks): (observation: LeaderElectionObservation) => void {
  metrics.leader.set(0);
  return (observation) => {
    metrics.leaderElections.inc({ result: observation.type });
    switch (observation.type) {
      case 'acquired':
        metrics.leader.set(1);
        logger.info('leading');
        return;
      case 'released':
        metrics.leader.set(0);
        logger.info('no longer leading, the lease is given back');
        return;
      case 'lost':
        metrics.leader.set(0);
        logger.error('no longer leading, the lease could not be renewed');
        return;
      case 'failed':
        logger.warn('leader election failed, it is tried again', { error: observation.error });
        return;
    }
  };
}

/** Shows the length of work queues. */
export function queueObserver(metrics: Metrics): (name: string, queue: { readonly size: number }) => void {
  return (name, queue) => metrics.beforeRender(() => metrics.workqueueDepth.set({ name }, queue.size));
}
