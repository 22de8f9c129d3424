import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  initialState,
  step,
  type ReflectorAction,
  type ReflectorInput,
  type ReflectorState,
} from './reflector-state.ts';

type Input = ReflectorInput<string>;

const fresh = { failures: 0, streamingUnsupported: false };
const streaming: ReflectorState = { ...fresh, phase: 'streaming' };
const firstPage: ReflectorState = { ...fresh, phase: 'paging', resourceVersion: undefined };
const laterPage: ReflectorState = { ...fresh, phase: 'paging', resourceVersion: '10' };
const watching: ReflectorState = { ...fresh, phase: 'watching', resourceVersion: '10' };
const waitingToList: ReflectorState = { ...fresh, failures: 1, phase: 'waiting', resourceVersion: undefined };
const waitingToWatch: ReflectorState = { ...fresh, failures: 1, phase: 'waiting', resourceVersion: '10' };

const present: Input = { type: 'present', resourceVersion: '11', object: 'a' };
const gone: Input = { type: 'gone', resourceVersion: '11', object: 'a' };
const bookmark: Input = { type: 'bookmark', resourceVersion: '11', initialEventsEnd: false };
const endOfList: Input = { type: 'bookmark', resourceVersion: '11', initialEventsEnd: true };
const page = (continueToken?: string): Input => ({
  type: 'page',
  resourceVersion: '10',
  continueToken,
  objects: ['a', 'b'],
});
const endedAfter = (lastedMs: number): Input => ({ type: 'ended', lastedMs });
const failed = (status: number, code: string, retryAfterMs?: number): Input => ({
  type: 'failed',
  status,
  code,
  retryAfterMs,
});
const cut = failed(0, 'Network');

const wait = (failures: number, atLeastMs = 0): ReflectorAction<string> => ({ do: 'wait', failures, atLeastMs });
const streamList: ReflectorAction<string> = { do: 'streamList' };
const listFirstPage: ReflectorAction<string> = { do: 'listPage', continueToken: undefined };
const watch: ReflectorAction<string> = { do: 'watch', resourceVersion: '10' };
const discard: ReflectorAction<string> = { do: 'discard' };

interface Case {
  readonly from: ReflectorState;
  readonly input: Input;
  readonly want: ReflectorState;
  readonly actions?: readonly ReflectorAction<string>[];
}

