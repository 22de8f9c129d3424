import { createInterface } from 'node:readline';

import { spawnGuarded } from './guarded-process.ts';
import type { BuildStep } from './progress.ts';

/** One program to build with the pinned modules. */
export interface GoBuild {
  readonly moduleDir: string;
  readonly package: string;
  readonly linkerFlags: string;
  /** Path of the program to write. */
  readonly output: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal | undefined;
  readonly progress: (step: BuildStep) => void;
}

const tailLines = 20;

/**
 * Builds one Go program. Go keeps what it compiled in its own cache, so an interrupted build goes on where it stopped.
 *
 * @throws Error with the end of Go's own output when the build fails; AbortError when the signal says so.
 */
export async function goBuild(build: GoBuild): Promise<void> {
  build.signal?.throwIfAborted();
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  let packages = 0;
  let downloading = false;
  const tail: string[] = [];
  const report = () => build.progress({ kind: 'building', seconds: seconds(), packages, downloading });

  const args = ['build', '-v', '-trimpath', '-ldflags', build.linkerFlags, '-o', build.output, build.package];
  const go = spawnGuarded('go', args, {
    cwd: build.moduleDir,
    // A workspace or flags of the user's own would change what is built.
    env: { ...build.env, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' },
    output: { stdout: 'ignore', stderr: 'pipe' },
  });
  const stop = () => go.kill('SIGKILL');
  build.signal?.addEventListener('abort', stop, { once: true });
  const ticker = setInterval(report, 1000);
  report();
  try {
    if (go.stderr !== undefined) {
      for await (const line of createInterface({ input: go.stderr })) {
        downloading = line.startsWith('go: downloading');
        if (/^[\w.-]+(\/[\w.-]+)*$/.test(line)) packages += 1;
        else if (!downloading) tail.push(line);
        if (tail.length > tailLines) tail.shift();
      }
    }
    const exit = await go.exited;
    build.signal?.throwIfAborted();
    if (exit.code !== 0) throw new Error(`go build ${build.package} failed in ${build.moduleDir}:\n${tail.join('\n')}`);
    build.progress({ kind: 'built', seconds: seconds() });
  } finally {
    clearInterval(ticker);
    build.signal?.removeEventListener('abort', stop);
  }
}
