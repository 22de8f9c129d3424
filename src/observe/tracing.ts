import type { ReconcileObservation, RequestObservation } from '../kube/index.ts';
import type { CycleObservation } from './cycles.ts';
import type { Logger } from './logging.ts';

/** Observers that make spans of what they are told, for an OpenTelemetry collector. */
export interface Tracing {
  readonly request: (observation: RequestObservation) => void;
  readonly reconcile: (observation: ReconcileObservation) => void;
  /** A cycle that decides nothing, as most do while nothing waits, makes no span. */
  readonly cycle: (observation: CycleObservation) => void;
  /** Sends what is left, as far as the collector takes it within two seconds. Never rejects. */
  close(): Promise<void>;
}

export interface TracingOptions {
  /** Base URL of a collector that speaks OTLP over HTTP; `/v1/traces` is added. */
  readonly endpoint: string;
  /** Version of Moa. */
  readonly version: string;
  /** Tells the replicas apart. */
  readonly instance: string;
  readonly logger: Logger;
}

/** Starts to send traces. The OpenTelemetry libraries are loaded here and not before: most operators run without. */
export async function startTracing(options: TracingOptions): Promise<Tracing> {
  const { otlpTracing } = await import('./otlp.ts');
  return otlpTracing(options);
}

/** Tells several observers; those that are undefined are left out. */
export function tellAll<T>(
  ...observers: readonly (((observation: T) => void) | undefined)[]
): (observation: T) => void {
  const present = observers.filter((observer) => observer !== undefined);
  return (observation) => {
    for (const observer of present) observer(observation);
  };
}
