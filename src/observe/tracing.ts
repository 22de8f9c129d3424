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
