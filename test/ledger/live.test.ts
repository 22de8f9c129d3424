import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import { openStore, type Interval } from '../../src/ledger/index.ts';
import { Estate, type Resource } from '../scheduler/estate.ts';
import { eventually, startOperator, uniqueName, withCluster } from '../support/index.ts';

const main = fileURLToPath(new URL('../../src/ledger/report/main.ts', import.meta.url));
const forever = { from: 0, to: Date.parse('2100-01-01T00:00:00Z') };

describe('the account of an investment, kept by a running operator', () => {
  const cluster = withCluster({ crds: true });

  it('tells what was brought, used and lent, and how long the investor waited', async () => {
    const url = `sqlite:${join(cluster.plane.logs, `${uniqueName('invested')}.sqlite`)}`;
    const operator = await startOperator(cluster.plane, ['--ledger', url]);
    const from = { labels: { from: 'investor' } };
    const scheduling = { reclaim: { minRuntime: '0s', notice: '1s' } };
    const estate = await Estate.create(cluster, [from], { scheduling, accounting: { timeZone: 'Asia/Seoul' } });
    const [investor, borrower] = [await estate.tenant(), await estate.tenant()];
    const deal = estate.resource('MatchingInvestment', uniqueName('deal'), {
      investorName: investor.quota,
      contribution: { items: [{ class: 'h200', gpus: 8 }], nodeSelector: { matchLabels: from.labels } },
      entitlement: { ownFraction: '0.75' },
    });
    await cluster.client.create(deal);
    const status = async () => (await cluster.client.get<Resource>(deal)).status;
    await eventually(async () => assert.partialDeepStrictEqual(await status(), { effectiveEntitlement: '6' }));

    // Eight borrow all there is: six of it are lent by the deal. Then the investor wants four back.
    await borrower.running(8);
    await eventually(async () => assert.partialDeepStrictEqual(await status(), { used: '0', lent: '6' }));
    const [own = ''] = await investor.pods(1, { gpus: 4 });
    await investor.bound([own], 30_000);
    await eventually(async () => assert.partialDeepStrictEqual(await status(), { used: '4', lent: '2' }));
    await operator.stop();

    const store = await openStore(url);
    const intervals: readonly Interval[] = await store.intervals(forever);
    const [row, ...others] = await store.investments({ ...forever, quota: investor.quota });
    await store.close();
    assert.deepEqual(others, []);
    assert.ok(row !== undefined && row.recordedMs > 0);
    assert.deepEqual([row.investment, row.account.timeZone], [deal.metadata.name, 'Asia/Seoul']);
    const average = (sum: bigint) => Number(sum) / row.recordedMs;
    const { contributed, delivered, entitled, effective, used, lent } = row.sums;
    assert.deepEqual([contributed, delivered, entitled, effective].map(average), [8000, 0, 6000, 6000]);
    assert.ok(used > 0n && lent > 0n && used + lent <= effective, `${used} used, ${lent} lent of ${effective}`);
    assert.equal(row.waits.length, 1);
    assert.deepEqual([row.waits[0]!.count, row.waits[0]!.breaches], [1, 0]);
    assert.ok(row.waits[0]!.seconds >= 1, 'at least the notice');

    // What the investor used of its entitlement it was charged as guaranteed, the borrowers as borrowed.
    const kinds = (quota: string) =>
      intervals
        .filter(({ account }) => account.quotas[0] === quota)
        .map(({ kind, milliDevices }) => [kind, milliDevices]);
    assert.deepEqual(kinds(investor.quota), [['Guaranteed', 4000]]);
    assert.deepEqual(
      kinds(borrower.quota),
      Array.from({ length: 8 }, () => ['Borrowed', 1000]),
    );
    const evicted = intervals.filter(({ account, end }) => account.quotas[0] === borrower.quota && end !== undefined);
    assert.equal(evicted.length, 4);

    const period = ['--from', '2020-01-01', '--to', '2099-12-31', '--ledger', url];
    const printed = spawnSync(process.execPath, [main, 'investments', ...period], { encoding: 'utf8' });
    assert.equal(printed.status, 0, printed.stderr);
    assert.match(printed.stdout, new RegExp(`^${deal.metadata.name} of ${investor.quota} in pool ${estate.name}`));
    assert.match(printed.stdout, /leverage \(E \/ C\) +0\.75\n/);
    assert.match(printed.stdout, /waits for what was lent +1\n/);
  });
});
