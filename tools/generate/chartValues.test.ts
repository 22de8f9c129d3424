import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { load } from 'js-yaml';

import { visibleDeclarations } from '../../src/config/index.ts';
import { presetOf, settingsOf } from './chartValue.ts';
import { chartValues } from './chartValues.ts';

const text = readFileSync(new URL('../../charts/moa/values.yaml', import.meta.url), 'utf8');

describe('values.yaml of the chart', () => {
  it('has every value of the declaration with its default, and no other', () => {
    assert.deepEqual(load(text), presetOf(chartValues));
  });

  it('says what each value means in a comment above it', () => {
    const lines = text.split('\n');
    const silent = lines.filter((line, index) => {
      const key = /^( *)[\w-]+:(.*)$/.exec(line);
      if (key === null) return false;
      const isCommented = lines[index - 1]?.trimStart().startsWith('#') === true;
      // A group may be clear from its name where each of its members is explained.
      const isGroup = key[2] === '' && /^ +#/.test(lines[index + 1] ?? '');
      const isMapEntry = /^[\w./-]+$/.test(line.trim().split(':')[0] ?? '') && line.includes('.');
      return !isCommented && !isGroup && !isMapEntry;
    });
    assert.deepEqual(
      silent.map((line) => line.trim()),
      ['requests: { cpu: 500m, memory: 1Gi }', 'limits: { memory: 2Gi }'],
    );
  });
});

describe('the schema of a setting of the operator', () => {
  const bounded = settingsOf(chartValues).flatMap(({ path, schema }) => {
    const option = visibleDeclarations.find(({ name }) => path === `config.${name}`);
    const { minimum, maximum } = schema;
    return option !== undefined && typeof minimum === 'number' && typeof maximum === 'number'
      ? [{ option, minimum, maximum }]
      : [];
  });
  const takes = (schema: (typeof bounded)[number]['option']['schema'], value: number) =>
    schema.safeParse(String(value)).success;

  it('allows the numbers that the operator takes, and no other', () => {
    assert.ok(bounded.length > 0);
    for (const { option, minimum, maximum } of bounded) {
      assert.deepEqual(
        [minimum - 1, minimum, maximum, maximum + 1].map((value) => takes(option.schema, value)),
        [false, true, true, false],
        option.name,
      );
    }
  });
});
