import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { fleetOf, nodeFacts, podFacts, resource } from '../../../test/support/fleet.ts';
import { figuresOf } from '../../core/status/index.ts';
import { formatMilliGpus } from '../../core/units/index.ts';
import { standingsOf } from './standings.ts';

const now = Date.parse('2026-06-01T00:00:00Z');
const gpu = { name: 'h200', nodeSelector: { matchLabels: { product: 'H200' } }, weight: 1 };
const pool = resource('GpuPool', 'national', {
  spec: { acceleratorClasses: [gpu], accounting: { timeZone: 'Asia/Seoul' } },
});
const quota = (name: string, more: object = {}) =>
  resource('ResearchQuota', name, {
    spec: { poolName: 'national', namespaceSelector: { matchLabels: { team: name } }, ...more },
  });
const deal = (name: string, more: object = {}) =>
  resource('MatchingInvestment', name, {
    spec: {
      poolName: 'national',
      investorName: 'company-a',
      contribution: { items: [{ class: 'h200', gpus: 16 }], nodeSelector: { matchLabels: { deal: name } } },
      entitlement: { ownFraction: '0.75' },
      term: { start: '2026-01-01', end: '2026-12-31' },
      ...more,
    },
  });

describe('how investments stand', () => {
  const node = (name: string, ready = true) => nodeFacts(name, { labels: { product: 'H200', deal: 'deal' }, ready });
  const standings = (...more: ReturnType<typeof deal>[]) =>
    standingsOf(
      figuresOf(
        fleetOf({
          pools: [pool],
          quotas: [quota('alliance'), quota('company-a', { parentName: 'alliance' }), quota('other')],
          investments: [deal('deal'), ...more],
          namespaces: ['company-a', 'other'].map((name) => ({ name, labels: { team: name } })),
          nodes: [node('a'), node('b', false)],
          pods: [podFacts('company-a', 2, 'a'), podFacts('other', 5, 'a')],
        }).snapshot(now),
      ),
    );

  it('16 H200 brought at 0.75, half of them ready: entitled 12, effective 6, of which 2 are used and 3 lent', () => {
    const [standing, ...rest] = standings();
    assert.deepEqual(rest, []);
    assert.deepEqual(standing?.account, {
      pool: 'national',
      timeZone: 'Asia/Seoul',
      quotas: ['company-a', 'alliance'],
    });
    const levels = Object.entries(standing.levels).map(([name, level]) => [name, formatMilliGpus(level)]);
    assert.deepEqual(Object.fromEntries(levels), {
      ...{ contributed: '16', delivered: '0', entitled: '12' },
      ...{ effective: '6', used: '2', lent: '3' },
    });
  });

  it('one that is not in force, or not within its term, does not stand at all', () => {
    const later = deal('later', { term: { start: '2027-01-01' } });
    const orphan = deal('orphan', { investorName: 'nobody' });
    assert.deepEqual(
      standings(later, orphan).map(({ investment }) => investment),
      ['deal'],
    );
  });
});
