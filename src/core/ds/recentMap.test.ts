import assert from 'node:assert/strict';
import { it } from 'node:test';
import { RecentMap } from './index.ts';

it('a recent map makes a value once and forgets the one unused longest', () => {
  const map = new RecentMap<string>(2);
  const made: string[] = [];
  const get = (key: string) =>
    map.get(key, () => {
      made.push(key);
      return key.toUpperCase();
    });
  assert.deepEqual(['a', 'b', 'a', 'c', 'a', 'b'].map(get), ['A', 'B', 'A', 'C', 'A', 'B']);
  assert.deepEqual(made, ['a', 'b', 'c', 'b']);
});
