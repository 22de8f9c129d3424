import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { micros, milli } from '../core/units/index.ts';
import type { Entry } from './entry.ts';
import type { OpenInterval } from './interval.ts';
import { reconcile, type Holding, type Known } from './recover.ts';

const now = 10_000;
const seenAt = 5000;

const interval: OpenInterval = {
  podUid: 'pod',
  class: 'h200',
  start: 1000,
  end: undefined,
  unobserved: false,
  account: { pool: 'national', timeZone: 'UTC', quotas: ['kaist'] },
  workload: 'w',
  user: undefined,
  node: 'n',
  milliDevices: 1000,
  weight: milli(1000),
  kind: 'Guaranteed',
  chargeFactor: micros(1_000_000),
};
const holding = (given: Partial<Holding> = {}): Holding => {
  const { unobserved, ...terms } = interval;
  assert.equal(unobserved, false);
  return { ...terms, ...given };
};
const open = (start: number): Entry => ({ type: 'open', interval: { ...interval, start } });
const close = (start: number, end: number, unobserved = false): Entry => ({
  type: 'close',
  key: { podUid: 'pod', class: 'h200', start },
  end,
  unobserved,
});

interface Case {
  readonly open?: OpenInterval[];
  readonly lastEnd?: number;
  readonly seenAt?: number;
  readonly pods: Holding[];
  readonly want: Entry[];
  /** Starts of what is open afterwards. */
  readonly wantOpen?: number[];
}

const cases: Record<string, Case> = {
  'what is open and still held goes on, whatever the pod says of its start': {
    open: [interval],
    pods: [holding({ start: 0, weight: milli(2000) })],
    want: [],
    wantOpen: [1000],
  },
  'what ended meanwhile ends when the pod says so': {
    open: [interval],
    pods: [holding({ end: 7000 })],
    want: [close(1000, 7000)],
  },
  'what is gone ends when it was last known to be alive, and is marked': {
    open: [interval],
    pods: [],
    want: [close(1000, seenAt, true)],
  },
  'a sighting from a clock that was ahead does not put the end in the future': {
    open: [interval],
    seenAt: now + 1,
    pods: [],
    want: [close(1000, now, true)],
  },
  'what the ledger has not heard of begins when the pod was bound': {
    pods: [holding({ start: 3000 })],
    want: [open(3000)],
    wantOpen: [3000],
  },
  'what it has not heard of and is over already begins and ends': {
    pods: [holding({ start: 3000, end: 4000 })],
    want: [open(3000), close(3000, 4000)],
  },
  'what it has not heard of and nobody saw end is marked': {
    pods: [holding({ start: 3000, end: 4000, unobserved: true })],
    want: [open(3000), close(3000, 4000, true)],
  },
  'what is open was seen alive after whoever lost sight of it: its own last sighting counts': {
    open: [interval],
    pods: [holding({ end: 2000, unobserved: true })],
    want: [close(1000, seenAt, true)],
  },
  'an end before the interval began is none of it': {
    open: [interval],
    pods: [holding({ start: 0, end: 500 })],
    want: [close(1000, seenAt, true)],
  },
  'a pod whose last interval ended begins where that ended, not when it was bound': {
    pods: [holding({ start: 3000 })],
    lastEnd: 4500,
    want: [open(4500)],
    wantOpen: [4500],
  },
  'a pod that is over and in the books is left alone': {
    pods: [holding({ start: 3000, end: 4500 })],
    lastEnd: 4500,
    want: [],
  },
  'devices of another class are an interval of their own': {
    open: [interval],
    pods: [holding(), holding({ class: 'atom', start: 3000 })],
    want: [{ type: 'open', interval: { ...interval, class: 'atom', start: 3000 } }],
    wantOpen: [1000, 3000],
  },
};

describe('the ledger and the pods are brought together', () => {
  for (const [
    rule,
    { open: intervals = [], lastEnd, seenAt: seen = seenAt, pods, want, wantOpen = [] },
  ] of Object.entries(cases))
    it(rule, () => {
      const lastEnds = new Map(lastEnd === undefined ? [] : [['pod h200', lastEnd]]);
      const known: Known = { intervals, seenAt: seen, lastEnds };
      const got = reconcile(known, pods, now);
      assert.deepEqual(got.entries, [...want, { type: 'seen', at: now }]);
      assert.deepEqual(
        got.open.map(({ start }) => start),
        wantOpen,
      );
    });
});
