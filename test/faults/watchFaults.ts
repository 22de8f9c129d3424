import { setTimeout as sleep } from 'node:timers/promises';

import type { LineQueue } from './lineQueue.ts';

/** What is passed on of the events of one watch. The connection breaks where it ends before they do. */
export type WatchFault = (events: LineQueue) => AsyncIterable<string>;

/** Everything as it comes. */
export async function* untouched(events: LineQueue): AsyncGenerator<string> {
  for (let line = await events.next(); line !== undefined; line = await events.next())
    if (line !== 'silence') yield line.text;
}

/** Each event arrives this much later, in order: a server whose cache lags behind. */
export function delayed(ms: () => number): WatchFault {
  return async function* (events) {
    for (let line = await events.next(); line !== undefined; line = await events.next()) {
      if (line === 'silence') continue;
      const wait = line.arrivedAt + ms() - performance.now();
      if (wait > 0) await sleep(wait);
      yield line.text;
    }
  };
}

/** Some events come twice, the second time right after the first or after some others. */
export function duplicated(chance: () => boolean): WatchFault {
  return async function* (events) {
    let again: string | undefined;
    for await (const text of untouched(events)) {
      yield text;
      if (again !== undefined && chance()) {
        yield again;
        again = undefined;
      }
      if (chance()) yield text;
      else if (chance()) again = text;
    }
  };
}

/** Some events change places with the next one, of the same object too. None is held for longer than a moment. */
export function reordered(chance: () => boolean, longestMs = 100): WatchFault {
  return async function* (events) {
    for (let line = await events.next(); line !== undefined; line = await events.next()) {
      if (line === 'silence') continue;
      if (chance()) {
        const next = await events.next(longestMs);
        if (next !== undefined && next !== 'silence') yield next.text;
      }
      yield line.text;
    }
  };
}

/** The connection breaks after so many events. */
export function cutAfter(count: () => number): WatchFault {
  return async function* (events) {
    let left = count();
    for await (const text of untouched(events)) {
      if (left <= 0) return;
      left -= 1;
      yield text;
    }
  };
}
