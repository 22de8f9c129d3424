import type { BadRow } from './badRow.ts';

/** Mistakes in a MatchingInvestment. */
export const badInvestments: readonly BadRow[] = [
  ['no investor', 'spec.investorName', undefined, 'spec.investorName: Required value'],
  [
    'an unknown kind of contribution',
    'spec.contribution.kind',
    'Goodwill',
    'spec.contribution.kind: Unsupported value: "Goodwill": supported values: "Hardware", "Cash", "HostingAndOperations"',
  ],
  [
    'a promise of no device',
    'spec.contribution.items[0].gpus',
    0,
    'spec.contribution.items[0].gpus: Invalid value: 0: spec.contribution.items[0].gpus in body should be greater than or equal to 1',
  ],
  [
    'a class promised twice',
    'spec.contribution.items[1]',
    { class: 'h200', gpus: 8 },
    'spec.contribution.items[1]: Duplicate value: {"class":"h200"}',
  ],
  [
    'a negative ratio',
    'spec.match.ratio',
    '-1',
    'spec.match.ratio: Invalid value: "-1": write a factor of 0 or more with at most six decimals, quoted when it has a point, such as "1.5"',
  ],
  [
    'a ratio written as one',
    'spec.match.ratio',
    '1:1',
    'spec.match.ratio: Invalid value: "1:1": write a factor of 0 or more with at most six decimals, quoted when it has a point, such as "1.5"',
  ],
  [
    'a negative cap',
    'spec.match.cap',
    -64,
    'spec.match.cap: Invalid value: -64: write a number of 0 or more with at most three decimals, quoted when it has a point, such as "0.25"',
  ],
  [
    'a matched fraction above 1',
    'spec.entitlement.matchedFraction',
    '1.01',
    'spec.entitlement.matchedFraction: Invalid value: "1.01": write a fraction from 0 to 1 with at most six decimals, quoted when it has a point, such as "0.5"',
  ],
  [
    'a term that ends before it starts',
    'spec.term.end',
    '2026-03-31T00:00:00Z',
    'spec.term.end: Invalid value: the end must come after the start: write a later end or an earlier start',
  ],
  [
    'an access promise of no time',
    'spec.reclaim.guaranteedAccessWithin',
    'PT0S',
    'spec.reclaim.guaranteedAccessWithin: Invalid value: "PT0S": write a duration above 0 such as 15m, 1h30m or P3D',
  ],
];
