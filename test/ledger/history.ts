import fc from 'fast-check';

import { micros, milli } from '../../src/core/units/index.ts';
import type { HoldingKind } from '../../src/ledger/index.ts';

/** Something that happens to pods, or to the process that keeps the books. `pick` chooses among those that exist. */
export type Step =
  | { readonly type: 'wait'; readonly milliseconds: number }
  /** The wall clock is set back. */
  | { readonly type: 'clockBack'; readonly milliseconds: number }
  | { readonly type: 'bind'; readonly quota: number; readonly user: number; readonly terms: PodTerms }
  | { readonly type: 'relabel'; readonly pick: number; readonly kind: HoldingKind }
  | { readonly type: 'end'; readonly pick: number }
  | { readonly type: 'seen' }
  /** The store is reachable for long enough to write what waits. */
  | { readonly type: 'flush' }
  /** A number of entries of the past arrive once more. */
  | { readonly type: 'replay'; readonly pick: number; readonly count: number }
  /** The process dies; while it is down some pods end and some begin. */
  | {
      readonly type: 'crash';
      readonly downMs: number;
      readonly ends: readonly { readonly pick: number; readonly afterMs: number; readonly known: boolean }[];
      readonly binds: readonly { readonly quota: number; readonly user: number; readonly terms: PodTerms }[];
    };

/** What a pod of a history holds. */
export interface PodTerms {
  readonly class: string;
  readonly milliDevices: number;
  readonly weight: ReturnType<typeof milli>;
  readonly kind: HoldingKind;
}

/** A year is long enough for months and days to end; a factor that is not one shows that it is applied. */
export const borrowedChargeFactor = micros(730_001);

/** Own quota first: a tree of two levels, and a quota beside it. */
export const chains = [['a', 'top'], ['b', 'top'], ['top'], ['c']] as const;

const pick = fc.nat(1000);
const kind = fc.constantFrom<HoldingKind>('Guaranteed', 'Borrowed');
const terms = fc.record({
  class: fc.constantFrom('h200', 'b200'),
  milliDevices: fc.oneof(
    fc.integer({ min: 1, max: 16 }).map((n) => n * 1000),
    fc.integer({ min: 1, max: 999 }),
  ),
  weight: fc.integer({ min: 1, max: 2000 }).map(milli),
  kind,
});
const bind = fc.record({ quota: fc.nat(chains.length - 1), user: fc.nat(2), terms });
const wait = fc.oneof(fc.nat(5), fc.nat(3_600_000), fc.nat(40 * 86_400_000));

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant('wait'), milliseconds: wait }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('clockBack'), milliseconds: fc.nat(7_200_000) }) },
  { weight: 6, arbitrary: bind.map((b) => ({ type: 'bind' as const, ...b })) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('relabel'), pick, kind }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('end'), pick }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('seen') }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('flush') }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('replay'), pick, count: fc.nat(12) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('crash'),
      downMs: wait,
      ends: fc.array(fc.record({ pick, afterMs: fc.nat(86_400_000), known: fc.boolean() }), { maxLength: 3 }),
      binds: fc.array(bind, { maxLength: 2 }),
    }),
  },
);

/** A history of at most some dozens of steps. */
export const history = fc.array(step, { minLength: 1, maxLength: 30, size: 'max' });
