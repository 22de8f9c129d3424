import { describe, it } from 'node:test';

import fc from 'fast-check';

import { isAsLate } from './resource-version.ts';

describe('versions of objects', () => {
  it('are in the order of the numbers that they are, however long these are', () => {
    const version = fc.bigInt({ min: 0n, max: 1n << 64n });
    fc.assert(fc.property(version, version, (a, b) => isAsLate(String(a), String(b)) === a >= b));
  });
});
