import { loadAll, YAMLException } from 'js-yaml';
import { z } from 'zod';

import type { Written } from './flags.ts';
import { unknownName } from './unknownName.ts';
import { declarations } from './options.ts';

const names = declarations.filter(({ inFile }) => inFile !== false).map(({ name }) => name);

/** A value becomes text again, so that the file and the flags are checked by one schema. */
const scalar = z
  .union([z.string(), z.number(), z.boolean()], 'must be one text, number, true or false')
  .transform(String);

const fileShape = z.strictObject(
  Object.fromEntries(names.map((name) => [name, scalar.optional()])),
  'must hold lines of the form name: value',
);

/** Reads the settings of a configuration file. A mistake begins with the path of the file. */
export function readConfigFile(path: string, readFile: (path: string) => string): Written {
  let documents: unknown[];
  try {
    documents = loadAll(readFile(path));
  } catch (error) {
    return refused([`${path}: ${problemOf(error)}`]);
  }
  if (documents.length > 1) return refused([`${path}: must hold one YAML document, not ${documents.length}`]);
  const result = fileShape.safeParse(documents[0] ?? {});
  if (!result.success) return refused(result.error.issues.flatMap(sentences).map((sentence) => `${path}: ${sentence}`));
  const values = Object.entries(result.data).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return { values: new Map(values), mistakes: [] };
}

function refused(mistakes: readonly string[]): Written {
  return { values: new Map(), mistakes };
}

function sentences(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownName(key, names));
  return [issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`];
}

function problemOf(error: unknown): string {
  if (error instanceof YAMLException) return `is not YAML: ${error.reason}${place(error)}`;
  const code = (error as { code?: unknown }).code;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'this user may not read it';
  if (code === 'EISDIR') return 'is a directory; write the path of a YAML file';
  return error instanceof Error ? error.message : String(error);
}

function place({ mark }: YAMLException): string {
  return mark === undefined ? '' : `, line ${mark.line + 1} column ${mark.column + 1}`;
}
