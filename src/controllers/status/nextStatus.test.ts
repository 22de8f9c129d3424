import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Verdict } from '../../core/status/index.ts';
import type { StatusOf } from '../manifests/index.ts';
import { nextStatus } from './nextStatus.ts';

type Quota = StatusOf<'ResearchQuota'>;

const early = '2026-01-01T00:00:00Z';
const late = '2026-01-01T00:01:00.123Z';
const verdict: Verdict<Quota> = {
  generation: 3,
  conditions: [
    { type: 'Ready', status: 'True', reason: 'Ready', message: 'fine' },
    { type: 'Borrowing', status: 'False', reason: 'WithinGuarantee', message: 'none' },
  ],
  figures: { workloads: { pending: 1, running: 2 } },
};
const written = nextStatus<'ResearchQuota'>(verdict, undefined, early).status;
const next = (changed: Partial<Verdict<Quota>>, observed: Quota | undefined = written) =>
  nextStatus<'ResearchQuota'>({ ...verdict, ...changed }, observed, late);
const [ready, borrowing] = verdict.conditions;

describe('the next status', () => {
  it('of a resource without one has all conditions, each for the first time', () => {
    const { status, change, turned } = nextStatus<'ResearchQuota'>(verdict, undefined, late);
    assert.equal(change, 'substance');
    assert.deepEqual(
      turned.map(({ value, isFirst }) => [value.type, isFirst]),
      [
        ['Ready', true],
        ['Borrowing', true],
      ],
    );
    assert.deepEqual(status.conditions?.[0], {
      ...ready,
      observedGeneration: 3,
      lastTransitionTime: '2026-01-01T00:01:00Z',
    });
    assert.equal(status.observedGeneration, 3);
  });

  const table: Record<string, { changed: Partial<Verdict<Quota>>; observed?: Quota; want: string }> = {
    'is nothing new when nothing changed': { changed: {}, want: 'nothing' },
    'is nothing new when only the order of conditions and fields differs': {
      changed: { figures: { workloads: { running: 2, pending: 1 } } },
      observed: { ...written, conditions: written.conditions!.toReversed() },
      want: 'nothing',
    },
    'can wait when a number changed': {
      changed: { figures: { workloads: { pending: 2, running: 2 } } },
      want: 'figures',
    },
    'can wait when a sentence changed': {
      changed: { conditions: [ready!, { ...borrowing!, message: 'still none' }] },
      want: 'figures',
    },
    'cannot wait when a reason changed': {
      changed: { conditions: [{ ...ready!, reason: 'NamespaceConflict' }, borrowing!] },
      want: 'substance',
    },
    'cannot wait when a condition is gone': { changed: { conditions: [ready!] }, want: 'substance' },
    'cannot wait when a new spec was judged': { changed: { generation: 4 }, want: 'substance' },
  };
  for (const [rule, { changed, observed, want }] of Object.entries(table)) {
    it(rule, () => assert.equal(next(changed, observed).change, want));
  }

  it('moves the time of a condition only when its status changes', () => {
    const { status, turned } = next({
      generation: 4,
      conditions: [
        { ...ready!, reason: 'NamespaceConflict' },
        { ...borrowing!, status: 'True', reason: 'AboveGuarantee' },
      ],
    });
    assert.deepEqual(
      status.conditions?.map(({ lastTransitionTime }) => lastTransitionTime),
      [early, '2026-01-01T00:01:00Z'],
    );
    assert.deepEqual(
      turned.map(({ value, isFirst }) => [value.reason, isFirst]),
      [
        ['NamespaceConflict', false],
        ['AboveGuarantee', false],
      ],
    );
  });

  it('drops figures and conditions that the verdict leaves out', () => {
    const { status } = next({ conditions: [ready!], figures: {} });
    assert.equal(status.workloads, undefined);
    assert.deepEqual(
      status.conditions?.map(({ type }) => type),
      ['Ready'],
    );
  });
});
