import winston from 'winston';

import { describeError } from './errors.ts';

/** How much is logged, least first. A level includes all before it. */
export const logLevels = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

/** `text` is one line for a person, `json` one object per line for a log store. */
export const logFormats = ['text', 'json'] as const;
export type LogFormat = (typeof logFormats)[number];

/**
 * The structured part of an entry. The list is closed, so that one thing has one key wherever it is logged; what is
 * not listed belongs into the message. An absent or undefined field is left out.
 */
export interface LogFields {
  readonly pool?: string | undefined;
  readonly quota?: string | undefined;
  readonly investment?: string | undefined;
  readonly class?: string | undefined;
  readonly namespace?: string | undefined;
  readonly pod?: string | undefined;
  readonly workload?: string | undefined;
  readonly node?: string | undefined;
  /** A Kubernetes resource, plural and lower case: `pods`. */
  readonly resource?: string | undefined;
  /** Key of an object in its store: `namespace/name`, or `name` when cluster-scoped. */
  readonly key?: string | undefined;
  readonly controller?: string | undefined;
  /** A token out of the published reasons, not a sentence. */
  readonly reason?: string | undefined;
  /** Whatever was thrown. Becomes `error`, `code`, `retryable`, `causes` and, for what is not foreseen, `stack`. */
  readonly error?: unknown;
  readonly status?: number | undefined;
  readonly method?: string | undefined;
  readonly path?: string | undefined;
  readonly url?: string | undefined;
  readonly identity?: string | undefined;
  readonly version?: string | undefined;
  readonly signal?: string | undefined;
  readonly count?: number | undefined;
  readonly attempt?: number | undefined;
  readonly durationMs?: number | undefined;
  readonly delayMs?: number | undefined;
}

/** What code logs to. It never throws and never waits. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger of a part of this one: `child('kube').child('pods')` logs as `kube.pods`. */
  child(component: string): Logger;
}

/** The logger that owns the stream. */
export interface RootLogger extends Logger {
  /**
   * Resolves when all lines so far are written, or cannot be, or after a second. To be awaited before `process.exit`,
   * which drops what the reader of a pipe has not taken yet: the last lines, those that say why.
   */
  flush(): Promise<void>;
}

/** A reader that takes longer than this is not going to read. */
const flushLimitMs = 1000;

/** Drops everything; for tests. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Where lines go; standard error when absent, so that standard output stays free for results. */
  readonly stream?: NodeJS.WritableStream;
  /** Epoch milliseconds for the `time` key; the system's when absent. */
  readonly now?: () => number;
}

/**
 * The root logger. Every line has `time`, `level`, `logger` (the component, dotted), `msg`, then the fields. A stream
 * that fails (a closed pipe) is ignored: scheduling goes on without its log.
 */
export function createLogger(options: LoggerOptions): RootLogger {
  const stream = options.stream ?? process.stderr;
  stream.on('error', () => undefined);
  const render = options.format === 'json' ? renderJson : renderText;
  const sink = winston.createLogger({
    levels: Object.fromEntries(logLevels.map((level, severity) => [level, severity])),
    level: options.level,
    format: winston.format.printf((info) => render(info['entry'] as Entry)),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston declares this class as an interface
    transports: new winston.transports.Stream({ stream, eol: '\n' }),
  });
  return { ...component(sink, options.now ?? Date.now, 'moa'), flush: () => flushed(stream) };
}

function flushed(stream: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve) => {
    const limit = setTimeout(resolve, flushLimitMs);
    // A stream calls back in order, so an empty write calls back after all before it.
    stream.write('', () => {
      clearTimeout(limit);
      resolve();
    });
  });
}

function component(sink: winston.Logger, now: () => number, name: string): Logger {
  const at = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (!sink.isLevelEnabled(level)) return;
    const entry: Entry = {
      time: new Date(now()).toISOString(),
      level,
      logger: name,
      msg: message,
      ...(fields === undefined ? {} : flatten(fields)),
    };
    sink.log({ level, message, entry });
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (part) => component(sink, now, name === 'moa' ? part : `${name}.${part}`),
  };
}

type Value = string | number | boolean | readonly string[] | undefined;

interface Entry {
  readonly time: string;
  readonly level: LogLevel;
  readonly logger: string;
  readonly msg: string;
  readonly [field: string]: Value;
}

function flatten({ error, ...fields }: LogFields): Record<string, Value> {
  return error === undefined ? fields : { ...fields, ...describeError(error) };
}

function renderJson(entry: Entry): string {
  return JSON.stringify(entry);
}

/** On one line, and harmless to a terminal: what a message quotes may come from anywhere. */
function renderText({ time, level, logger, msg, ...fields }: Entry): string {
  const head = `${time} ${level.toUpperCase().padEnd(5)} ${logger}: ${msg.replaceAll(/\s*[\r\n]+\s*/g, ' ')}`;
  const pairs = Object.entries(fields).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${plain(value)}`],
  );
  return [head, ...pairs].join(' ').replaceAll(/\p{Cc}/gu, escapeControl);
}

/** A value that a reader can tell from its neighbours: text with a space, a quote or a line end is quoted as in JSON. */
function plain(value: Exclude<Value, undefined>): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return /[\s"=]|^$/.test(value) ? JSON.stringify(value) : value;
}

function escapeControl(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
