import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';

import { eventually, startOperator, withCluster, type KubeObject, type Operator } from '../support/index.ts';
import { Estate, type Tenant } from './estate.ts';

interface Lease extends KubeObject {
  readonly spec: { readonly holderIdentity: string };
}

interface Event extends KubeObject {
  readonly reason: string;
  readonly reportingInstance: string;
  readonly regarding: { readonly name: string };
}

describe('two operators with leader election', () => {
  const cluster = withCluster({ crds: true });
  const running: Operator[] = [];
  after(() => Promise.all(running.map((operator) => operator.kill())));

  const start = async () => {
    const operator = await startOperator(cluster.plane, ['--leader-elect=true']);
    running.push(operator);
    return operator;
  };
  const holder = async () => {
    const metadata = { name: 'moa-leader', namespace: 'moa-system' };
    const lease = await cluster.client.get<Lease>({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata });
    return lease.spec.holderIdentity;
  };
  /** Which operator says of each pod that it placed it. */
  const placedBy = ({ namespace }: Tenant, pods: readonly string[]) =>
    eventually(async () => {
      const events = await cluster.client.list<Event>({ apiVersion: 'events.k8s.io/v1', kind: 'Event' }, { namespace });
      const scheduled = events.filter(({ reason }) => reason === 'Scheduled');
      return pods.map((pod) => {
        const own = scheduled.filter(({ regarding }) => regarding.name === pod);
        assert.equal(own.length, 1, `Scheduled events of ${pod}`);
        return own[0]!.reportingInstance;
      });
    });

  it('only the leader acts; when it is told to end, the other goes on within five seconds', async () => {
    const estate = await Estate.create(cluster, [{}, {}]);
    const tenant = await estate.tenant({ guaranteed: 16 });
    const leader = await start();
    const first = await tenant.running(2);
    const follower = await start();
    const leading = await holder();
    const second = await tenant.running(4);
    assert.deepEqual(new Set(await placedBy(tenant, [...first, ...second])), new Set([leading]));
    const figures = (name: string) => Promise.all([leader, follower].map((operator) => operator.metric(name)));
    assert.deepEqual(await figures('moa_leader'), [1, 0]);
    assert.deepEqual(await figures('moa_pods_bound_total'), [6, 0]);

    // Gangs are in flight while the lead changes hands.
    const member = { labels: { 'moa.dev/gang': 'g' }, annotations: { 'moa.dev/gang-size': '4' } };
    const [stopped, gang] = await Promise.all([leader.stop().then(() => performance.now()), tenant.pods(4, member)]);
    const late = await tenant.pods(2);
    await tenant.bound([...gang, ...late], 10_000);
    const seconds = (performance.now() - stopped) / 1000;
    assert.ok(seconds < 5, `${seconds} s`);
    const succeeding = await holder();
    assert.notEqual(succeeding, leading);
    assert.deepEqual(new Set(await placedBy(tenant, late)), new Set([succeeding]));
    assert.equal(await follower.metric('moa_leader'), 1);
    await follower.stop();
  });
});
