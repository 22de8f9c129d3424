import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseFlags, UsageError, type FlagSet } from './flags.ts';

const flags = {
  nodes: { type: 'number', default: 1000, least: 1, most: 5000, meaning: 'nodes' },
  only: { type: 'names', names: ['a', 'b', 'c'], meaning: 'which' },
} as const satisfies FlagSet;

describe('parseFlags', () => {
  const table: [string, string[], object][] = [
    ['without flags the defaults hold', [], { nodes: 1000, only: ['a', 'b', 'c'] }],
    ['a value may follow the flag', ['--nodes', '5'], { nodes: 5, only: ['a', 'b', 'c'] }],
    ['or an equals sign', ['--nodes=5'], { nodes: 5, only: ['a', 'b', 'c'] }],
    ['names come in the order of the benchmark', ['--only', 'c,a'], { nodes: 1000, only: ['a', 'c'] }],
  ];
  for (const [rule, args, want] of table) it(rule, () => assert.deepEqual(parseFlags(flags, args), want));

  const refusals: [string, string[], RegExp][] = [
    ['a number outside the bounds', ['--nodes', '0'], /--nodes 0: give a whole number from 1 to 5000/],
    ['a number that is not whole', ['--nodes', '1.5'], /--nodes 1\.5: give a whole number/],
    ['a flag without its value', ['--nodes'], /--nodes needs a value/],
    ['a flag where a value should be', ['--nodes', '--only'], /--nodes needs a value/],
    ['an unknown flag', ['--node', '5'], /there is no flag --node: use --nodes, --only/],
    ['an argument', ['5'], /there is no argument 5/],
    ['a flag given twice', ['--nodes=1', '--nodes=2'], /--nodes is given twice/],
    ['an unknown name', ['--only', 'a,x'], /there is no x; give some of a,b,c/],
  ];
  for (const [rule, args, message] of refusals)
    it(`${rule} is refused`, () => {
      assert.throws(
        () => parseFlags(flags, args),
        (error) => error instanceof UsageError && message.test(error.message),
      );
    });
});
