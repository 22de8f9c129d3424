import assert from 'node:assert/strict';
import { it } from 'node:test';
import { formatTable, median } from './report.ts';

it('the median is the middle value, or the mean of the two in the middle', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(median([7]), 7);
});

it('a table lines up: words to the left, numbers to the right', () => {
  const text = formatTable({
    columns: ['who', 'pods/s'],
    rows: [
      ['bare', 700],
      ['kube-scheduler', 9.5],
    ],
  });
  assert.equal(
    text,
    ['who             pods/s', '--------------  ------', 'bare               700', 'kube-scheduler     9.5'].join('\n'),
  );
});
