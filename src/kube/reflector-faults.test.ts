import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nextTurn, type Clock } from './clock.ts';
import { runReflector, type RawObject } from './reflector.ts';
import { Store, type Stored } from './store.ts';
import { FakeList, type Fault } from './testing/fake-list.ts';

function project(raw: RawObject): Stored {
  const { uid, namespace, name, resourceVersion } = raw['metadata'] as Stored;
  return { uid, namespace, name, resourceVersion };
}

/** What objects there are, in one line. */
function summary(objects: Iterable<Stored>): string {
  return [...objects]
    .map(({ name, uid, resourceVersion }) => `${name} ${uid} ${resourceVersion}`)
    .sort()
    .join();
}

describe('a reflector through faults of every kind', () => {
  const names = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const moves = fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.record({ move: fc.constant('put'), name: names, uid: fc.constantFrom('u1', 'u2') }) },
      { weight: 2, arbitrary: fc.record({ move: fc.constant('remove'), name: names }) },
      {
        weight: 3,
        arbitrary: fc.record({
          move: fc.constant('fail'),
          fault: fc.constantFrom<Fault>('cut', 'end', 'garbage', 'expire', 'error'),
        }),
      },
      { weight: 2, arbitrary: fc.record({ move: fc.constant('pause'), turns: fc.integer({ min: 1, max: 8 }) }) },
    ),
    { maxLength: 40 },
  );

  it('ends with what the server has, having told its subscribers of each step', async () => {
    await fc.assert(
      fc.asyncProperty(moves, fc.boolean(), async (script, streaming) => {
        const api = new FakeList({ streaming });
        const store = new Store<Stored>();
        const followed = new Map<string, Stored>();
        store.subscribe((changes) => {
          for (const { type, object, previous } of changes) {
            assert.equal(followed.get(object.name), previous);
            if (type === 'deleted') followed.delete(object.name);
            else followed.set(object.name, object);
          }
        });
        const controller = new AbortController();
        // Waits end at the next turn: what is tried is the order of things, not their pace.
        const clock: Clock = { now: () => 0, monotonic: () => 0, sleep: () => nextTurn() };
        const finished = runReflector({
          transport: api,
          path: '/api/v1/pods',
          project,
          store,
          clock,
          random: () => 0,
          signal: controller.signal,
        });
        for (const move of script) {
          if ('uid' in move) api.put(move.name, move.uid);
          else if ('name' in move) api.remove(move.name);
          else if ('fault' in move) api.failNext(move.fault);
          else for (let turn = 0; turn < move.turns; turn++) await nextTurn();
        }
        const want = summary([...api.objects.values()].map(project));
        for (let left = 2000; left > 0 && !(store.synced && summary(store.values()) === want); left--) await nextTurn();
        assert.equal(summary(store.values()), want);
        assert.equal(summary(followed.values()), want);
        controller.abort(new Error('test is over'));
        await finished;
      }),
      { numRuns: 300 },
    );
  });
});
