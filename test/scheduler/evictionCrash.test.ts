import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { eventually, startOperator, withCluster, type Operator, type Pod } from '../support/index.ts';
import { Estate, type PodOptions } from './estate.ts';

const nodeCount = 30;
const gpusPerNode = 8;
const members = nodeCount * gpusPerNode;
const writers = 32;
const gang = (name: string, size: number): PodOptions => ({
  labels: { 'moa.dev/gang': name },
  annotations: { 'moa.dev/gang-size': String(size) },
});

const isMarked = (pod: Pod) =>
  pod.status.conditions?.some(({ type, status }) => type === 'DisruptionTarget' && status === 'True') === true;
const isEnding = ({ metadata }: Pod) => metadata.deletionTimestamp !== undefined;

describe('an operator that is killed while it evicts', () => {
  const cluster = withCluster({ crds: true });
  let operator: Operator | undefined;
  afterEach(() => operator?.kill());

  const moments = {
    'while it marks the pods, nothing was decided: the gang runs on whole': isMarked,
    'while it deletes the pods, the gang is broken: whoever comes next ends the rest of it': isEnding,
  };
  for (const [rule, isHit] of Object.entries(moments)) {
    it(rule, async (t) => {
      const estate = await Estate.create(
        cluster,
        Array.from({ length: nodeCount }, () => ({})),
        { scheduling: { reclaim: { minRuntime: '0s', notice: '10s' } } },
      );
      const lender = await estate.tenant({ guaranteed: members });
      const borrower = await estate.tenant();
      const gone = () => eventually(async () => assert.equal((await borrower.all()).length, 0), { timeoutMs: 30_000 });
      const names = Array.from({ length: members }, (_, i) => `member-${i}`);
      const todo = names.values();
      await Promise.all(
        Array.from({ length: writers }, async () => {
          for (const name of todo) await borrower.pod({ name, ...gang('borrowed', members) });
        }),
      );
      operator = await startOperator(cluster.plane);
      await borrower.bound(names, 60_000);

      const own = await lender.pods(nodeCount, { gpus: gpusPerNode, ...gang('own', nodeCount) });
      await eventually(async () => assert.ok((await borrower.all()).some(isHit)), { everyMs: 5 });
      await operator.kill();
      // What was on its way when it was killed may still arrive.
      await sleep(500);
      const left = await borrower.all();
      const [marked, ending] = [left.filter(isMarked).length, left.filter(isEnding).length];
      t.diagnostic(`at the kill ${marked} of ${left.length} pods were marked and ${ending} were being deleted`);
      assert.ok(ending < members, 'the kill came too late to prove anything');

      // The one that it was for is gone: no plan has a reason to evict any more.
      for (const name of own) await lender.remove(name);
      operator = await startOperator(cluster.plane);
      if (marked === members) {
        await gone();
      } else {
        await sleep(3000);
        assert.equal((await borrower.all()).filter((pod) => !isEnding(pod)).length, members);
      }
      const again = await lender.pods(nodeCount, { gpus: gpusPerNode, ...gang('again', nodeCount) });
      await lender.bound(again, 60_000);
      await gone();
      await operator.stop();
    });
  }
});
