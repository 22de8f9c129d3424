import { parseArgs } from 'node:util';

/** A command line that cannot be understood. The message says what is wrong and what would be right. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A whole number from `least` to `most`. */
export interface NumberFlag {
  readonly type: 'number';
  readonly default: number;
  readonly least: number;
  readonly most: number;
  readonly meaning: string;
}

/** Some of the names, separated by commas; all of them unless given. */
export interface NamesFlag {
  readonly type: 'names';
  readonly names: readonly string[];
  readonly meaning: string;
}

/** A file to be read. */
export interface PathFlag {
  readonly type: 'path';
  readonly default: string;
  readonly meaning: string;
}

type Flag = NumberFlag | NamesFlag | PathFlag;

/** Flags by name, without dashes. */
export type FlagSet = Readonly<Record<string, Flag>>;

/** The values of flags: a number, a list of names or a path each. */
export type Settings<F extends FlagSet> = {
  readonly [K in keyof F]: F[K] extends NumberFlag ? number : F[K] extends PathFlag ? string : readonly string[];
};

/** @throws UsageError */
export function parseFlags<F extends FlagSet>(flags: F, args: readonly string[]): Settings<F> {
  const options = Object.fromEntries(Object.keys(flags).map((name) => [name, { type: 'string' as const }]));
  const { tokens } = parseArgs({ args: [...args], options, tokens: true, strict: false });
  const given = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind !== 'option') throw new UsageError(`there is no argument ${args[token.index] ?? ''}`);
    if (!Object.hasOwn(flags, token.name)) {
      const known = Object.keys(flags).map((name) => `--${name}`);
      throw new UsageError(`there is no flag ${token.rawName}: use ${known.join(', ')}`);
    }
    if (given.has(token.name)) throw new UsageError(`--${token.name} is given twice`);
    const isFlag = token.inlineValue === false && token.value.startsWith('--');
    if (token.value === undefined || token.value === '' || isFlag)
      throw new UsageError(`--${token.name} needs a value: ${hint(flags[token.name]!)}`);
    given.set(token.name, token.value);
  }
  const values = Object.entries(flags).map(([name, flag]) => [name, valueOf(name, flag, given.get(name))]);
  return Object.fromEntries(values) as Settings<F>;
}

/** One line of help for each flag. */
export function describeFlags(flags: FlagSet): string[] {
  return Object.entries(flags).map(([name, flag]) => {
    const without = flag.type === 'names' ? 'default all' : `default ${flag.default}`;
    return `--${name.padEnd(10)} ${flag.meaning} (${hint(flag)}; ${without})`;
  });
}

function valueOf(name: string, flag: Flag, text: string | undefined): number | string | readonly string[] {
  if (flag.type === 'path') return text ?? flag.default;
  if (flag.type === 'number') {
    if (text === undefined) return flag.default;
    const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    if (value >= flag.least && value <= flag.most) return value;
    throw new UsageError(`--${name} ${text}: give ${hint(flag)}`);
  }
  if (text === undefined) return flag.names;
  const names = text.split(',');
  for (const one of names)
    if (!flag.names.includes(one)) throw new UsageError(`--${name} ${text}: there is no ${one}; give ${hint(flag)}`);
  return flag.names.filter((one) => names.includes(one));
}

function hint(flag: Flag): string {
  if (flag.type === 'path') return 'a file';
  return flag.type === 'number'
    ? `a whole number from ${flag.least} to ${flag.most}`
    : `some of ${flag.names.join(',')}, separated by commas`;
}
