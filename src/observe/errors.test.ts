import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { describeError } from './errors.ts';

function coded(message: string, code: string, more: object = {}): Error {
  return Object.assign(new Error(message), { code, ...more });
}

describe('describeError', () => {
  const table: [sentence: string, thrown: unknown, want: object][] = [
    [
      'an error with a code needs no stack',
      coded('no', 'Conflict', { retryable: true }),
      { error: 'no', code: 'Conflict', retryable: true },
    ],
    ['an error without a message goes by its name', coded('', 'X'), { error: 'Error', code: 'X' }],
    ['a thrown text is the message', 'broken', { error: 'broken' }],
    ['a thrown object is shown as JSON', { a: 1 }, { error: '{"a":1}' }],
    ['undefined is named', undefined, { error: 'undefined' }],
    [
      'causes follow nearest first, with their codes',
      coded('bind failed', 'Network', { cause: coded('connect', 'ECONNREFUSED', { cause: new Error('root') }) }),
      { error: 'bind failed', code: 'Network', causes: ['ECONNREFUSED: connect', 'root'] },
    ],
    [
      'a code that the message has already is not repeated',
      coded('a', 'A', { cause: coded('connect ECONNRESET', 'ECONNRESET') }),
      { error: 'a', code: 'A', causes: ['connect ECONNRESET'] },
    ],
    [
      'the members of an AggregateError are causes',
      Object.assign(new AggregateError([new Error('one'), 'two'], 'all failed'), { code: 'All' }),
      { error: 'all failed', code: 'All', causes: ['one', 'two'] },
    ],
    [
      'a cause of a member stands right after it',
      Object.assign(new AggregateError([new Error('one', { cause: new Error('root of one') }), new Error('two')]), {
        code: 'All',
      }),
      { error: 'AggregateError', code: 'All', causes: ['one', 'root of one', 'two'] },
    ],
    [
      'a code that is no text is none',
      Object.assign(coded('a', 'A'), { cause: 7 }),
      { error: 'a', code: 'A', causes: ['7'] },
    ],
  ];
  for (const [sentence, thrown, want] of table) it(sentence, () => assert.deepEqual(describeError(thrown), want));

  it('an error without a code was not foreseen, so it comes with its stack', () => {
    const { error, stack } = describeError(new TypeError('x is undefined'));
    assert.equal(error, 'x is undefined');
    assert.match(stack ?? '', /errors\.test\.ts/);
  });

  it('a chain of causes that bites its tail ends', () => {
    const one = coded('one', 'One');
    one.cause = coded('two', 'Two', { cause: one });
    assert.equal(describeError(one).causes?.length, 8);
  });

  it('an object that cannot be read is described as such', () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    assert.deepEqual(describeError(circular), { error: 'an error that cannot be described' });
  });

  it('nothing that can be thrown makes it throw', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true }), (thrown) =>
        assert.equal(typeof describeError(thrown).error, 'string'),
      ),
    );
  });
});
