import { objectOf, textOf } from '../../core/snapshot/index.ts';
import {
  runReflector,
  type Clock,
  type RawObject,
  type ReflectorObservation,
  type Store,
  type Stored,
  type Transport,
} from '../../kube/index.ts';
import { reflectorObserver, type Health, type Logger, type Metrics } from '../../observe/index.ts';

/** What every reflector of this process shares. */
export interface FeedOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly health: Health;
  readonly signal: AbortSignal;
}

/** What to watch, and what to keep of it. */
export interface Reflection<T extends Stored> {
  /** As metrics and logs call it. */
  readonly resource: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly store: Store<T>;
  readonly project: (raw: RawObject) => T | undefined;
  /** Hears what the metrics hear. Must not throw. */
  readonly observe?: (observation: ReflectorObservation) => void;
}

/** Keeps a store in step with the cluster until the signal aborts. */
export function reflect<T extends Stored>(options: FeedOptions, reflection: Reflection<T>): Promise<void> {
  const { transport, clock, random, signal, metrics, logger } = options;
  const { resource, store, observe, ...what } = reflection;
  const count = reflectorObserver({ resource, store, metrics, logger });
  return runReflector<T>({
    ...what,
    ...{ transport, store, clock, random, signal },
    observe: (observation) => {
      count(observation);
      observe?.(observation);
    },
  });
}

/** What a store needs of any object. */
export function identityOf(raw: RawObject): Stored {
  const metadata = objectOf(raw['metadata']);
  const text = (key: string): string => textOf(metadata[key]) ?? '';
  return {
    uid: text('uid'),
    namespace: text('namespace'),
    name: text('name'),
    resourceVersion: text('resourceVersion'),
  };
}
