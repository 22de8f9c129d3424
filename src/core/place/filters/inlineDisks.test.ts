import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeOf, podOf, stageOf } from '../../testing/constraints.ts';

describe('disks that pods share', () => {
  const disk = (name: string, readOnly: boolean) => ({ disks: [{ names: [name, 'mirror'], readOnly }] });
  const other = (readOnly: boolean) => ({ disks: [{ names: ['elsewhere'], readOnly }] });
  const table: { rule: string; taken: object; asked: object; want: boolean }[] = [
    { rule: 'readers share', taken: disk('d', true), asked: disk('d', true), want: true },
    { rule: 'a writer keeps readers away', taken: disk('d', false), asked: disk('d', true), want: false },
    { rule: 'a reader keeps writers away', taken: disk('d', true), asked: disk('d', false), want: false },
    { rule: 'another disk is another matter', taken: disk('d', false), asked: other(false), want: true },
    { rule: 'one name in common is enough', taken: disk('d', false), asked: disk('e', false), want: false },
  ];
  for (const { rule, taken, asked, want } of table)
    it(rule, () => {
      const stage = stageOf([nodeOf('a')], [podOf({ ...taken, on: 'a' })]);
      assert.deepEqual(stage.allowed(podOf(asked)), want ? ['a'] : []);
    });
});
