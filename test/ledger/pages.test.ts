import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { loadAll } from 'js-yaml';

import { parseResource, type Kind, type ResourceByKind } from '../../src/api/v1alpha1/index.ts';
import {
  admission,
  budgetFigures,
  budgetSpecOf,
  carriedOver,
  chargeFor,
  chargeOfHours,
  describeVerdict,
  forecastExhaustion,
  historyAfter,
  limitsAt,
  milliGpuHours,
  noCharge,
  rateFor,
  type BudgetSpec,
  type MilliGpuHours,
} from '../../src/core/budget/index.ts';
import { figuresOf, investmentStatus, noAccessRecord, poolStatus } from '../../src/core/status/index.ts';
import { formatInstant, formatMilliGpus, milli, oneMicro, parseMilliGpus } from '../../src/core/units/index.ts';
import { fleetOf, nodeFacts, resource, type FleetParts } from '../support/fleet.ts';

/*
 * The pages for managers and investors: their manifests are read, and each figure of their tables is worked out anew, by
 * what the operator calls.
 */

const zone = 'Asia/Seoul';
const hour = 3_600_000;

function pageOf(name: string): string {
  return readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8');
}

/** The manifests of a page, in the order in which they stand there. */
function manifestsOf(page: string): readonly ResourceByKind[Kind][] {
  return [...page.matchAll(/```yaml\n([^]*?)```/g)]
    .flatMap(([, text = '']) => loadAll(text))
    .map((manifest) => {
      const parsed = parseResource((manifest as { kind: Kind }).kind, manifest);
      if (!parsed.ok) assert.fail(JSON.stringify(parsed.problems));
      return parsed.resource;
    });
}

/** Rows of the table of a page that has these columns, by column. */
function rowsOf(page: string, ...columns: readonly string[]): Record<string, string>[] {
  const cells = (line: string) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim());
  const lines = page.split('\n');
  const head = lines.findIndex((line) => line.startsWith('|') && columns.every((name) => cells(line).includes(name)));
  assert.ok(head >= 0, `no table has the columns ${columns.join(', ')}`);
  const names = cells(lines[head]!);
  const end = lines.findIndex((line, i) => i > head && !line.startsWith('|'));
  const rows = lines.slice(head + 2, end).map((line) => cells(line));
  assert.ok(rows.length > 1);
  return rows.map((row) => Object.fromEntries(row.map((cell, i) => [names[i] ?? '', cell])));
}

/** One line of text without line breaks and quotes of the page. */
function flat(text: string): string {
  return text.replace(/\n *>? */g, ' ');
}

const at = (text: string) => Date.parse(`${text}T00:00:00+09:00`);
const hours = (text: string | undefined) => parseMilliGpus(text ?? '') as MilliGpuHours | undefined;
const charge = (text: string | undefined) => chargeOfHours(hours(text) ?? assert.fail(`no hours: ${text}`));
const shown = (amount: number) => formatMilliGpus(amount);

