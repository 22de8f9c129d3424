/** What happens while programs are being built. */
export type BuildProgress =
  | { readonly kind: 'waiting'; readonly directory: string }
  | ({ readonly name: string; readonly number: number; readonly of: number } & BuildStep);

/** How far the build of one program is. `packages` counts those compiled so far; what Go has cached is not compiled. */
export type BuildStep =
  | { readonly kind: 'building'; readonly seconds: number; readonly packages: number; readonly downloading: boolean }
  | { readonly kind: 'built'; readonly seconds: number };

/** Where progress is printed: standard error, or a test. */
interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): boolean;
}

const quietSeconds = 15;

/**
 * Prints build progress for people: one line that is rewritten in a terminal, elsewhere a line when a program starts, is
 * done, and every 15 seconds in between.
 */
export function printProgress(stream: ProgressStream = process.stderr): (event: BuildProgress) => void {
  let last = { name: '', seconds: 0 };
  return (event) => {
    if (event.kind === 'waiting') {
      stream.write('Another run is building the control plane: waiting for it ...\n');
      return;
    }
    const line = describe(event);
    if (stream.isTTY) {
      stream.write(`\r\u001b[2K${line}${event.kind === 'built' ? '\n' : ''}`);
      return;
    }
    const due = event.name !== last.name || event.seconds >= last.seconds + quietSeconds;
    if (event.kind === 'building' && !due) return;
    last = { name: event.name, seconds: event.seconds };
    stream.write(`${line}\n`);
  };
}

function describe(event: Exclude<BuildProgress, { kind: 'waiting' }>): string {
  const head = `[${event.number}/${event.of}] ${event.name}`;
  if (event.kind === 'built') return `${head}: built in ${event.seconds} s`;
  const what = event.downloading ? 'downloading modules' : `${event.packages} packages compiled`;
  return `${head}: building (once), ${event.seconds} s, ${what}`;
}
