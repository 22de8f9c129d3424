import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { milli } from '../units/index.ts';
import { BorrowHistory } from './index.ts';

const halfLife = 1000;

function borrows(borrowed: number, name = 'q') {
  return [{ name, borrowed: milli(borrowed), halfLife }];
}

describe('the history of borrowing', () => {
  it('half of what is borrowed counts after one half-life, three quarters after two', () => {
    const history = new BorrowHistory();
    history.advance(0, borrows(8000));
    history.advance(1000, borrows(8000));
    assert.equal(history.valueOf('q'), 4000);
    history.advance(2000, borrows(8000));
    assert.equal(history.valueOf('q'), 6000);
  });

  it('half of it is forgotten in each half-life in which nothing is borrowed', () => {
    const history = new BorrowHistory();
    history.seed('q', milli(8000), 0);
    history.advance(0, borrows(0));
    history.advance(1000, borrows(0));
    assert.equal(history.valueOf('q'), 4000);
  });

  it('a quota that is seen for the first time has none', () => {
    const history = new BorrowHistory();
    history.advance(5_000_000, borrows(8000));
    assert.equal(history.valueOf('q'), 0);
    assert.equal(history.valueOf('other'), 0);
  });

  it('what was borrowed while nobody measured is not charged: a history that is taken up only fades until then', () => {
    const history = new BorrowHistory();
    history.seed('q', milli(8000), 0);
    history.advance(1000, borrows(64_000));
    assert.equal(history.valueOf('q'), 4000);
    history.advance(2000, borrows(64_000));
    assert.equal(history.valueOf('q'), 34_000);
  });

  it('a quota that is gone is forgotten, and begins anew when one of its name comes', () => {
    const history = new BorrowHistory();
    history.seed('q', milli(8000), 0);
    history.advance(0, borrows(0, 'other'));
    history.advance(0, borrows(0));
    assert.equal(history.valueOf('q'), 0);
  });

  it('a clock that goes back changes nothing', () => {
    const history = new BorrowHistory();
    history.advance(10_000, borrows(8000));
    history.advance(11_000, borrows(8000));
    history.advance(5000, borrows(8000));
    assert.equal(history.valueOf('q'), 4000);
  });

  it('how often it is advanced makes no difference, and the average lies between the least and the most borrowed', () => {
    const steps = fc.array(fc.record({ ms: fc.nat(5000), borrowed: fc.nat(10_000_000) }), { minLength: 1 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 2, max: 7 }), (list, parts) => {
        const coarse = new BorrowHistory();
        const fine = new BorrowHistory();
        coarse.advance(0, borrows(0));
        fine.advance(0, borrows(0));
        let now = 0;
        for (const { ms, borrowed } of list) {
          for (let i = 1; i <= parts; i++) fine.advance(now + (ms * i) / parts, borrows(borrowed));
          coarse.advance((now += ms), borrows(borrowed));
        }
        assert.ok(Math.abs(coarse.valueOf('q') - fine.valueOf('q')) <= 1);
        assert.ok(coarse.valueOf('q') <= Math.max(...list.map(({ borrowed }) => borrowed)));
      }),
    );
  });
});
