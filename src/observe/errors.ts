/** What a log line says of something that was thrown. */
export interface ErrorDescription {
  /** Its message, or its text when it is no Error. */
  readonly error: string;
  /** Its machine-readable kind: `Conflict`, `ECONNRESET`. */
  readonly code?: string;
  readonly retryable?: boolean;
  /** Messages of what it was caused by, nearest first; the members of an AggregateError count as causes. */
  readonly causes?: readonly string[];
  /** Only for an error without a code: those are not foreseen, so the place matters. */
  readonly stack?: string;
}

/** More causes than this say nothing new. It also ends a chain that bites its tail. */
const maxCauses = 8;

/** Describes any thrown value. Never throws, whatever the value's getters do. */
export function describeError(thrown: unknown): ErrorDescription {
  try {
    if (!(thrown instanceof Error)) return { error: textOf(thrown) };
    const code = codeOf(thrown);
    const retryable = (thrown as { retryable?: unknown }).retryable;
    const causes = causesOf(thrown);
    return {
      error: messageOf(thrown),
      ...(code === undefined ? {} : { code }),
      ...(typeof retryable === 'boolean' ? { retryable } : {}),
      ...(causes.length === 0 ? {} : { causes }),
      ...(code === undefined && thrown.stack !== undefined ? { stack: thrown.stack } : {}),
    };
  } catch {
    return { error: 'an error that cannot be described' };
  }
}

function causesOf(error: Error): string[] {
  const found: string[] = [];
  const open: unknown[] = directCauses(error);
  while (open.length > 0 && found.length < maxCauses) {
    const cause = open.shift();
    if (!(cause instanceof Error)) {
      found.push(textOf(cause));
      continue;
    }
    const code = codeOf(cause);
    const message = messageOf(cause);
    found.push(code === undefined || message.includes(code) ? message : `${code}: ${message}`);
    open.unshift(...directCauses(cause));
  }
  return found;
}

function directCauses(error: Error): unknown[] {
  const members: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
  return [...members, ...(error.cause === undefined ? [] : [error.cause])];
}

function messageOf(error: Error): string {
  return error.message === '' ? error.name : error.message;
}

function codeOf(error: Error): string | undefined {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && code !== '' ? code : undefined;
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return String(value);
  return JSON.stringify(value);
}
