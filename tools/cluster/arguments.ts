import { parseArgs } from 'node:util';

/** What the command line asks for. */
export type Command =
  | { readonly kind: 'up'; readonly nodes: number; readonly dataDir: string | undefined }
  | { readonly kind: 'down'; readonly dataDir: string | undefined }
  | { readonly kind: 'help' };

/** A command line that cannot be understood. The message says what is wrong and what would be right. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const maxNodes = 100_000;

/** What `--help` prints. */
export const usage = `Usage: npm run cluster -- up [--nodes N] [--data DIR]
       npm run cluster -- down [--data DIR]

up     Starts a local Kubernetes control plane: etcd, kube-apiserver, kube-controller-manager, and KWOK, which plays
       the nodes and runs the pods. Stays until Ctrl-C. Prints the path of its kubeconfig as its last line.
down   Stops the control plane of another terminal.

--nodes N    simulated nodes of eight GPUs each, 0 to ${maxNodes}; default 0. Existing ones stay.
--data DIR   keeps the objects in DIR, for the next up on it. Without it they go when the control plane stops.

How a simulated object behaves is up to its annotations:
  kwok.moa.dev/duration: 90s     a pod succeeds after that time; without it, it runs until it is deleted
  kwok.moa.dev/outcome: Failed   ... and fails instead
  kwok.moa.dev/not-ready: "true" a node turns NotReady; removing the annotation makes it Ready again
`;

const flags = {
  up: { nodes: { type: 'string' }, data: { type: 'string' } },
  down: { data: { type: 'string' } },
} as const;

const hints = { nodes: '--nodes N', data: '--data DIR' } as const;

/** @throws UsageError */
export function parseCommand(args: readonly string[]): Command {
  if (args.includes('--help') || args.includes('-h') || args[0] === 'help') return { kind: 'help' };
  const [command, ...rest] = args;
  if (command === undefined) throw new UsageError('say what to do: up or down');
  if (command !== 'up' && command !== 'down') throw new UsageError(`"${command}" is not a command: use up or down`);
  const { tokens } = parseArgs({ args: rest, options: flags[command], tokens: true, strict: false });
  const values: { nodes?: string; data?: string } = {};
  for (const token of tokens) {
    if (token.kind !== 'option') throw new UsageError(`${command} takes no argument ${rest[token.index] ?? ''}`);
    const known = Object.keys(flags[command]) as (keyof typeof hints)[];
    const name = known.find((flag) => flag === token.name);
    if (name === undefined) {
      const list = known.map((flag) => hints[flag]).join(', ');
      throw new UsageError(`${command} has no flag ${token.rawName}: it has ${list}`);
    }
    const { value, inlineValue } = token;
    const isFlag = inlineValue === false && value.startsWith('-');
    if (value === undefined || value === '' || isFlag) throw new UsageError(`--${name} needs a value: ${hints[name]}`);
    if (values[name] !== undefined) throw new UsageError(`--${name} is given twice`);
    values[name] = value;
  }
  if (command === 'down') return { kind: 'down', dataDir: values.data };
  return { kind: 'up', nodes: nodeCount(values.nodes ?? '0'), dataDir: values.data };
}

function nodeCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count > maxNodes) {
    throw new UsageError(`--nodes ${text}: give a whole number from 0 to ${maxNodes}`);
  }
  return count;
}
