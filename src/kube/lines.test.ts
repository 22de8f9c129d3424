import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LineSplitter } from './lines.ts';

function linesOf(chunks: readonly Buffer[]): { lines: string[]; rest: string | undefined } {
  const splitter = new LineSplitter();
  const lines = chunks.flatMap((chunk) => [...splitter.push(chunk)]);
  return { lines, rest: splitter.rest() };
}

/** Cuts the bytes at these places, also within a character. */
function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

describe('splitting a stream into lines', () => {
  it('gives the same lines however the bytes are cut into chunks', () => {
    const line = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !text.includes('\n'));
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat()), (lines, places) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''), 'utf8');
        // A lone surrogate cannot be encoded: what was sent is what can be read back.
        const want = lines.map((text) => Buffer.from(text, 'utf8').toString('utf8'));
        assert.deepEqual(linesOf(cutAt(bytes, places)), { lines: want, rest: undefined });
      }),
    );
  });

  it('keeps what comes after the last newline for the end', () => {
    assert.deepEqual(linesOf([Buffer.from('a\nb'), Buffer.from('c')]), { lines: ['a'], rest: 'bc' });
  });

  it('leaves empty lines out', () => {
    assert.deepEqual(linesOf([Buffer.from('\n\na\n\n')]), { lines: ['a'], rest: undefined });
  });

  it('joins a line of megabytes from many chunks', () => {
    const chunk = Buffer.from('x'.repeat(65_536));
    const { lines } = linesOf([...Array.from({ length: 32 }, () => chunk), Buffer.from('\n')]);
    assert.equal(lines[0]?.length, 2_097_152);
  });
});
