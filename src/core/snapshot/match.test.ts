import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compatible, matches, type Requirement } from './index.ts';

const requirement = (operator: Requirement['operator'], ...values: string[]): Requirement => ({
  key: 'zone',
  operator,
  values,
});

describe('a selector', () => {
  const table: [string, Requirement, Record<string, string>, boolean][] = [
    ['In needs one of the values', requirement('In', 'a', 'b'), { zone: 'b' }, true],
    ['In needs the label', requirement('In', 'a'), {}, false],
    ['NotIn holds where the label is missing', requirement('NotIn', 'a'), {}, true],
    ['NotIn rules its values out', requirement('NotIn', 'a'), { zone: 'a' }, false],
    ['Exists takes an empty value', requirement('Exists'), { zone: '' }, true],
    ['DoesNotExist refuses an empty value', requirement('DoesNotExist'), { zone: '' }, false],
    ['Gt compares whole numbers', requirement('Gt', '9'), { zone: '10' }, true],
    ['Gt is strict', requirement('Gt', '10'), { zone: '10' }, false],
    ['Gt of a text matches nothing', requirement('Gt', '9'), { zone: 'ten' }, false],
    ['Lt of a missing label matches nothing', requirement('Lt', '9'), {}, false],
    ['Lt with two bounds matches nothing', requirement('Lt', '9', '10'), { zone: '1' }, false],
    ['a key that every object has is no label', { key: 'constructor', operator: 'Exists', values: [] }, {}, false],
  ];
  for (const [rule, one, labels, want] of table) it(rule, () => assert.equal(matches([one], labels), want));
});

describe('two selectors are compatible unless one rules the other out', () => {
  const table: [string, Requirement, Requirement, boolean][] = [
    ['the same value', requirement('In', 'a'), requirement('In', 'a', 'b'), true],
    ['disjoint values', requirement('In', 'a'), requirement('In', 'b'), false],
    ['a value that the other forbids', requirement('In', 'a'), requirement('NotIn', 'a'), false],
    ['asked for and forbidden', requirement('Exists'), requirement('DoesNotExist'), false],
    ['forbidden on both sides', requirement('NotIn', 'a'), requirement('DoesNotExist'), true],
    ['another key', { ...requirement('In', 'a'), key: 'rack' }, requirement('In', 'b'), true],
  ];
  for (const [rule, a, b, want] of table) {
    it(rule, () => assert.deepEqual([compatible([a], [b]), compatible([b], [a])], [want, want]));
  }
});
