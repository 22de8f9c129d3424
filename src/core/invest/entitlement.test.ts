import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatMilliGpus, milli, micros, parseMicro, parseMilliGpus } from '../units/index.ts';
import { investmentAmounts, withinFloor, type ClassDevices, type InvestmentTerms } from './index.ts';

const h200 = (devices: number, promised = devices, ready = devices): ClassDevices => ({
  weight: milli(1000),
  promised,
  verified: devices,
  ready,
});
const b200 = (devices: number, promised = devices, ready = devices): ClassDevices => ({
  ...h200(devices, promised, ready),
  weight: milli(2000),
});

function terms(kind: InvestmentTerms['kind'], t: Partial<Record<'ratio' | 'cap' | 'own' | 'matched', string>>) {
  return {
    kind,
    ratio: t.ratio === undefined ? undefined : parseMicro(t.ratio),
    cap: t.cap === undefined ? undefined : parseMilliGpus(t.cap),
    ownFraction: parseMicro(t.own ?? '0')!,
    matchedFraction: parseMicro(t.matched ?? '0')!,
  } satisfies InvestmentTerms;
}

const companyA = terms('Hardware', { ratio: '1.0', cap: '64', own: '1.0', matched: '0.5' });

interface Example {
  terms: InvestmentTerms;
  investor: ClassDevices[];
  state: ClassDevices[];
  /** C, M, unmatched, E, P. */
  want: readonly [string, string, string, string, string];
}

/** DESIGN.md section 2.3 and FIELD.md (the deals of July 2025), worked by hand. */
const examples: Record<string, Example> = {
  '64 H200 brought, 32 B200 delivered, ratio 1': {
    terms: companyA,
    investor: [h200(64)],
    state: [b200(32)],
    want: ['64', '64', '0', '96', '32'],
  },
  'with 40 of the 64 arrived the rest of the match is public': {
    terms: companyA,
    investor: [h200(40, 64)],
    state: [b200(32)],
    want: ['40', '40', '24', '60', '44'],
  },
  'devices beyond what was promised do not count': {
    terms: companyA,
    investor: [h200(80, 64)],
    state: [b200(32)],
    want: ['64', '64', '0', '96', '32'],
  },
  'the cap limits the match': {
    terms: terms('Hardware', { ratio: '1', cap: '16', own: '1', matched: '0.5' }),
    investor: [h200(64)],
    state: [b200(32)],
    want: ['64', '16', '48', '72', '56'],
  },
  'without a ratio everything delivered is matched': {
    terms: terms('Hardware', { own: '1', matched: '1' }),
    investor: [h200(8)],
    state: [b200(32)],
    want: ['8', '64', '0', '72', '0'],
  },
  'a host of 3,056 H200 that keeps 0.2487': {
    terms: terms('HostingAndOperations', { matched: '0.2487' }),
    investor: [],
    state: [h200(3056)],
    want: ['0', '3056', '0', '760.027', '2295.973'],
  },
  'cash for 100 at ratio 0.5 is matched with 50': {
    terms: terms('Cash', { ratio: '0.5', matched: '1' }),
    investor: [h200(0, 100)],
    state: [h200(80)],
    want: ['0', '50', '30', '50', '30'],
  },
  'a host keeps nothing of its own even where ownFraction is set': {
    terms: terms('HostingAndOperations', { own: '1', matched: '0.5' }),
    investor: [h200(10)],
    state: [h200(10)],
    want: ['0', '10', '0', '5', '5'],
  },
  'nothing has arrived': {
    terms: companyA,
    investor: [h200(0, 64)],
    state: [b200(0, 32)],
    want: ['0', '0', '0', '0', '0'],
  },
};

describe('the arithmetic of a matching investment', () => {
  for (const [rule, example] of Object.entries(examples)) {
    it(rule, () => {
      const got = investmentAmounts(example.terms, example.investor, example.state);
      const values = [got.contributed, got.matched, got.unmatched, got.entitlement, got.public];
      assert.deepEqual(values.map(formatMilliGpus), example.want);
    });
  }

  it('an entitlement shrinks with the ready share of all the devices behind it', () => {
    const got = investmentAmounts(companyA, [h200(64, 64, 48)], [b200(32)]);
    assert.equal(formatMilliGpus(got.readyEntitlement), '84'); // 96 x 112 / 128
    assert.equal(formatMilliGpus(got.entitlement), '96');
  });

  it('conserves capacity exactly: C + D = E + P, and 0 <= M <= D', () => {
    const devices = fc.record({
      weight: fc.integer({ min: 1, max: 5000 }).map(milli),
      promised: fc.nat(100_000),
      verified: fc.nat(100_000),
      ready: fc.nat(100_000),
    });
    const fraction = fc.nat(1_000_000).map(micros);
    fc.assert(
      fc.property(
        fc.record({
          kind: fc.constantFrom('Hardware', 'Cash', 'HostingAndOperations'),
          ratio: fc.option(fc.nat(5_000_000).map(micros), { nil: undefined }),
          cap: fc.option(fc.nat(10 ** 9).map(milli), { nil: undefined }),
          ownFraction: fraction,
          matchedFraction: fraction,
        }),
        fc.array(devices, { maxLength: 4 }),
        fc.array(devices, { maxLength: 4 }),
        (t, investor, state) => {
          const clip = (c: ClassDevices) => ({ ...c, ready: Math.min(c.ready, c.verified) });
          const got = investmentAmounts(t, investor.map(clip), state.map(clip));
          assert.equal(got.contributed + got.delivered, got.entitlement + got.public);
          assert.equal(got.matched + got.unmatched, got.delivered);
          assert.ok(got.matched >= 0 && got.unmatched >= 0 && got.public >= 0);
          assert.ok(got.readyEntitlement <= got.entitlement);
        },
      ),
    );
  });
});

describe('the public floor', () => {
  it('scales every entitlement by the same factor when they exceed what the floor leaves', () => {
    const { scaled, factor } = withinFloor([milli(60_000), milli(40_000)], milli(100_000), micros(300_000));
    assert.deepEqual(scaled, [42_000, 28_000]);
    assert.equal(factor, 700_000);
  });
  it('leaves them alone when they fit', () => {
    const { scaled, factor } = withinFloor([milli(60_000)], milli(100_000), micros(300_000));
    assert.deepEqual(scaled, [60_000]);
    assert.equal(factor, 1_000_000);
  });
  it('never lets the sum exceed what the floor leaves', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(10 ** 9).map(milli), { maxLength: 20 }),
        fc.nat(10 ** 9),
        fc.nat(10 ** 6),
        (es, cap, floor) => {
          const { scaled } = withinFloor(es, milli(cap), micros(floor));
          const sum = scaled.reduce<number>((a, b) => a + b, 0);
          assert.ok(sum <= (cap * (1_000_000 - floor)) / 1_000_000);
        },
      ),
    );
  });
});
