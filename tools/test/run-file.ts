import { run } from 'node:test';
import type { EventData } from 'node:test';
import { inspect, stripVTControlCharacters } from 'node:util';

/** Those of the runner's events that count here; its stream is not typed. */
type RunEvent =
  | { readonly type: 'test:start'; readonly data: EventData.TestStart }
  | { readonly type: 'test:stdout'; readonly data: EventData.TestStdout }
  | { readonly type: 'test:stderr'; readonly data: EventData.TestStderr }
  | { readonly type: 'test:pass'; readonly data: EventData.TestPass }
  | { readonly type: 'test:fail'; readonly data: EventData.TestFail }
  | { readonly type: 'test:complete' };

/** What came of the tests of one file. */
export interface FileResult {
  readonly file: string;
  readonly seconds: number;
  readonly passed: number;
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  readonly failures: readonly { readonly name: string; readonly error: string }[];
  /** Everything that the file printed. */
  readonly output: string;
}

/**
 * Runs the tests of one file in a process of their own. A file without a test, one that cannot be loaded and one that
 * takes longer than `timeoutSeconds` count as a failure.
 */
export async function runFile(file: string, timeoutSeconds: number): Promise<FileResult> {
  const started = Date.now();
  const output: string[] = [];
  const path: string[] = [];
  const skipped: { name: string; reason: string }[] = [];
  const failures: { name: string; error: string }[] = [];
  let passed = 0;
  const nameOf = (test: { name: string; nesting: number }) => [...path.slice(0, test.nesting), test.name].join(' > ');

  const signal = AbortSignal.timeout(timeoutSeconds * 1000);
  const events = run({ files: [file], isolation: 'process', signal }) as AsyncIterable<RunEvent>;
  for await (const event of events) {
    switch (event.type) {
      case 'test:start':
        path[event.data.nesting] = event.data.name;
        break;
      case 'test:stdout':
      case 'test:stderr':
        output.push(event.data.message);
        break;
      case 'test:pass': {
        const { data } = event;
        const excuse = data.skip ?? data.todo;
        // Node reports the file itself as passed when it holds no test.
        if (data.name === file) failures.push({ name: file, error: 'the file holds no test' });
        else if (excuse !== undefined && excuse !== false)
          skipped.push({ name: nameOf(data), reason: reasonOf(excuse) });
        else if (data.details.type !== 'suite') passed += 1;
        break;
      }
      case 'test:fail': {
        const { data } = event;
        // The test inside has been reported.
        if (failureTypeOf(data) === 'subtestsFailed') break;
        failures.push({ name: data.name === file ? file : nameOf(data), error: describe(data, timeoutSeconds) });
        break;
      }
      default:
    }
  }
  const seconds = (Date.now() - started) / 1000;
  return { file, seconds, passed, skipped, failures, output: stripVTControlCharacters(output.join('')) };
}

function reasonOf(excuse: string | true): string {
  return excuse === true ? 'no reason given' : excuse;
}

function failureTypeOf(test: EventData.TestFail): string | undefined {
  const { error } = test.details;
  return 'failureType' in error ? String(error.failureType) : undefined;
}

function describe(test: EventData.TestFail, timeoutSeconds: number): string {
  const { error } = test.details;
  if (failureTypeOf(test) === 'testAborted') return `not done after ${timeoutSeconds} s`;
  const cause: unknown = error.cause;
  return typeof cause === 'string' ? cause : inspect(cause, { depth: 8 });
}
