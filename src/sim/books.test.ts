import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Books } from './books.ts';

const hour = 3_600_000;
const shares = new Map([
  ['a', 8],
  ['b', 8],
]);

it('an institution is owed what fits its share beside all that it holds and waits for', () => {
  const books = new Books(16, shares);
  assert.equal(books.wait('a', 6), true);
  assert.equal(books.someoneIsOwed, true);
  books.start('a', 6);
  assert.equal(books.someoneIsOwed, false);
  assert.equal(books.wait('a', 4), false);
  assert.equal(books.someoneIsOwed, true);
  books.start('a', 4);
  books.wait('a', 1);
  assert.deepEqual([books.someoneIsOwed, books.someoneWaits], [false, true]);
});

it('service is measured while GPUs are short, and only of who wants more', () => {
  const books = new Books(16, shares);
  books.advance(0);
  books.wait('a', 12);
  books.start('a', 12);
  // An hour in which nobody wants more than there is.
  books.advance(hour);
  books.wait('b', 8);
  // Two hours in which `b` waits for the half that it is owed, with a quarter of the pool idle.
  books.advance(3 * hour);
  books.end('a', 12);
  books.start('b', 8);
  books.advance(4 * hour);
  const { heldGpuHours, contendedHours, useWhenContended, servedOfShare } = books.balance;
  assert.deepEqual([heldGpuHours, contendedHours, useWhenContended], [3 * 12 + 8, 2, 0.75]);
  assert.deepEqual([...servedOfShare], [['b', 0]]);
});

it('who wanted more for less than an hour is not judged by it', () => {
  const books = new Books(16, shares);
  books.advance(0);
  books.wait('a', 17);
  books.advance(hour - 1);
  books.start('a', 17);
  assert.equal(books.balance.servedOfShare.size, 0);
});

it('parts of GPUs add up to nothing once they are given back', () => {
  const books = new Books(8, shares);
  for (const gpus of [0.1, 0.2, 0.7]) books.wait('a', gpus);
  for (const gpus of [0.7, 0.1, 0.2]) books.start('a', gpus);
  assert.equal(books.someoneWaits, false);
});
