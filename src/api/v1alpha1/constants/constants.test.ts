import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  annotations,
  conditionReasons,
  conditions,
  foreignKeys,
  labels,
  waitReasons,
  type ConditionDoc,
  type KeyDoc,
} from './index.ts';

describe('the tokens of Moa', () => {
  const documented = Object.values(conditions).flatMap((types) => Object.values<ConditionDoc>(types));

  it('have every condition reason belong to a condition', () => {
    const used = new Set(documented.flatMap((each) => [...each.true, ...each.false]));
    assert.deepEqual(
      Object.keys(conditionReasons).filter((reason) => !used.has(reason as keyof typeof conditionReasons)),
      [],
    );
  });

  it('have no condition use one reason for True and for False', () => {
    for (const each of documented)
      assert.deepEqual(
        each.true.filter((reason) => each.false.includes(reason)),
        [],
      );
  });

  it('are words that Kubernetes takes as reasons', () => {
    for (const token of [...Object.keys(waitReasons), ...Object.keys(conditionReasons)])
      assert.match(token, /^[A-Z][A-Za-z]+$/);
  });

  it('have every key on one kind of object once', () => {
    const keys = [labels, annotations, foreignKeys].flatMap((table) =>
      Object.values<KeyDoc>(table).map(
        ({ key, on }) => `${on} ${key} ${table === annotations ? 'annotation' : 'label'}`,
      ),
    );
    assert.equal(new Set(keys).size, keys.length);
  });
});
