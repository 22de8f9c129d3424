import assert from 'node:assert/strict';
import { it } from 'node:test';
import { withoutTaintOf } from './poolTaint.ts';

it('the taint of the own pool is none, that of another pool stays', () => {
  const taint = (value: string) => ({ key: 'moa.dev/pool', value, effect: 'NoSchedule' as const });
  assert.deepEqual(withoutTaintOf('national', [taint('national'), taint('other')]), [taint('other')]);
  assert.deepEqual(withoutTaintOf(undefined, [taint('national')]), [taint('national')]);
});
