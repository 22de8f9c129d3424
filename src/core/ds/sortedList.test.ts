import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { SortedList } from './index.ts';

const byValue = (a: number, b: number) => a - b;

it('a sorted list holds what a sorted set holds, however it was filled, and reads on from anywhere', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(3000), { maxLength: 3000, minLength: 0 }),
      fc.array(fc.tuple(fc.boolean(), fc.nat(3000)), { maxLength: 2000 }),
      fc.nat(3000),
      (initial, changes, from) => {
        const list = new SortedList(initial, byValue);
        const model = new Set(initial);
        for (const [insert, value] of changes) {
          if (!insert) list.delete(value);
          else if (!model.has(value)) list.add(value);
          if (insert) model.add(value);
          else model.delete(value);
        }
        const want = [...model].filter((value) => value >= from).sort(byValue);
        assert.deepEqual([...list.from((value) => value < from)], want);
      },
    ),
    { numRuns: 60 },
  );
});

it('chunks split as the list grows and vanish as it empties', () => {
  const list = new SortedList<number>([], byValue);
  for (let i = 0; i < 5000; i++) list.add((i * 7919) % 5000);
  assert.deepEqual(
    [...list.from(() => false)],
    Array.from({ length: 5000 }, (_, i) => i),
  );
  for (let i = 0; i < 5000; i++) list.delete(i);
  assert.deepEqual([...list.from(() => false)], []);
});
