import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { podShape } from '../testing/world.ts';
import type { PodShape } from './facts.ts';
import { ShapeMix } from './shapeMix.ts';

const one = podShape(1);
const two = podShape(2);

function note(mix: ShapeMix, shape: PodShape, times: number): void {
  for (let i = 0; i < times; i++) mix.note(shape);
}

describe('mix of shapes', () => {
  it('an arrival counts half once 4,096 others have come', () => {
    const mix = new ShapeMix();
    note(mix, one, 1000);
    note(mix, two, 4096);
    note(mix, one, 1);
    const weights = new Map(mix.entries());
    const latest = weights.get(one)! / weights.get(two)!;
    // 1,000 arrivals at about half their weight, beside 4,096 that fade from one to a half.
    const want = (1000 * 0.5 * 0.92) / (4096 * 0.72);
    assert.ok(Math.abs(latest / want - 1) < 0.05, `${latest} instead of about ${want}`);
  });

  it('what has not come for long is forgotten', () => {
    const mix = new ShapeMix();
    mix.note(one);
    note(mix, two, 9 * 4096);
    assert.deepEqual(
      [...mix.entries()].map(([shape]) => shape),
      [two],
    );
  });

  it('is read again whenever a tenth has been added', () => {
    const mix = new ShapeMix();
    note(mix, one, 1000);
    const { generation } = mix;
    note(mix, one, 110);
    assert.ok(mix.generation > generation);
    assert.ok(generation < 100, `${generation} readings of 1,000 arrivals`);
  });
});
