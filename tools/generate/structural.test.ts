import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { structural } from './structural.ts';

const object = { type: 'object', description: 'An object.' };
const text = { type: 'string', maxLength: 8, description: 'A text.' };

describe('a structural schema', () => {
  const refused: readonly [rule: string, schema: object, want: RegExp][] = [
    ['has no keyword that nobody thought of', { ...text, pattern: '^a' }, /^Error: spec: pattern has no place/],
    ['has no reference', { $ref: '#/x' }, /spec: undefined is no type/],
    ['has no union of types', { anyOf: [{ type: 'string' }, { type: 'boolean' }] }, /spec: undefined is no type/],
    [
      'has no union beside int-or-string but that of both',
      { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'number' }] },
      /spec: \[\{"type":"number"\}\] is no union/,
    ],
    [
      'forbids no further fields',
      { type: 'object', properties: {}, additionalProperties: false },
      /\.\*: undefined is/,
    ],
    ['bounds every string', { type: 'string' }, /spec: string needs a bound/],
    ['bounds every list', { type: 'array', 'x-kubernetes-list-type': 'atomic', items: text }, /spec: array needs/],
    ['gives every list a type', { type: 'array', maxItems: 3, items: text }, /spec: array needs/],
    ['bounds every map', { type: 'object', additionalProperties: text }, /spec: object needs a bound/],
    [
      'describes every field, however deep',
      { type: 'object', properties: { a: { ...object, properties: { b: { type: 'boolean' } } } } },
      /spec\.a\.b: has no description/,
    ],
    [
      'describes every field',
      { type: 'object', properties: { a: { type: 'boolean' } } },
      /spec\.a: has no description/,
    ],
  ];
  for (const [rule, schema, want] of refused) it(rule, () => assert.throws(() => structural(schema, 'spec'), want));

  it('of an integer is int64 and keeps only bounds that mean something', () => {
    const schema = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
    assert.deepEqual(structural(schema, 'spec'), { type: 'integer', format: 'int64', minimum: 0 });
  });

  it('of an int-or-string has no type and no union', () => {
    const anyOf = [
      { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
      { type: 'string' },
    ];
    const schema = { anyOf, maxLength: 16, 'x-kubernetes-int-or-string': true, default: '0' };
    const want = { 'x-kubernetes-int-or-string': true, maxLength: 16, default: '0' };
    assert.deepEqual(structural(schema, 'spec'), want);
  });
});
