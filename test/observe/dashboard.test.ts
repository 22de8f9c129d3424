import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { dashboard } from '../../tools/generate/observability/dashboard/dashboard.ts';

interface Placed {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}

interface DrawnPanel extends Placed {
  readonly description: string;
  readonly datasource: object;
  readonly fieldConfig: { readonly defaults: { readonly unit: string } };
  readonly targets: readonly { readonly refId: string; readonly datasource: object; readonly legendFormat: string }[];
}

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly datasource?: object;
}

const model = JSON.parse(dashboard()) as {
  readonly panels: readonly Placed[];
  readonly templating: { readonly list: readonly Variable[] };
};
const panels = model.panels.filter((panel): panel is DrawnPanel => panel.type !== 'row');
const chosen = { type: 'prometheus', uid: '${datasource}' };

function overlap({ gridPos: one }: Placed, { gridPos: other }: Placed): boolean {
  const apart = one.x + one.w <= other.x || other.x + other.w <= one.x;
  return !apart && one.y < other.y + other.h && other.y < one.y + one.h;
}

describe('the dashboard', () => {
  it('has panels with ids and titles of their own', () => {
    assert.ok(panels.length > 40);
    assert.equal(new Set(model.panels.map(({ id }) => id)).size, model.panels.length);
    assert.equal(new Set(panels.map(({ title }) => title)).size, panels.length);
  });

  it('has no panels that overlap or stand out', () => {
    for (const [index, panel] of model.panels.entries()) {
      const { x, y, w, h } = panel.gridPos;
      assert.ok(x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= 24, panel.title);
      const covered = model.panels.slice(index + 1).filter((other) => overlap(panel, other));
      assert.deepEqual(
        covered.map(({ title }) => title),
        [],
        panel.title,
      );
    }
  });

  it('asks the data source that is chosen, everywhere', () => {
    const [first, ...others] = model.templating.list;
    assert.deepEqual([first?.name, first?.type], ['datasource', 'datasource']);
    for (const variable of others) assert.deepEqual(variable.datasource, chosen, variable.name);
    for (const { title, datasource, targets } of panels) {
      assert.deepEqual(datasource, chosen, title);
      for (const target of targets) assert.deepEqual(target.datasource, chosen, title);
    }
  });

  it('explains every panel in sentences, and gives every value a unit and every series a name', () => {
    for (const { title, description, fieldConfig, targets } of panels) {
      assert.match(description, /^[A-Z`].*\.$/, title);
      assert.doesNotMatch(title, /\.$/);
      assert.notEqual(fieldConfig.defaults.unit, '', title);
      for (const { legendFormat } of targets) assert.notEqual(legendFormat, '', title);
      assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
      assert.equal(new Set(targets.map(({ legendFormat }) => legendFormat)).size, targets.length, title);
    }
  });

  it('uses the variables that it has, and has no others', () => {
    const used = new Set([...dashboard().matchAll(/\$\{?([a-z_]+)/g)].map(([, name]) => name));
    assert.deepEqual(
      [...used].filter((name) => name !== '__rate_interval' && name !== '__all').sort(),
      model.templating.list.map(({ name }) => name).sort(),
    );
  });
});
