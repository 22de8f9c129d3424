import { readFileSync } from 'node:fs';

import { readConfigFile } from './configFile.ts';
import { readFlags } from './flags.ts';
import { optionDeclarations } from './options.ts';
import type { Config, OptionDeclaration, OptionKey } from './options.ts';

/** Settings that cannot be used. The message is for the person who started the operator: one line for each mistake. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'InvalidConfiguration';
  readonly retryable = false;
}

/** What the command line asks for. */
export type Invocation =
  { readonly kind: 'run'; readonly config: Config } | { readonly kind: 'help' } | { readonly kind: 'version' };

/** The surroundings, replaceable in tests. */
export interface Surroundings {
  readonly readFile?: (path: string) => string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads the settings from the command line (without `node` and the script) and from the file that `--config` names.
 * Flags win over the file, the file over environment variables, these over the defaults. Throws a {@link ConfigError} that lists every mistake.
 */
export function loadConfig(args: readonly string[], surroundings: Surroundings = {}): Invocation {
  const { readFile = (path: string) => readFileSync(path, 'utf8'), environment = process.env } = surroundings;
  const flags = readFlags(args);
  if (flags.values.has('help')) return { kind: 'help' };
  if (flags.values.has('version')) return { kind: 'version' };

  const path = flags.values.get('config');
  const file = path === undefined ? undefined : readConfigFile(path, readFile);
  const mistakes = [...flags.mistakes, ...(file?.mistakes ?? [])];
  const values: Partial<Record<OptionKey, unknown>> = {};
  for (const [key, declaration] of Object.entries<OptionDeclaration>(optionDeclarations)) {
    const { name } = declaration;
    const flag = flags.values.get(name);
    const inFile = file?.values.get(name);
    const { variable } = declaration;
    const inVariable = variable === undefined ? undefined : environment[variable];
    const text = flag ?? inFile ?? inVariable ?? declaration.default;
    const where = flag !== undefined ? `--${name}` : inFile !== undefined ? `${path ?? ''}: ${name}` : variable;
    const result = text === undefined ? undefined : declaration.schema.safeParse(text);
    if (key !== 'config') values[key as OptionKey] = result?.data;
    for (const { message } of result?.error?.issues ?? []) {
      // A variable may hold a secret: its value is not for the log.
      const value = flag === undefined && inFile === undefined ? '' : ` "${text ?? ''}"`;
      mistakes.push(`${where ?? name}${value}: ${message}`);
    }
  }
  if (flags.values.has('clock-offset') && isInCluster(values.kubeconfig !== undefined, environment)) {
    mistakes.push('--clock-offset: is for tests; inside a cluster the operator goes by the real time');
  }
  if (mistakes.length > 0) throw new ConfigError(mistakes.join('\n'));
  // Every key comes from the declarations and every value from the schema there: the shape that Config is derived from.
  return { kind: 'run', config: values as unknown as Config };
}

/** Whether the operator would run under the service account of its pod: nothing tells it of another cluster. */
function isInCluster(hasKubeconfig: boolean, environment: Readonly<Record<string, string | undefined>>): boolean {
  const isTold = hasKubeconfig || (environment['KUBECONFIG'] ?? '') !== '';
  return environment['KUBERNETES_SERVICE_HOST'] !== undefined && !isTold;
}
