import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseCommand, UsageError, type Command } from './arguments.ts';

const understood: Record<string, { args: string[]; want: Command }> = {
  'up alone starts no nodes on a temporary directory': {
    args: ['up'],
    want: { kind: 'up', nodes: 0, dataDir: undefined },
  },
  'flags take their value after a space or an equals sign': {
    args: ['up', '--nodes', '1000', '--data=/tmp/x'],
    want: { kind: 'up', nodes: 1000, dataDir: '/tmp/x' },
  },
  'down takes a data directory': { args: ['down', '--data', 'x'], want: { kind: 'down', dataDir: 'x' } },
  '--help wins over everything else': { args: ['up', '--nodes', 'many', '--help'], want: { kind: 'help' } },
};

for (const [rule, { args, want }] of Object.entries(understood)) {
  test(rule, () => assert.deepEqual(parseCommand(args), want));
}

const refused: Record<string, { args: string[]; want: RegExp }> = {
  'no command is refused': { args: [], want: /up or down/ },
  'an unknown command is named': { args: ['start'], want: /"start" is not a command/ },
  'an unknown flag is named beside the known ones': {
    args: ['up', '--node', '3'],
    want: /up has no flag --node: it has --nodes N, --data DIR/,
  },
  'a flag of the other command is unknown': { args: ['down', '--nodes', '3'], want: /down has no flag --nodes/ },
  'a short flag is unknown': { args: ['up', '-n', '3'], want: /up has no flag -n/ },
  'a stray argument is named': { args: ['up', 'here'], want: /up takes no argument here/ },
  'a flag without its value is refused': { args: ['up', '--nodes'], want: /--nodes needs a value: --nodes N/ },
  'a flag with an empty value is refused': { args: ['up', '--data='], want: /--data needs a value: --data DIR/ },
  'another flag is not a value': { args: ['up', '--data', '--nodes', '3'], want: /--data needs a value/ },
  'a flag given twice is refused': { args: ['up', '--nodes', '1', '--nodes', '2'], want: /--nodes is given twice/ },
  'a negative number of nodes is refused': { args: ['up', '--nodes=-1'], want: /--nodes -1: give a whole number/ },
  'a fraction of a node is refused': { args: ['up', '--nodes', '1.5'], want: /--nodes 1\.5: give a whole number/ },
  'a number of nodes in another notation is refused': { args: ['up', '--nodes', '1e3'], want: /--nodes 1e3/ },
  'too many nodes are refused': { args: ['up', '--nodes', '100001'], want: /from 0 to 100000/ },
};

for (const [rule, { args, want }] of Object.entries(refused)) {
  test(rule, () => {
    assert.throws(
      () => parseCommand(args),
      (error) => error instanceof UsageError && want.test(error.message),
    );
  });
}
