import { parseArgs } from 'node:util';

import { UsageError } from '../cluster/index.ts';

/** What the command line of the demo asks for. */
export interface DemoOptions {
  /** Trace seconds that pass in one second. */
  readonly speedup: number;
  /** Most jobs to replay. */
  readonly jobs: number;
  /** Nodes to begin with; undefined: as many as the jobs keep busy on average. */
  readonly nodes: number | undefined;
  /** Of the sample trace. */
  readonly seed: number;
  /** A file in the form of the Philly trace, or `sample`; undefined: the published one where it is present. */
  readonly trace: string | undefined;
  /** Where the summary is written as JSON, besides the data directory. */
  readonly summary: string | undefined;
  /** End when the summary is printed. */
  readonly exit: boolean;
}

/** What `--help` prints. */
export const usage = `Usage: npm run demo -- [FLAGS]

Starts a local control plane with simulated nodes and Moa, replays a day of a GPU cluster's trace as Jobs of fifteen
institutions, shows what happens, and prints a summary that it has checked. Then it stays up until Ctrl-C.

--speedup N     trace seconds per second, 1 to 86400; default 576, which makes a day two and a half minutes
--jobs N        most jobs to replay, 1 to 20000; default 2000
--nodes N       nodes to begin with, 3 to 5000; default: as many as the jobs keep busy on average
--trace FILE    a trace in the form of the published Philly trace, or the word sample for one that is made up;
                default: ../shared/data/philly.csv where it is present, else sample
--seed N        another sample for another number, 0 to 999999; default 1
--summary FILE  writes the summary there as JSON, too
--exit          ends when the summary is printed
`;

const hints = {
  speedup: '--speedup N',
  jobs: '--jobs N',
  nodes: '--nodes N',
  trace: '--trace FILE',
  seed: '--seed N',
  summary: '--summary FILE',
  exit: '--exit',
} as const;

const isFlagName = (name: string): name is keyof typeof hints => Object.hasOwn(hints, name);

/**
 * @returns undefined when help is asked for
 * @throws UsageError
 */
export function parseOptions(args: readonly string[]): DemoOptions | undefined {
  if (args.includes('--help') || args.includes('-h')) return undefined;
  const given = flagsOf(args);
  const nodes = given.get('nodes');
  return {
    speedup: wholeNumber('speedup', given.get('speedup') ?? '576', [1, 86_400]),
    jobs: wholeNumber('jobs', given.get('jobs') ?? '2000', [1, 20_000]),
    nodes: nodes === undefined ? undefined : wholeNumber('nodes', nodes, [3, 5000]),
    seed: wholeNumber('seed', given.get('seed') ?? '1', [0, 999_999]),
    trace: given.get('trace'),
    summary: given.get('summary'),
    exit: given.has('exit'),
  };
}

function flagsOf(args: readonly string[]): Map<keyof typeof hints, string> {
  const options = Object.fromEntries(
    Object.keys(hints).map((name) => [name, { type: name === 'exit' ? 'boolean' : 'string' } as const]),
  );
  const given = new Map<keyof typeof hints, string>();
  for (const token of parseArgs({ args: [...args], options, tokens: true, strict: false }).tokens) {
    if (token.kind !== 'option') throw new UsageError(`the demo takes no argument ${args[token.index] ?? ''}`);
    const { name, rawName, value, inlineValue } = token;
    if (!isFlagName(name)) {
      throw new UsageError(`the demo has no flag ${rawName}: it has ${Object.values(hints).join(', ')}`);
    }
    if (given.has(name)) throw new UsageError(`--${name} is given twice`);
    if (name === 'exit') {
      if (value !== undefined) throw new UsageError('--exit takes no value');
      given.set(name, '');
      continue;
    }
    const isFlag = inlineValue === false && value.startsWith('-');
    if (value === undefined || value === '' || isFlag) throw new UsageError(`--${name} needs a value: ${hints[name]}`);
    given.set(name, value);
  }
  return given;
}

function wholeNumber(name: string, text: string, [least, most]: readonly [number, number]): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw new UsageError(`--${name} ${text}: give a whole number from ${least} to ${most}`);
  }
  return value;
}
