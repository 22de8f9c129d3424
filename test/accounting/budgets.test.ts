import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { eventually, withCluster, withOperator, type KubeObject } from '../support/index.ts';
import { Estate, type Tenant } from '../scheduler/estate.ts';

const day = 86_400_000;
const date = (days: number) => new Date(Date.now() + days * day).toISOString().slice(0, 10);
const year = { start: date(-30), end: date(335) };

/** A workload that reserves its devices for an hour. */
const hour = (gpus: number) => ({ gpus, annotations: { 'moa.dev/walltime': '1h' } });

interface QuotaStatus {
  readonly capacity?: { readonly used: string; readonly borrowed: string };
  readonly budget?: Readonly<Record<string, unknown>>;
}

describe('budgets in a running operator', () => {
  const cluster = withCluster({ crds: true });
  withOperator(cluster);

  const conditionOf = async (tenant: Tenant) => {
    const { status } = await tenant.status();
    const condition = status?.conditions?.find(({ type }) => type === 'BudgetAvailable');
    return `${condition?.status ?? ''} ${condition?.reason ?? ''}`;
  };
  const statusOf = async (tenant: Tenant) => (await tenant.status()).status as QuotaStatus | undefined;

  it('admit in full, then as borrowers on the grace, then not: and the status says how they stand', async () => {
    const estate = await Estate.create(cluster, [{}, {}, {}]);
    const budget = { normalizedGpuHours: '10', period: year, overdraft: { graceFraction: '0.5' } };
    const tenant = await estate.tenant({ guaranteed: 24 }, { budget });
    const [full] = await tenant.running(1, hour(8));
    const [borrower] = await tenant.running(1, hour(6));
    const refused = await tenant.pod(hour(2));
    const sentence = await tenant.waiting([refused], 'BudgetExhausted');
    assert.match(sentence, /has 0 \(\d+(\.\d+)? with grace\) of 10 normalized GPU-hours left .*, 2 are asked for/);

    const admittedAs = async (name: string) => (await tenant.get(name)).metadata.annotations?.['moa.dev/admitted-as'];
    assert.deepEqual([await admittedAs(full!), await admittedAs(borrower!)], [undefined, 'Borrower']);
    await eventually(async () => {
      const status = await statusOf(tenant);
      assert.partialDeepStrictEqual(status?.capacity, { used: '14', borrowed: '6' });
      assert.partialDeepStrictEqual(status?.budget, { granted: '10', carriedOver: '0' });
      const { used, reserved, remaining } = status?.budget as Readonly<Record<string, string>>;
      const close = (text: string | undefined, want: number) => Math.abs(Number(text) - want) < 0.5;
      assert.ok(close(used, 0) && close(reserved, 14) && close(remaining, -4), JSON.stringify(status?.budget));
      assert.equal(await conditionOf(tenant), 'True InGrace');
    });

    // A shorter walltime is what the sentence advises: 0.9 of an hour's GPU-time fits in the grace.
    await tenant.running(1, { gpus: 1, annotations: { 'moa.dev/walltime': '30m' } });
  });

  it('of a quota above bind those below, and a supplement opens them at once', async () => {
    const estate = await Estate.create(cluster, [{}]);
    const budget = { normalizedGpuHours: '4', period: year };
    const parent = await estate.tenant({}, { budget });
    const child = await estate.tenant({}, { parentName: parent.quota });
    await child.running(1, hour(3));
    const waiting = await child.pod(hour(2));
    assert.match(await child.waiting([waiting], 'BudgetExhausted'), new RegExp(`ResearchQuota ${parent.quota} has `));
    const adjustments = [{ name: 's1', date: date(-1), kind: 'Supplement', normalizedGpuHours: '2' }];
    await parent.edit({ budget: { ...budget, adjustments } });
    await child.bound([waiting]);
    await eventually(async () =>
      assert.partialDeepStrictEqual((await statusOf(parent))?.budget, { granted: '6', carriedOver: '0' }),
    );
    assert.equal(await conditionOf(child), 'True WithinBudget');
  });

  it('outside their period admit nothing, stop nothing that runs, and begin without a change to the object', async () => {
    const estate = await Estate.create(cluster, [{}]);
    const past = { normalizedGpuHours: '100', period: { start: date(-60), end: date(-30) } };
    const expired = await estate.tenant({}, { budget: past });
    await expired.waiting([await expired.pod()], 'BudgetExpired');
    await eventually(async () => assert.equal(await conditionOf(expired), 'False BudgetExpired'));

    const start = new Date(Date.now() + 6000).toISOString();
    const soon = { normalizedGpuHours: '100', period: { start, end: date(30) } };
    const tenant = await estate.tenant({}, { budget: soon });
    const first = await tenant.pod(hour(1));
    assert.match(await tenant.waiting([first], 'BudgetNotStarted'), /starts at \d{4}-/);
    await tenant.bound([first]);
    assert.ok(Date.now() >= Date.parse(start));

    await tenant.edit({ budget: { normalizedGpuHours: '100', period: { start: date(-30), end: date(-1) } } });
    await tenant.waiting([await tenant.pod(hour(1))], 'BudgetExpired');
    assert.equal((await tenant.get(first)).metadata.deletionTimestamp, undefined);
  });

  it('warn when 80, 90 and 100 per cent are used, each once, as events and in the condition', async () => {
    const estate = await Estate.create(cluster, [{}]);
    // 8 GPUs use 0.01 GPU-hours in 4.5 s.
    const budget = { normalizedGpuHours: '0.01', period: year, overdraft: { graceFraction: '1' } };
    const tenant = await estate.tenant({}, { budget });
    await tenant.running(1, { gpus: 8, annotations: { 'moa.dev/walltime': '8s' } }).catch(() => undefined);
    const notes = async () => {
      const all = await cluster.client.list<
        KubeObject & { readonly reason: string; readonly note: string; readonly regarding: { readonly name: string } }
      >({ apiVersion: 'events.k8s.io/v1', kind: 'Event' });
      return all
        .filter(({ regarding, reason }) => regarding.name === tenant.quota && reason === 'BudgetThreshold')
        .map(({ note }) => /80|90|whole/.exec(note)?.[0])
        .sort();
    };
    await eventually(async () => assert.deepEqual(await notes(), ['80', '90', 'whole']), { timeoutMs: 90_000 });
    await eventually(async () => assert.match(await conditionOf(tenant), /InGrace|BudgetExhausted/));
  });

  it('carry half of what is left into the next period, once the object says when that is', async () => {
    const estate = await Estate.create(cluster, [{}]);
    const at = (offset: number) => new Date(start + offset * 1000).toISOString();
    const start = Date.now() - 3_600_000;
    const ends = 3612;
    const terms = { normalizedGpuHours: '10', carryover: { maxFraction: '0.5' } };
    const tenant = await estate.tenant({}, { budget: { ...terms, period: { start: at(0), end: at(ends) } } });
    await tenant.running(1, { gpus: 1, annotations: { 'moa.dev/walltime': '30m' } });
    await tenant.edit({ budget: { ...terms, period: { start: at(ends), end: at(2 * ends) } } });
    await eventually(async () => assert.match(await conditionOf(tenant), /BudgetNotStarted|WithinBudget/));
    await eventually(
      async () => {
        assert.equal(await conditionOf(tenant), 'True WithinBudget');
        assert.partialDeepStrictEqual((await statusOf(tenant))?.budget, {
          ...{ granted: '10', carriedOver: '5' },
          currentPeriod: { normalizedGpuHours: '10', carryoverFraction: '0.5' },
          previousPeriod: { normalizedGpuHours: '10', carryoverFraction: '0.5' },
        });
      },
      { timeoutMs: 40_000 },
    );
    // What was used of the last period is not used of this one.
    assert.ok(Number((await statusOf(tenant))?.budget?.['used']) < 0.1);
  });

  it('a forecast tells when the present use will have used them up', async () => {
    const estate = await Estate.create(cluster, [{}]);
    const budget = { normalizedGpuHours: '80', period: year };
    const tenant = await estate.tenant({}, { budget });
    const began = Date.now();
    await tenant.running(1, hour(8));
    await eventually(async () => {
      const at = (await statusOf(tenant))?.budget?.['forecastExhaustion'];
      // 80 GPU-hours at 8 GPUs are 10 hours.
      const off = Date.parse(String(at)) - (began + 10 * 3_600_000);
      assert.ok(Math.abs(off) < 60_000, String(at));
    });
  });
});