describe('docs/budgets.md', () => {
  const page = pageOf('budgets');
  const [kaist, project] = manifestsOf(page).map((manifest) => {
    const reading = budgetSpecOf(manifest as ResourceByKind['ResearchQuota'], zone);
    assert.deepEqual(reading?.problems, []);
    return reading.budget;
  }) as [BudgetSpec, BudgetSpec];
  const nothing = 0 as MilliGpuHours;
  const limits = (spec: BudgetSpec, date: string) => limitsAt(spec, nothing, at(date));

  it('what a job costs', () => {
    for (const row of rowsOf(page, 'devices', 'class, weight', 'held for', 'costs')) {
      const [amount, unit] = row['held for']!.split(' ');
      const milliseconds = Math.round(Number(amount) * (unit === 'h' ? hour : 1000));
      const weight = parseMilliGpus(row['class, weight']!.split(', ')[1]!)!;
      const deviceMs = BigInt(milliseconds) * BigInt(parseMilliGpus(row['devices']!)!);
      const cost = milliGpuHours(chargeFor(deviceMs, { weight, chargeFactor: oneMicro }));
      assert.equal(shown(cost), row['costs']);
    }
    const half = chargeFor(8000n * BigInt(10 * hour), {
      weight: milli(1000),
      chargeFactor: (oneMicro / 2) as typeof oneMicro,
    });
    assert.equal(shown(milliGpuHours(half)), '40');
    assert.match(flat(page), /With a factor of 0\.5, eight H200 that were borrowed for ten hours cost 40/);
  });

  it('what is admitted', () => {
    for (const row of rowsOf(page, 'on', 'used', 'reserved', 'asked for', 'then')) {
      const date = row['on']!;
      const line = {
        quotaName: 'kaist',
        limits: limits(kaist, date),
        used: charge(row['used']),
        reserved: charge(row['reserved']),
      };
      assert.equal(admission([line], charge(row['asked for']), at(date)).outcome, row['then'], JSON.stringify(row));
    }
  });

  it('the numbers in status', () => {
    for (const row of rowsOf(page, 'on', 'granted', 'carriedOver', 'used', 'reserved', 'remaining')) {
      const figures = budgetFigures(limits(kaist, row['on']!), charge(row['used']), charge(row['reserved']));
      for (const name of ['granted', 'carriedOver', 'used', 'reserved', 'remaining'] as const)
        assert.equal(shown(figures[name]), row[name], name);
    }
  });

  it('the forecast', () => {
    const use = {
      carriedOver: nothing,
      used: noCharge,
      rate: rateFor(512_000, { weight: milli(1000), chargeFactor: oneMicro }),
    };
    const told = (spec: BudgetSpec) => formatInstant(forecastExhaustion(spec, use, at('2026-03-01'))!);
    const [without, withIt] = [told({ ...kaist, adjustments: [] }), told(kaist)];
    assert.ok(
      flat(page).includes(`it says ${without} without the supplement and ${withIt} with it`),
      `${without} ${withIt}`,
    );
  });

  it('tranches', () => {
    const [before, after] = ['2026-08-31', '2026-09-01'].map((date) => shown(limits(project, date).granted));
    assert.ok(flat(page).includes(`grants ${before} until 31 August and ${after} from 1 September on`));
  });

  it('what is carried over', () => {
    const next = { ...kaist, period: { start: at('2027-03-01'), end: at('2028-03-01') } };
    const terms = historyAfter(historyAfter(undefined, kaist), next).previous!;
    for (const row of rowsOf(page, 'used in the first year', 'carriedOver')) {
      const used = charge(row['used in the first year']);
      assert.equal(shown(carriedOver(next, { terms, used }, zone)), row['carriedOver']);
    }
  });

  it('warnings and the sentence on a waiting pod', () => {
    const { granted } = limits(kaist, '2026-03-01');
    const marks = [80, 90, 100].map((percent) => shown((granted * percent) / 100));
    assert.ok(flat(page).includes(`before July, at ${marks[0]}, ${marks[1]} and ${marks[2]} hours`));
    const spec = { ...kaist, base: hours('1000')!, graceFraction: 0 as typeof kaist.graceFraction };
    const line = {
      quotaName: 'kaist',
      limits: limits(spec, '2026-04-01'),
      used: charge('800'),
      reserved: charge('80'),
    };
    const verdict = admission([line], charge('240'), at('2026-04-01'));
    assert.ok(verdict.outcome !== 'Full');
    assert.ok(flat(page).includes(describeVerdict(verdict)), describeVerdict(verdict));
  });
});