const cases: Record<string, Case> = {
  // Listing by streaming
  'starts with a list by streaming': {
    from: initialState,
    input: { type: 'started' },
    want: streaming,
    actions: [streamList],
  },
  'stages what arrives before the end of the initial list': {
    from: streaming,
    input: present,
    want: streaming,
    actions: [{ do: 'stage', object: 'a' }],
  },
  'takes back from the stage what is deleted while the list arrives': {
    from: streaming,
    input: gone,
    want: streaming,
    actions: [{ do: 'unstage', object: 'a' }],
  },
  'does not take an ordinary bookmark for the end of the list': { from: streaming, input: bookmark, want: streaming },
  'commits the list at its bookmark and goes on on the same watch': {
    from: streaming,
    input: endOfList,
    want: { ...fresh, phase: 'watching', resourceVersion: '11' },
    actions: [{ do: 'commit' }],
  },
  'does not take a list alone for a sign of life': {
    from: { ...streaming, failures: 2 },
    input: endOfList,
    want: { ...fresh, failures: 2, phase: 'watching', resourceVersion: '11' },
    actions: [{ do: 'commit' }],
  },
  'discards half a list when the stream breaks, and backs off': {
    from: streaming,
    input: cut,
    want: waitingToList,
    actions: [discard, wait(1)],
  },
  'discards half a list when the stream ends in order, however long it lasted': {
    from: streaming,
    input: endedAfter(60_000),
    want: waitingToList,
    actions: [discard, wait(1)],
  },
  'begins again when the version expires while the list arrives': {
    from: streaming,
    input: failed(410, 'Expired'),
    want: waitingToList,
    actions: [discard, wait(1)],
  },
  'waits as long as the server asks': {
    from: streaming,
    input: failed(429, 'TooManyRequests', 7000),
    want: waitingToList,
    actions: [discard, wait(1, 7000)],
  },
  'does not take missing rights for missing support': {
    from: streaming,
    input: failed(403, 'Forbidden'),
    want: waitingToList,
    actions: [discard, wait(1)],
  },
  'waits for a resource that is not served yet': {
    from: streaming,
    input: failed(404, 'NotFound'),
    want: waitingToList,
    actions: [discard, wait(1)],
  },

  // Listing by pages
  'lists by pages at once where streaming is not known (400)': {
    from: streaming,
    input: failed(400, 'BadRequest'),
    want: { ...firstPage, streamingUnsupported: true },
    actions: [discard, listFirstPage],
  },
  'lists by pages at once where streaming is not allowed (422)': {
    from: streaming,
    input: failed(422, 'Invalid'),
    want: { ...firstPage, streamingUnsupported: true },
    actions: [discard, listFirstPage],
  },
  'stages a page and asks for the next': {
    from: firstPage,
    input: page('token'),
    want: laterPage,
    actions: [
      { do: 'stage', object: 'a' },
      { do: 'stage', object: 'b' },
      { do: 'listPage', continueToken: 'token' },
    ],
  },
  'commits after the last page and watches from the version of the first': {
    from: laterPage,
    input: { type: 'page', resourceVersion: '12', continueToken: undefined, objects: ['c'] },
    want: watching,
    actions: [{ do: 'stage', object: 'c' }, { do: 'commit' }, watch],
  },
  'commits an empty list': {
    from: firstPage,
    input: { type: 'page', resourceVersion: '10', continueToken: undefined, objects: [] },
    want: watching,
    actions: [{ do: 'commit' }, watch],
  },
  'discards its pages when the continuation expires, and lists anew': {
    from: laterPage,
    input: failed(410, 'Expired'),
    want: waitingToList,
    actions: [discard, wait(1)],
  },
  'discards its pages when one cannot be had': {
    from: laterPage,
    input: failed(500, 'InternalError'),
    want: waitingToList,
    actions: [discard, wait(1)],
  },

  // Watching
  'puts what the watch brings into the store and remembers the version': {
    from: watching,
    input: present,
    want: { ...watching, resourceVersion: '11' },
    actions: [{ do: 'upsert', object: 'a' }],
  },
  'deletes what the watch says is gone and remembers the version': {
    from: watching,
    input: gone,
    want: { ...watching, resourceVersion: '11' },
    actions: [{ do: 'delete', object: 'a' }],
  },
  'remembers the version of a bookmark': {
    from: watching,
    input: bookmark,
    want: { ...watching, resourceVersion: '11' },
  },
  'forgets its failures when an event arrives': {
    from: { ...watching, failures: 2 },
    input: present,
    want: { ...watching, resourceVersion: '11' },
    actions: [{ do: 'upsert', object: 'a' }],
  },
  'forgets its failures when a bookmark arrives': {
    from: { ...watching, failures: 2 },
    input: bookmark,
    want: { ...watching, resourceVersion: '11' },
  },
  'watches on at once when the server ends a watch that lasted, and forgets its failures': {
    from: { ...watching, failures: 2 },
    input: endedAfter(1000),
    want: watching,
    actions: [watch],
  },
  "asks a server that is not there again after three failures' time at most": {
    from: { ...watching, failures: 7 },
    input: failed(0, 'Network'),
    want: { ...waitingToList, failures: 8 },
    actions: [wait(3)],
  },
  'stays away from a server that answers with errors for longer each time': {
    from: { ...watching, failures: 7 },
    input: failed(500, 'InternalError'),
    want: { ...waitingToList, failures: 8 },
    actions: [wait(8)],
  },
  'backs off when the server ends a watch at once': {
    from: watching,
    input: endedAfter(999),
    want: waitingToWatch,
    actions: [wait(1)],
  },
  'keeps its version when the connection breaks or goes silent': {
    from: watching,
    input: failed(0, 'Timeout'),
    want: waitingToWatch,
    actions: [wait(1)],
  },
  'keeps its version through an error of the server, and waits as long as asked': {
    from: watching,
    input: failed(503, 'ServiceUnavailable', 3000),
    want: waitingToWatch,
    actions: [wait(1, 3000)],
  },
  'lists anew at once when its version has expired, said by status': {
    from: watching,
    input: failed(410, 'Whatever'),
    want: { ...streaming, failures: 1 },
    actions: [streamList],
  },
  'lists anew at once when its version has expired, said by reason': {
    from: watching,
    input: failed(500, 'Expired'),
    want: { ...streaming, failures: 1 },
    actions: [streamList],
  },
  'backs off when a version expires again without a sign of life between': {
    from: { ...watching, failures: 1 },
    input: failed(410, 'Expired'),
    want: { ...waitingToList, failures: 2 },
    actions: [wait(2)],
  },
  'lists anew when a watch fails three times in a row': {
    from: { ...watching, failures: 2 },
    input: failed(504, 'Timeout'),
    want: { ...waitingToList, failures: 3 },
    actions: [wait(3)],
  },

  // Waiting
  'watches from where it was after waiting': {
    from: waitingToWatch,
    input: { type: 'waited' },
    want: { ...watching, failures: 1 },
    actions: [watch],
  },
  'lists by streaming after waiting': {
    from: waitingToList,
    input: { type: 'waited' },
    want: { ...streaming, failures: 1 },
    actions: [streamList],
  },
  'lists by pages after waiting where streaming is not supported': {
    from: { ...waitingToList, streamingUnsupported: true },
    input: { type: 'waited' },
    want: { ...firstPage, failures: 1, streamingUnsupported: true },
    actions: [listFirstPage],
  },
  'tries pages when streaming failed three times in a row': {
    from: { ...waitingToList, failures: 3 },
    input: { type: 'waited' },
    want: { ...firstPage, failures: 3 },
    actions: [listFirstPage],
  },

  // Inputs out of place
  'ignores a second start': { from: watching, input: { type: 'started' }, want: watching },
  'ignores a page while watching': { from: watching, input: page(), want: watching },
  'ignores an event while waiting': { from: waitingToWatch, input: present, want: waitingToWatch },
  'ignores an event while paging': { from: firstPage, input: gone, want: firstPage },
  'ignores a failure while waiting': { from: waitingToList, input: cut, want: waitingToList },
  'ignores the end of a wait that was not': { from: watching, input: { type: 'waited' }, want: watching },
};

