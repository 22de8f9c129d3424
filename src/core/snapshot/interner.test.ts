import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Interner } from './interner.ts';

it('the same key gives the same value', () => {
  const interner = new Interner<object>(2);
  const value = interner.intern('a', () => ({}));
  assert.equal(
    interner.intern('a', () => ({})),
    value,
  );
});

it('what is asked for again and again is kept, however much else comes and goes', () => {
  const interner = new Interner<object>(10);
  const value = interner.intern('kept', () => ({}));
  for (let i = 0; i < 1000; i++) {
    interner.intern(`other ${i}`, () => ({}));
    if (i % 9 === 0)
      assert.equal(
        interner.intern('kept', () => ({})),
        value,
      );
  }
});

it('it holds twice its capacity at most', () => {
  const interner = new Interner<number>(10);
  for (let i = 0; i < 1000; i++) interner.intern(String(i), () => i);
  assert.ok(interner.size <= 20, `${interner.size} values`);
});

it('of long keys it holds fewer', () => {
  const interner = new Interner<number>(1000, 100);
  for (let i = 0; i < 1000; i++) interner.intern(String(i).padStart(50), () => i);
  assert.ok(interner.size <= 4, `${interner.size} values`);
});
