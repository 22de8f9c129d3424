import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HostPort } from '../../snapshot/index.ts';
import { nodeOf, podOf, stageOf } from '../../testing/constraints.ts';

describe('ports of the hosts', () => {
  const port = (more: Partial<HostPort> = {}): HostPort => ({ ip: '0.0.0.0', protocol: 'TCP', port: 80, ...more });
  const table: { rule: string; taken: HostPort; asked: HostPort; want: boolean }[] = [
    { rule: 'a port that is taken is taken', taken: port(), asked: port(), want: false },
    { rule: 'another port is free', taken: port(), asked: port({ port: 81 }), want: true },
    { rule: 'another protocol has ports of its own', taken: port(), asked: port({ protocol: 'UDP' }), want: true },
    { rule: 'every address includes each', taken: port(), asked: port({ ip: '10.0.0.1' }), want: false },
    { rule: 'each address stands in the way of every', taken: port({ ip: '10.0.0.1' }), asked: port(), want: false },
    {
      rule: 'two addresses do not touch',
      taken: port({ ip: '10.0.0.1' }),
      asked: port({ ip: '10.0.0.2' }),
      want: true,
    },
  ];
  for (const { rule, taken, asked, want } of table)
    it(rule, () => {
      const stage = stageOf([nodeOf('a'), nodeOf('b')], [podOf({ hostPorts: [taken], on: 'a' })]);
      assert.deepEqual(stage.allowed(podOf({ hostPorts: [asked] })), want ? ['a', 'b'] : ['b']);
    });

  it('a port is free once the last of its users is gone', () => {
    const stage = stageOf([nodeOf('a')], [podOf({ hostPorts: [port()] })]);
    const [one, other] = [podOf({ hostPorts: [port()] }), podOf({ hostPorts: [port()] })];
    const free = () => stage.allowed(podOf({ hostPorts: [port()] })).length === 1;
    stage.hold(one, 'a');
    stage.hold(other, 'a');
    stage.hold(one, 'a', -1);
    assert.equal(free(), false);
    stage.hold(other, 'a', -1);
    assert.equal(free(), true);
  });
});