describe('docs/investments.md', () => {
  const page = pageOf('investments');
  const [deal, host, pool] = manifestsOf(page) as [
    ResourceByKind['MatchingInvestment'],
    ResourceByKind['MatchingInvestment'],
    ResourceByKind['GpuPool'],
  ];
  const open = resource('GpuPool', 'national', { spec: { ...pool.spec, publicFloor: 0, contributions: [] } });
  const now = at('2026-06-01');
  const named = <K extends Kind>(manifest: ResourceByKind[K]): ResourceByKind[K] => ({
    ...manifest,
    metadata: { ...manifest.metadata, generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' },
  });

  /** Nodes of eight devices, the last of them not Ready until so many devices are down. */
  function nodes(product: string, labels: Record<string, string>, [devices, down]: readonly [number, number]) {
    return Array.from({ length: devices / 8 }, (_, i) =>
      nodeFacts(`${product}-${JSON.stringify(labels)}-${i}`, {
        labels: { 'nvidia.com/gpu.product': product, ...labels },
        ready: devices - 8 * i > down,
      }),
    );
  }

  function pictureOf(parts: FleetParts) {
    return figuresOf(fleetOf({ pools: [open], ...parts }).snapshot(now));
  }

  function statusOf(name: string, parts: FleetParts) {
    const figures = pictureOf(parts);
    const investment = figures.policy.investments.get(name)!;
    return investmentStatus(figures, investment, { record: noAccessRecord, now }).figures;
  }

  const quota = (name: string) => resource('ResearchQuota', name, { spec: { poolName: 'national' } });
  const labelsOf = (funding: string) => ({ 'moa.dev/investment': 'company-a-2026', 'moa.dev/funding': funding });
  const dealParts = (h200: readonly [number, number], b200: readonly [number, number]): FleetParts => ({
    quotas: [quota('company-a')],
    investments: [named<'MatchingInvestment'>(deal)],
    nodes: [...nodes('NVIDIA-H200', labelsOf('investor'), h200), ...nodes('NVIDIA-B200', labelsOf('state'), b200)],
  });

  it('worked', () => {
    for (const row of rowsOf(page, 'H200 down', 'E', 'phase')) {
      const amount = (name: string) => Number(row[name]);
      const status = statusOf(
        'company-a-2026',
        dealParts([amount('H200'), amount('H200 down')], [amount('B200'), amount('B200 down')]),
      );
      const { contributed, matched, unmatched, entitlement, public: rest, effectiveEntitlement, phase } = status;
      assert.deepEqual(
        [contributed, matched, unmatched, entitlement, rest, effectiveEntitlement, phase],
        ['C', 'M', 'unmatched', 'E', 'P', 'effective', 'phase'].map((name) => row[name]),
        JSON.stringify(row),
      );
    }
  });

  it('the deals of July 2025', () => {
    let [sum, shared] = [0n, 0n];
    for (const row of rowsOf(page, 'provider', 'bought', 'keeps', 'public', 'cap', 'by matchedFraction', 'E then')) {
      const [bought = '', product = ''] = row['bought']!.split(' ');
      const items = [{ class: product.toLowerCase(), gpus: Number(bought) }];
      const parts = (match: object, matchedFraction: string): FleetParts => ({
        quotas: [quota('host')],
        investments: [
          resource('MatchingInvestment', 'host', {
            spec: {
              ...host.spec,
              match: { ...host.spec.match, cap: undefined, items, ...match },
              entitlement: { matchedFraction },
            },
          }),
        ],
        nodes: nodes(`NVIDIA-${product}`, { 'moa.dev/investment': 'host' }, [Number(bought), 0]),
      });
      const byCap = statusOf('host', parts({ cap: row['cap'] }, '1'));
      assert.deepEqual([byCap.entitlement, byCap.public], [row['E'], row['P']]);
      assert.equal(Number(row['keeps']) + Number(row['public']), Number(bought));
      const byFraction = statusOf('host', parts({}, row['by matchedFraction']!));
      assert.equal(byFraction.entitlement, row['E then']);
      sum += BigInt(row['E']!) + BigInt(row['P']!);
      shared += BigInt(row['P']!);
    }
    const text = `Together they are ${sum.toLocaleString('en')} normalized GPUs, of which ${shared.toLocaleString('en')} are public`;
    assert.ok(flat(page).includes(text), text);
    assert.equal(host.spec.match?.cap, 760);
  });

  it('contributions, and the floor', () => {
    const contributed = (down: number) => {
      const figures = pictureOf({
        pools: [named<'GpuPool'>(pool)],
        quotas: [quota('kist')],
        nodes: [
          ...nodes('NVIDIA-H200', { 'moa.dev/contributor': 'kist' }, [64, down]),
          ...nodes('NVIDIA-H200', {}, [64, 0]),
        ],
      });
      return poolStatus(figures, figures.policy.pools[0]!)!.figures.contributors![0]!.entitlement;
    };
    assert.ok(
      flat(page).includes(`of 64 H200 to ${contributed(0)}, and to ${contributed(16)} while 16 of them are not Ready`),
    );
    const floored = { ...dealParts([64, 0], [32, 0]), pools: [named<'GpuPool'>(pool)] };
    const {
      effectiveEntitlement,
      contributed: c,
      public: p,
    } = statusOf('company-a-2026', { ...floored, quotas: [quota('company-a'), quota('kist')] });
    assert.deepEqual([c, p], ['64', '32']);
    assert.ok(flat(page).includes(`in such a pool leave ${effectiveEntitlement} of the 96`), effectiveEntitlement);
  });
});
