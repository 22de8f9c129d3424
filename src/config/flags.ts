import { parseArgs } from 'node:util';

import { unknownName } from './unknownName.ts';
import { declarations, visibleDeclarations } from './options.ts';

/** Settings as they were written, by name, and what is wrong with how they were written. */
export interface Written {
  readonly values: ReadonlyMap<string, string>;
  readonly mistakes: readonly string[];
}

/** Reads flags by name; `help` and `version` are among them. Of a flag given twice the last counts. */
export function readFlags(args: readonly string[]): Written {
  const values = new Map<string, string>();
  const mistakes: string[] = [];
  let previous = 'name';
  for (const token of tokenize(args)) {
    if (token.kind === 'positional') mistakes.push(`${token.value}: is no flag; write --${previous}=${token.value}`);
    if (token.kind !== 'option') continue;
    const { name, rawName, inlineValue } = token;
    previous = name;
    const declaration = declarations.find((known) => known.name === name);
    const value = token.value ?? (declaration?.isSwitch === true ? 'true' : undefined);
    if (name === 'help' || name === 'version') values.set(name, 'true');
    else if (declaration === undefined) mistakes.push(unknownName(rawName, flagNames));
    // A flag where a value should be is a forgotten value; one that really starts with dashes can be written with =.
    else if (value === undefined || (inlineValue !== true && value.startsWith('--')))
      mistakes.push(`--${name}: needs a value; write --${name}=${declaration.argument}`);
    else values.set(name, value);
  }
  return { values, mistakes };
}

const flagNames = [...visibleDeclarations.map(({ name }) => `--${name}`), '--version', '--help'];

/** Not strict, so that every mistake is found here and worded for a person. */
function tokenize(args: readonly string[]) {
  const known = declarations.map(({ name, isSwitch }) => [name, isSwitch === true ? 'boolean' : 'string'] as const);
  return parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean' },
      ...Object.fromEntries(known.map(([name, type]) => [name, { type }])),
    },
  }).tokens;
}
