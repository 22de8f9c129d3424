import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { keyOf, Store, type Change, type Stored } from './store.ts';

interface Thing extends Stored {
  readonly colours: readonly string[];
}

function thing(name: string, more: Partial<Thing> = {}): Thing {
  return { uid: `uid-${name}`, namespace: 'n', name, resourceVersion: '1', colours: [], ...more };
}

/** What happened, as short words. */
function words(changes: readonly Change<Thing>[]): string[] {
  return changes.map(({ type, object }) => `${type} ${object.name}@${object.resourceVersion}`);
}

function recorded(store: Store<Thing>): string[][] {
  const batches: string[][] = [];
  store.subscribe((changes) => batches.push(words(changes)));
  return batches;
}

describe('a key', () => {
  it('has the namespace in front, unless there is none', () => {
    assert.equal(keyOf('n', 'a'), 'n/a');
    assert.equal(keyOf('', 'a'), 'a');
  });
});

describe('a store', () => {
  it('tells of what is added, updated and deleted, with what was there before', () => {
    const store = new Store<Thing>();
    const seen: Change<Thing>[] = [];
    store.subscribe((changes) => seen.push(...changes));
    const one = thing('a');
    const two = thing('a', { resourceVersion: '2' });
    store.upsert(one);
    store.upsert(two);
    store.delete('n/a');
    assert.deepEqual(seen, [
      { type: 'added', object: one, previous: undefined },
      { type: 'updated', object: two, previous: one },
      { type: 'deleted', object: two, previous: two },
    ]);
  });

  it('says nothing of an object that is as it was, and keeps the instance', () => {
    const store = new Store<Thing>();
    const first = thing('a');
    store.upsert(first);
    const batches = recorded(store);
    store.upsert(thing('a'));
    store.replace([thing('a')]);
    assert.deepEqual(batches, []);
    assert.equal(store.get('n/a'), first);
  });

  it('tells of another object under the same name as a deletion and an addition', () => {
    const store = new Store<Thing>();
    store.upsert(thing('a'));
    const batches = recorded(store);
    store.upsert(thing('a', { uid: 'other', resourceVersion: '9' }));
    assert.deepEqual(batches, [['deleted a@1', 'added a@9']]);
  });

  it('tells of a replacement in one batch, the vanished ones included', () => {
    const store = new Store<Thing>();
    store.replace([thing('stays'), thing('goes'), thing('changes')]);
    const batches = recorded(store);
    store.replace([thing('stays'), thing('changes', { resourceVersion: '2' }), thing('comes')]);
    assert.deepEqual(batches, [['deleted goes@1', 'updated changes@2', 'added comes@1']]);
  });

  it('is synced after the first replacement, even of nothing, but not before its subscribers know', async () => {
    const store = new Store<Thing>();
    store.upsert(thing('a'));
    assert.equal(store.synced, false);
    const whenTold: boolean[] = [];
    store.subscribe(() => whenTold.push(store.synced));
    const waiting = store.whenSynced();
    store.replace([]);
    assert.deepEqual(whenTold, [false]);
    assert.equal(store.synced, true);
    await waiting;
    await store.whenSynced();
  });

  it('rejects a wait for sync with the reason of its signal', async () => {
    const controller = new AbortController();
    const waiting = new Store<Thing>().whenSynced(controller.signal);
    controller.abort(new Error('stop'));
    await assert.rejects(waiting, { message: 'stop' });
  });

  it('tells all subscribers the same order when one of them changes the store', () => {
    const store = new Store<Thing>();
    store.subscribe(([change]) => {
      if (change?.object.name === 'a') store.upsert(thing('b'));
    });
    const batches = recorded(store);
    store.upsert(thing('a'));
    assert.deepEqual(batches, [['added a@1'], ['added b@1']]);
  });

  it('tells the others when one subscriber throws, and hands the error over', () => {
    const errors: unknown[] = [];
    const store = new Store<Thing>({ onSubscriberError: (error) => errors.push(error) });
    const bug = new Error('bug');
    store.subscribe(() => {
      throw bug;
    });
    const batches = recorded(store);
    store.upsert(thing('a'));
    assert.deepEqual(batches, [['added a@1']]);
    assert.deepEqual(errors, [bug]);
  });

  it('stops telling who has unsubscribed', () => {
    const store = new Store<Thing>();
    const seen: string[] = [];
    const unsubscribe = store.subscribe((changes) => seen.push(...words(changes)));
    unsubscribe();
    store.upsert(thing('a'));
    assert.deepEqual(seen, []);
  });

  it('refuses an index that exists and a look into one that does not', () => {
    const store = new Store<Thing>();
    store.addIndex('colour', ({ colours }) => colours);
    assert.throws(() => store.addIndex('colour', () => []), /index colour exists/);
    assert.throws(() => store.byIndex('shape', 'round'), /no index shape/);
  });

  it('agrees with a plain map, its indexes and changes included, whatever happens to it', () => {
    const names = fc.constantFrom('a', 'b', 'c', 'd');
    const things = fc
      .record({
        name: names,
        uid: fc.constantFrom('u1', 'u2'),
        resourceVersion: fc.constantFrom('1', '2', '3'),
        colours: fc.uniqueArray(fc.constantFrom('red', 'green')),
      })
      // One version of one object is one content, as on a server.
      .map(({ colours, ...rest }): Thing => ({
        namespace: 'n',
        colours: rest.resourceVersion === '1' ? [] : colours,
        ...rest,
      }))
      .map((object) => ({ ...object, resourceVersion: `${object.resourceVersion}-${object.colours.join('-')}` }));
    const moves = fc.array(
      fc.oneof(
        things.map((object) => ({ move: 'upsert' as const, object })),
        names.map((name) => ({ move: 'delete' as const, name })),
        fc.uniqueArray(things, { selector: ({ name }) => name }).map((all) => ({ move: 'replace' as const, all })),
      ),
    );
    fc.assert(
      fc.property(moves, fc.nat({ max: 5 }), (script, indexAfter) => {
        const store = new Store<Thing>();
        const model = new Map<string, Thing>();
        const followed = new Map<string, Thing>();
        store.subscribe((changes) => {
          for (const { type, object, previous } of changes) {
            assert.deepEqual(followed.get(object.name), previous);
            if (type === 'deleted') followed.delete(object.name);
            else followed.set(object.name, object);
          }
        });
        script.forEach((move, at) => {
          if (at === indexAfter) store.addIndex('colour', ({ colours }) => colours);
          if (move.move === 'upsert') {
            store.upsert(move.object);
            model.set(move.object.name, move.object);
          } else if (move.move === 'delete') {
            store.delete(`n/${move.name}`);
            model.delete(move.name);
          } else {
            store.replace(move.all);
            model.clear();
            for (const object of move.all) model.set(object.name, object);
          }
          const byName = (one: Thing, other: Thing): number => (one.name < other.name ? -1 : 1);
          const want = [...model.values()].sort(byName);
          assert.deepEqual([...store.values()].sort(byName), want);
          assert.deepEqual([...followed.values()].sort(byName), want);
          assert.equal(store.size, want.length);
          if (at < indexAfter) return;
          for (const colour of ['red', 'green']) {
            const found = [...store.byIndex('colour', colour)].sort(byName);
            assert.deepEqual(
              found,
              want.filter(({ colours }) => colours.includes(colour)),
            );
          }
        });
      }),
    );
  });
});
