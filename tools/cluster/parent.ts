import process from 'node:process';

const checkMilliseconds = 500;

/**
 * Calls `onOrphaned` once when the process that started this one has died, which no signal tells: after a kill -9 of npm
 * or of a test runner its children would go on for ever. Returns a function that ends the watch. The watch alone does not
 * keep this process alive.
 */
export function endWithParent(onOrphaned: () => void): () => void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onOrphaned();
  }, checkMilliseconds);
  timer.unref();
  return () => clearInterval(timer);
}
