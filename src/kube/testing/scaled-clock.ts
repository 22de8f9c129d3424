import { systemClock, type Clock } from '../clock.ts';

/** Real time, but faster: for tests with real sockets, where a minute of silence has to pass within a second. */
export function scaledClock(factor: number): Clock {
  const real = systemClock();
  return {
    now: () => real.now(),
    monotonic: () => real.monotonic() * factor,
    sleep: (ms, signal) => real.sleep(ms / factor, signal),
  };
}