describe('the reflector as a state machine', () => {
  for (const [name, { from, input, want, actions = [] }] of Object.entries(cases)) {
    it(name, () => assert.deepEqual(step(from, input), { state: want, actions }));
  }

  const undertakings: readonly string[] = ['streamList', 'listPage', 'watch', 'wait'];
  /** What the driver can feed in each phase, the last of an undertaking included. */
  const inputs: Record<Exclude<ReflectorState['phase'], 'empty'>, fc.Arbitrary<Input>> = {
    streaming: fc.constantFrom(
      present,
      gone,
      bookmark,
      endOfList,
      endedAfter(0),
      endedAfter(5000),
      cut,
      failed(422, 'Invalid'),
      failed(410, 'Expired'),
    ),
    paging: fc.constantFrom(page('more'), page(), cut, failed(410, 'Expired')),
    watching: fc.constantFrom(
      present,
      gone,
      bookmark,
      endedAfter(0),
      endedAfter(5000),
      cut,
      failed(410, 'Expired'),
      failed(500, 'InternalError'),
    ),
    waiting: fc.constant({ type: 'waited' } as const),
  };
  const last: readonly string[] = ['started', 'page', 'ended', 'failed', 'waited'];

  /** Thirty steps from the start, each with an input that the driver could give there. */
  const walks = fc.gen().map((generate) => {
    const steps = [{ input: { type: 'started' } as Input, ...step<string>(initialState, { type: 'started' }) }];
    for (let { state } = steps[0]!; steps.length < 30; state = steps.at(-1)!.state) {
      if (state.phase === 'empty') throw new Error('empty after the start');
      const choices = inputs[state.phase];
      const input = generate(() => choices);
      steps.push({ input, ...step(state, input) });
    }
    return steps;
  });

  it('asks for one undertaking exactly when the last has come to its end, whatever happens', () => {
    fc.assert(
      fc.property(walks, (steps) => {
        for (const { input, actions } of steps) {
          const asked = actions.filter((action) => undertakings.includes(action.do)).length;
          assert.equal(asked, last.includes(input.type) ? 1 : 0, input.type);
        }
      }),
    );
  });

  it('commits a list only that it has begun, and not discarded since', () => {
    fc.assert(
      fc.property(walks, (steps) => {
        let listing = false;
        for (const action of steps.flatMap(({ actions }) => actions)) {
          if (action.do === 'commit') assert.ok(listing);
          if (action.do === 'commit' || action.do === 'discard') listing = false;
          if (action.do === 'streamList' || action.do === 'listPage') listing = true;
        }
      }),
    );
  });
});
