import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';
import * as prom from 'prom-client';

import { gaugeText } from './gaugeText.ts';

/** The same by prom-client. */
async function byLibrary(help: string, series: readonly (readonly [Record<string, string>, number])[]) {
  const registry = new prom.Registry();
  const labelNames = [...new Set(series.flatMap(([labels]) => Object.keys(labels)))];
  const gauge = new prom.Gauge({ name: 'moa_x', help, labelNames, registers: [registry] });
  gauge.reset();
  for (const [labels, value] of series) gauge.set(labels, value);
  return registry.getSingleMetricAsString('moa_x');
}

describe('the text of a gauge', () => {
  it('is what prom-client writes, whatever stands in labels', async () => {
    const text = fc.oneof(fc.string(), fc.constantFrom('a"b', 'c\\d', 'e\nf', '모아', ''));
    const series = fc.uniqueArray(fc.tuple(fc.record({ quota: text, kind: text }), fc.integer()), {
      selector: ([{ quota, kind }]) => JSON.stringify([quota, kind]),
      minLength: 1,
    });
    await fc.assert(
      fc.asyncProperty(text, series, async (help, values) => {
        // prom-client asks for a help that says something.
        const said = `Help ${help}`;
        assert.equal(gaugeText('moa_x', said, values), await byLibrary(said, values));
      }),
    );
  });

  it('has a heading and no lines while there is nothing', () => {
    assert.equal(gaugeText('moa_x', 'Help.', []), '# HELP moa_x Help.\n# TYPE moa_x gauge');
  });

  it('has no braces without labels', () => {
    assert.equal(gaugeText('moa_x', 'Help.', [[{}, 1.5]]).split('\n')[2], 'moa_x 1.5');
  });
});
