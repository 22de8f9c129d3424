import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { Estate, type Tenant } from '../scheduler/estate.ts';
import { eventually, startOperator, withCluster, type Operator, type Pod } from '../support/index.ts';
import { largePods, oddments, offer, offerNodes, pods, resources, type Tried } from './admitted.ts';

const seed = 20_260_601;
/** What the operator logs when something of ours, and not of the API server's, went wrong. */
const faults =
  /a scheduling cycle failed|cannot work out the statuses|cannot apply a change|RangeError|TypeError|cannot go on/;

describe('what a real API server admits', () => {
  const cluster = withCluster({ crds: true });
  let operator: Operator | undefined;
  let estate: Estate;
  let good: Tenant;
  let bad: Tenant;

  before(
    async () => {
      operator = await startOperator(cluster.plane);
      estate = await Estate.create(cluster, [{}, {}]);
      good = await estate.tenant({ guaranteed: 8 });
      bad = await estate.tenant({ guaranteed: 0, borrowingLimit: 0 });
    },
    { timeout: 60_000 },
  );
  after(() => operator?.kill());

  /** A pod of someone else starts, and the operator has nothing to complain of. */
  async function othersGoOn(): Promise<void> {
    const names = await good.running(1);
    for (const name of names) await good.remove(name);
    assert.deepEqual(faultsOf(cluster.plane.logs), []);
  }

  const told = ({ offered, admitted }: Tried, what: string) => `${admitted.length} of ${offered} ${what} were admitted`;

  it('resources of Moa: others go on, and each says whether it is Ready', async (context) => {
    const tried = await offer(cluster.client, resources(seed, 80));
    context.diagnostic(told(tried, 'resources'));
    assert.ok(tried.admitted.length > 150, told(tried, 'resources'));
    await othersGoOn();
    await eventually(
      async () => {
        for (const kind of ['GpuPool', 'ResearchQuota', 'MatchingInvestment']) {
          const all = await cluster.client.list({ apiVersion: 'moa.dev/v1alpha1', kind });
          const silent = all.filter(
            (one) => !JSON.stringify((one as { status?: unknown }).status ?? '').includes('"Ready"'),
          );
          assert.deepEqual(
            silent.map(({ metadata }) => metadata.name),
            [],
            kind,
          );
        }
      },
      { timeoutMs: 60_000 },
    );
    for (const { apiVersion, kind, metadata } of tried.admitted)
      await cluster.client.delete({ apiVersion, kind, metadata });
    await othersGoOn();
  });

  it('pods: others go on, and each that waits is told why', async (context) => {
    const tried = await offer(cluster.client, pods(seed, 400, bad.namespace));
    context.diagnostic(told(tried, 'pods'));
    assert.ok(tried.admitted.length > 200, told(tried, 'pods'));
    await othersGoOn();
    await explained(bad);
  });

  it('pods of the largest size that is admitted: others go on, and each is told why it waits in a short sentence', async (context) => {
    const tried = await offer(cluster.client, largePods(bad.namespace));
    context.diagnostic(told(tried, 'large pods'));
    assert.ok(tried.admitted.length >= 10, told(tried, 'large pods'));
    await othersGoOn();
    await explained(bad);
  });

  it('nodes, namespaces and Jobs: others go on', async (context) => {
    const nodes = await offerNodes(cluster.client, seed, 150);
    const others = await offer(cluster.client, oddments());
    context.diagnostic(`${told(nodes, 'nodes')}, ${told(others, 'namespaces and Jobs')}`);
    assert.ok(nodes.admitted.length > 20, told(nodes, 'nodes'));
    assert.equal(others.admitted.length, others.offered);
    await othersGoOn();
  });

  it('a node of the pool that reports more devices than can be counted is not counted, and others go on', async () => {
    const [name] = await estate.addNodes([{}]);
    const ref = { apiVersion: 'v1', kind: 'Node', metadata: { name: name! } };
    const devices = { 'nvidia.com/gpu': '9E' };
    await cluster.client.patch(ref, { status: { capacity: devices, allocatable: devices } }, 'status');
    await othersGoOn();
    await cluster.client.delete(ref);
  });

  it('at the end the operator stops in good order', async () => {
    const last = operator;
    operator = undefined;
    await last?.stop();
    assert.deepEqual(faultsOf(cluster.plane.logs), []);
  });
});

/** Each waiting pod of Moa's says why it waits, in a sentence of a length that people read. */
async function explained(tenant: Tenant): Promise<void> {
  await eventually(
    async () => {
      const waiting = (await tenant.all()).filter((pod) => pod.spec.nodeName === undefined && isOurs(pod));
      assert.deepEqual(
        waiting.filter((pod) => sentenceOf(pod) === undefined).map(({ metadata }) => metadata.name),
        [],
      );
      for (const pod of waiting) assert.ok((sentenceOf(pod)?.length ?? 0) < 2100, pod.metadata.name);
    },
    { timeoutMs: 60_000, everyMs: 500 },
  );
}

/** Pods that are gated or being deleted are nobody's to explain. */
function isOurs({ spec, metadata }: Pod): boolean {
  const gated = (spec as { readonly schedulingGates?: readonly unknown[] }).schedulingGates ?? [];
  return spec.schedulerName === 'moa-scheduler' && gated.length === 0 && metadata.deletionTimestamp === undefined;
}

function sentenceOf({ status }: Pod): string | undefined {
  return status.conditions?.find(({ type }) => type === 'PodScheduled')?.message;
}

function faultsOf(logs: string): string[] {
  const files = readdirSync(logs).filter((file) => /^operator.*\.log$/.test(file));
  return files
    .flatMap((file) => readFileSync(join(logs, file), 'utf8').split('\n'))
    .filter((line) => faults.test(line));
}
