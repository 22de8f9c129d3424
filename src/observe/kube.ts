import type { ReflectorObservation, RequestObservation } from '../kube/index.ts';
import { describeError } from './errors.ts';
import type { Logger } from './logging.ts';
import type { Metrics } from './metrics.ts';

/** Counts what a transport tells of its requests. */
export function requestObserver(metrics: Metrics): (observation: RequestObservation) => void {
  return ({ method, resource, stream, status, code, durationMs }) => {
    const verb = stream ? 'WATCH' : method;
    metrics.apiRequests.inc({ verb, resource, code: status === 0 ? code : String(status) });
    metrics.apiRequestDuration.observe({ verb, resource }, durationMs / 1000);
  };
}

/** Counts and logs what the reflector of `resource` tells, and shows the size of its store. */
export function reflectorObserver(options: {
  readonly resource: string;
  readonly store: { readonly size: number };
  readonly metrics: Metrics;
  readonly logger: Logger;
}): (observation: ReflectorObservation) => void {
  const { resource, store, metrics, logger } = options;
  metrics.beforeRender(() => metrics.storeObjects.set({ resource }, store.size));
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
