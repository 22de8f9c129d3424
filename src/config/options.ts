import { z } from 'zod';

import { parseDuration } from '../core/units/index.ts';
import { logFormats, logLevels } from '../observe/index.ts';
import type { ListenAddress } from '../observe/index.ts';

/** One setting: the flag, its key in the configuration file, its check, its help and its line on the reference page. */
export interface OptionDeclaration {
  /** The flag without dashes, which is the key in the file as well. */
  readonly name: string;
  /** What stands for the value in the help: `HOST:PORT`. */
  readonly argument: string;
  /** One sentence; the default and where it may be set are added by the renderers. */
  readonly help: string;
  /** As it would be written; absent when the setting has none. */
  readonly default?: string;
  /** The environment variable that serves where neither flag nor file has it: for what belongs in a Secret. */
  readonly variable?: string;
  /** Whether the configuration file may have it; yes when absent. */
  readonly inFile?: boolean;
  /** For tests only: not in the help, not on the reference page. */
  readonly hidden?: boolean;
  /** May stand alone on the command line, meaning `true`. */
  readonly isSwitch?: boolean;
  /** Checks the text and turns it into the value. Its message completes "--name "text": ..." and says what to write. */
  readonly schema: z.ZodType<unknown, string>;
}

/** A text that `parse` turns into a value; undefined refuses it with `message`. */
function parsed<T>(parse: (text: string) => T | undefined, message: string) {
  return z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

/** `HOST:PORT`, with an empty host for every interface and brackets around IPv6; `0` for none at all. */
const listenAddress = parsed((text): { readonly listen: ListenAddress | undefined } | undefined => {
  if (text === '0') return { listen: undefined };
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) return undefined;
  return { listen: { host: match[1] ?? match[2] ?? '', port } };
}, 'write HOST:PORT with a port up to 65535, such as 127.0.0.1:8080 or :8080 for every interface, or 0 for none').transform(
  ({ listen }) => listen,
);

const path = parsed((text) => (text === '' ? undefined : text), 'write the path of a file');

const boolean = parsed(
  (text) => (text === 'true' || text === 'false' ? text === 'true' : undefined),
  'write true or false',
);

function oneOf<const T extends string>(values: readonly T[]) {
  return parsed((text) => values.find((value) => value === text), `write one of ${values.join(', ')}`);
}

function wholeNumber(least: number, most: number) {
  return parsed((text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : undefined;
    return value !== undefined && value >= least && value <= most ? value : undefined;
  }, `write a whole number from ${least} to ${most}`);
}

const namespace = parsed(
  (text) => (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text) ? text : undefined),
  'write the name of a namespace: up to 63 lower-case letters, digits and dashes',
);

const ledgerUrl = parsed(
  (text) => (/^(sqlite:.|postgres(ql)?:\/\/.)/.test(text) ? text : undefined),
  'write sqlite:PATH, or postgres://USER:PASSWORD@HOST/DATABASE',
);

const webUrl = parsed(
  (text) => (/^https?:\/\/[^/\s]/.test(text) && URL.canParse(text) ? text : undefined),
  'write a URL such as http://collector.monitoring:4318',
);

/** Milliseconds; a leading dash moves back. */
const offset = parsed((text) => {
  const distance = parseDuration(text.replace(/^-/, ''));
  return distance === undefined ? undefined : text.startsWith('-') ? -distance : distance;
}, 'write a duration such as 90m, -1h30m or P7D');

/** Every setting of the operator, in the order of the help. The key is the member of `Config`. */
export const optionDeclarations = {
  kubeconfig: {
    name: 'kubeconfig',
    argument: 'FILE',
    help: 'How to reach the cluster. Without it: $KUBECONFIG, else ~/.kube/config, else the service account of the pod.',
    schema: path,
  },
  config: {
    name: 'config',
    argument: 'FILE',
    help: 'A YAML file with these settings under the same names. A flag wins over the file.',
    inFile: false,
    schema: path,
  },
  namespace: {
    name: 'namespace',
    argument: 'NAME',
    help: "The operator's own namespace, which holds its lease.",
    default: 'moa-system',
    schema: namespace,
  },
  leaderElect: {
    name: 'leader-elect',
    argument: 'true|false',
    help: 'Act only while holding the lease moa-leader. With false, never run two at once.',
    default: 'true',
    isSwitch: true,
    schema: boolean,
  },
  metricsAddress: {
    name: 'metrics-address',
    argument: 'HOST:PORT',
    help: 'Where /metrics is served; 0 for nowhere.',
    default: '127.0.0.1:8080',
    schema: listenAddress,
  },
  healthAddress: {
    name: 'health-address',
    argument: 'HOST:PORT',
    help: 'Where /healthz and /readyz are served; 0 for nowhere.',
    default: '127.0.0.1:8081',
    schema: listenAddress,
  },
  ledger: {
    name: 'ledger',
    argument: 'URL',
    help: 'The database that keeps who held which GPUs: sqlite:PATH for a file of one replica, postgres://... for any number.',
    default: 'sqlite:moa-ledger.sqlite',
    variable: 'MOA_LEDGER',
    schema: ledgerUrl,
  },
  ledgerJournal: {
    name: 'ledger-journal',
    argument: 'FILE',
    help: 'Local file of this replica alone for what the ledger has not taken yet. Without it: beside the SQLite file, else moa-ledger.journal in the working directory.',
    schema: path,
  },
  logLevel: {
    name: 'log-level',
    argument: logLevels.join('|'),
    help: 'How much is logged.',
    default: 'info',
    schema: oneOf(logLevels),
  },
  logFormat: {
    name: 'log-format',
    argument: logFormats.join('|'),
    help: 'One line for a person, or one JSON object per line for a log store.',
    default: 'text',
    schema: oneOf(logFormats),
  },
  otlpEndpoint: {
    name: 'otlp-endpoint',
    argument: 'URL',
    help: 'Base URL of an OpenTelemetry collector that gets traces as OTLP over HTTP. Without it there are none.',
    schema: webUrl,
  },
  bindConcurrency: {
    name: 'bind-concurrency',
    argument: 'N',
    help: 'Binding calls under way at once.',
    default: '64',
    schema: wholeNumber(1, 1000),
  },
  clockOffsetMs: {
    name: 'clock-offset',
    argument: 'DURATION',
    help: 'Moves the clock by which the operator judges time. For tests; refused inside a cluster.',
    default: '0',
    inFile: false,
    hidden: true,
    schema: offset,
  },
} as const satisfies Readonly<Record<string, OptionDeclaration>>;

export const declarations: readonly OptionDeclaration[] = Object.values<OptionDeclaration>(optionDeclarations);

/** Those that people are told of. */
export const visibleDeclarations = declarations.filter(({ hidden }) => hidden !== true);

type Declarations = typeof optionDeclarations;
/** Members of the declarations. */
export type OptionKey = keyof Declarations;
type Parsed<K extends OptionKey> = z.output<Declarations[K]['schema']>;
type WithDefault = { [K in OptionKey]: Declarations[K] extends { readonly default: string } ? K : never }[OptionKey];

/** The settings, checked. A setting without a default may be undefined. */
export type Config = {
  readonly [K in Exclude<OptionKey, 'config'>]: K extends WithDefault ? Parsed<K> : Parsed<K> | undefined;
};
