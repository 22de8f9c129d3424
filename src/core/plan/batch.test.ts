import assert from 'node:assert/strict';
import { it } from 'node:test';
import { largest } from './batch.ts';

it('finds the largest count that succeeds, and tries few', () => {
  for (const most of [1, 2, 3, 7, 100]) {
    for (let limit = 0; limit <= most + 1; limit++) {
      let tries = 0;
      const found = largest(most, (count) => {
        tries++;
        assert.ok(count >= 1 && count <= most);
        return count <= limit ? `up to ${count}` : undefined;
      });
      const count = Math.min(limit, most);
      assert.deepEqual(found, count === 0 ? undefined : { count, result: `up to ${count}` });
      assert.ok(tries <= 3 + Math.log2(most));
    }
  }
});
