import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { loadConfig } from './loadConfig.ts';
import { declarations } from './options.ts';
import { renderConfigurationReference, renderHelp } from './render.ts';

describe('help and reference', () => {
  for (const { name, hidden } of declarations) {
    const shown = hidden !== true;
    it(`--${name} is ${shown ? 'shown' : 'hidden'} in both`, () => {
      assert.equal(renderHelp().includes(`--${name} `), shown);
      assert.equal(renderConfigurationReference().includes(`\`--${name}\``), shown);
    });
  }

  it('the example file of the reference is accepted and says what the defaults say', () => {
    const example = /```yaml\n([^]*?)```/.exec(renderConfigurationReference())?.[1] ?? '';
    const readFile = () => example;
    assert.match(example, /metrics-address/);
    assert.deepEqual(
      loadConfig(['--config=moa.yaml'], { readFile, environment: {} }),
      loadConfig([], { environment: {} }),
    );
  });

  it('every row of the reference has the same number of cells', () => {
    const rows = renderConfigurationReference()
      .split('\n')
      .filter((line) => line.startsWith('|'));
    assert.deepEqual(new Set(rows.map((row) => row.split(/(?<!\\)\|/).length)), new Set([7]));
  });
});
