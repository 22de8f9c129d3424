import { figuresOf, type Figures } from '../../core/status/index.ts';
import type { Snapshot } from '../../core/snapshot/index.ts';
import type { Clock } from '../../kube/index.ts';
import { changesManifest } from '../manifests/index.ts';
import type { World } from './world.ts';

export interface PicturesOptions {
  readonly world: World;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Gets every picture, and what it was taken of, which goes on changing. Must not throw. */
  readonly show: (figures: Figures, snapshot: Snapshot) => void;
  /** Gets what kept a picture from being taken; another try follows. Must not throw. */
  readonly onError: (error: unknown) => void;
}

/** Pods come and go all the time: pictures for their sake are taken this far apart. */
const betweenPicturesMs = 1000;
/** Manifests are often applied many at a time: they are taken in together. */
const gatherMs = 20;
/** A picture is taken though nothing is known to have changed, so that nothing stays wrong for ever. */
const longestMs = 60_000;

/**
 * Takes pictures of the world for the statuses: soon after a manifest changed, at most each second after anything else
 * did, and when a term starts or ends. Resolves when the signal aborts; never rejects.
 */
export async function takePictures({ world, clock, signal, show, onError }: PicturesOptions): Promise<void> {
  let dueAt = clock.monotonic();
  let lastAt = -Infinity;
  let alarm = new AbortController();
  const ask = (time: number): void => {
    if (time >= dueAt) return;
    dueAt = time;
    alarm.abort();
  };
  const askForManifest = (changes: readonly Parameters<typeof changesManifest>[0][]): void => {
    if (changes.some(changesManifest)) ask(clock.monotonic() + gatherMs);
  };
  const subscriptions = [
    world.subscribe(() => ask(lastAt + betweenPicturesMs)),
    world.pools.subscribe(askForManifest),
    world.quotas.subscribe(askForManifest),
    world.investments.subscribe(askForManifest),
  ];
  while (!signal.aborted) {
    const wait = dueAt - clock.monotonic();
    if (wait > 0) {
      alarm = new AbortController();
      await clock.sleep(wait, AbortSignal.any([signal, alarm.signal])).catch(() => undefined);
      continue;
    }
    lastAt = clock.monotonic();
    try {
      const snapshot = world.snapshot();
      const figures = figuresOf(snapshot);
      const untilTermTurns = (figures.policy.nextChangeAt ?? Infinity) - clock.now();
      dueAt = lastAt + Math.max(gatherMs, Math.min(longestMs, untilTermTurns));
      show(figures, snapshot);
    } catch (error) {
      dueAt = lastAt + betweenPicturesMs;
      onError(error);
    }
  }
  for (const unsubscribe of subscriptions) unsubscribe();
}
