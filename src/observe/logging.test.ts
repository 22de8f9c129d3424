import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { createLogger, logLevels, silentLogger } from './logging.ts';
import type { LogFields, LogFormat, LogLevel, Logger } from './logging.ts';

const now = () => Date.UTC(2026, 2, 1, 9, 0, 0, 123);

/** What a logger writes while `use` has it. */
function written(format: LogFormat, level: LogLevel, use: (logger: Logger) => void): string {
  const chunks: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk.toString());
      done();
    },
  });
  use(createLogger({ format, level, stream, now }));
  return chunks.join('');
}

describe('logging', () => {
  it('as JSON, a line is one object: time, level, logger and msg first, then the fields', () => {
    const line = written('json', 'info', (logger) =>
      logger.child('scheduler').info('bound', { pod: 'train-0', node: 'n1', durationMs: 4 }),
    );
    assert.equal(
      line,
      '{"time":"2026-03-01T09:00:00.123Z","level":"info","logger":"scheduler","msg":"bound","pod":"train-0","node":"n1","durationMs":4}\n',
    );
  });

  it('as text, a line is for a person, with the same keys', () => {
    const line = written('text', 'info', (logger) =>
      logger
        .child('scheduler')
        .warn('cannot bind', { pod: 'train-0', error: Object.assign(new Error('no such node'), { code: 'NotFound' }) }),
    );
    assert.equal(
      line,
      '2026-03-01T09:00:00.123Z WARN  scheduler: cannot bind pod=train-0 error="no such node" code=NotFound\n',
    );
  });

  it('the root logs as moa, and a child of a child is dotted', () => {
    const text = written('text', 'info', (logger) => {
      logger.info('one');
      logger.child('kube').child('pods').info('two');
    });
    assert.deepEqual(text.match(/(?<=INFO {2})\S+/g), ['moa:', 'kube.pods:']);
  });

  for (const [severity, level] of logLevels.entries()) {
    it(`level ${level} writes itself and what is graver`, () => {
      const text = written('json', level, (logger) => {
        for (const each of logLevels) logger[each](each);
      });
      const levels = text
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { level: string }).level);
      assert.deepEqual(levels, logLevels.slice(0, severity + 1));
    });
  }

  it('a field that is undefined is left out', () => {
    for (const format of ['json', 'text'] as const) {
      assert.doesNotMatch(
        written(format, 'info', (logger) => logger.info('x', { pool: undefined })),
        /pool/,
      );
    }
  });

  it('a stream that breaks does not break the program', () => {
    const stream = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) });
    const logger = createLogger({ format: 'text', level: 'info', stream });
    logger.info('one');
    return new Promise<void>((resolve) => {
      stream.on('close', () => {
        logger.info('two');
        resolve();
      });
    });
  });

  it('whatever is logged makes exactly one line, and JSON gives it back', () => {
    const fields: fc.Arbitrary<LogFields> = fc.record({
      pod: fc.string({ unit: 'binary' }),
      count: fc.integer(),
      error: fc.anything(),
    });
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fields, (message, given) => {
        const text = written('text', 'info', (logger) => logger.info(message, given));
        assert.equal(text.match(/\n/g)?.length, 1);
        const parsed = JSON.parse(written('json', 'info', (logger) => logger.info(message, given))) as Record<
          string,
          unknown
        >;
        assert.equal(parsed['msg'], message);
        assert.equal(parsed['pod'], given.pod);
        assert.equal(parsed['count'], given.count);
      }),
    );
  });

  it('after a flush, no line is lost when the process exits', () => {
    const script = `
      import { createLogger } from ${JSON.stringify(new URL('./logging.ts', import.meta.url).href)};
      const logger = createLogger({ level: 'info', format: 'text' });
      for (let line = 1; line <= 3000; line++) logger.info('line', { count: line });
      await logger.flush();
      process.exit(0);`;
    const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    assert.ok(stderr.endsWith('count=3000\n'), stderr.slice(-100));
    assert.equal(stderr.split('\n').length, 3001);
  });

  it('a flush ends though the stream is gone, or nobody ever reads it', async (t) => {
    const gone = new Writable({ write: (_chunk, _encoding, done) => done() });
    const goneLogger = createLogger({ format: 'text', level: 'info', stream: gone });
    gone.destroy();
    await goneLogger.flush();

    t.mock.timers.enable({ apis: ['setTimeout'] });
    const stuckLogger = createLogger({
      format: 'text',
      level: 'info',
      stream: new Writable({ write: () => undefined }),
    });
    stuckLogger.info('one');
    const flushed = stuckLogger.flush();
    t.mock.timers.tick(1000);
    await flushed;
  });

  it('what would command a terminal is spelled out in text', () => {
    const text = written('text', 'info', (logger) => logger.info('a\u001b[2Jb\n  c', { pod: 'x\u009b2J' }));
    assert.match(text, /moa: a\\u001b\[2Jb c pod=x\\u009b2J\n$/);
  });

  it('the silent logger and its children are silent', (t) => {
    const write = t.mock.method(process.stderr, 'write', () => true);
    silentLogger.child('x').error('nobody hears', { error: new Error('x') });
    assert.equal(write.mock.callCount(), 0);
  });
});
