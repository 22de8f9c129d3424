import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setCondition, type Condition } from './conditions.ts';

const then = '2026-01-01T00:00:00Z';
const now = '2026-02-02T02:02:02.345Z';
const nowInSeconds = '2026-02-02T02:02:02Z';
const ready = { type: 'Ready', status: 'True', reason: 'Fine', message: 'all is well', observedGeneration: 1 } as const;

function condition(type: string, more: Partial<Condition> = {}): Condition {
  return { ...ready, type, lastTransitionTime: then, ...more };
}

const cases: Record<string, { existing: Condition[]; next: Omit<Condition, 'lastTransitionTime'>; want: Condition[] }> =
  {
    'the first of its type is appended, with the time of now in whole seconds': {
      existing: [condition('Other')],
      next: ready,
      want: [condition('Other'), condition('Ready', { lastTransitionTime: nowInSeconds })],
    },
    'a changed status takes the place of the old one and the time of now': {
      existing: [condition('Ready', { status: 'False' }), condition('Other')],
      next: ready,
      want: [condition('Ready', { lastTransitionTime: nowInSeconds }), condition('Other')],
    },
    'a changed reason and message keep the time, since the status did not change': {
      existing: [condition('Ready')],
      next: { ...ready, reason: 'Better', message: 'even so' },
      want: [condition('Ready', { reason: 'Better', message: 'even so' })],
    },
    'a new generation keeps the time': {
      existing: [condition('Ready')],
      next: { ...ready, observedGeneration: 2 },
      want: [condition('Ready', { observedGeneration: 2 })],
    },
  };

describe('setting a condition', () => {
  for (const [name, { existing, next, want }] of Object.entries(cases)) {
    it(name, () => assert.deepEqual(setCondition(existing, next, now), want));
  }

  it('gives the same array back when nothing changed, so that nobody writes', () => {
    const existing = [condition('Other'), condition('Ready')];
    assert.equal(setCondition(existing, ready, now), existing);
  });

  it('does not change what it was given', () => {
    const existing = [condition('Ready', { status: 'False' })];
    const before = structuredClone(existing);
    setCondition(existing, ready, now);
    assert.deepEqual(existing, before);
  });
});
