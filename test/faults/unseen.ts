import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ControlPlane } from '../../tools/cluster/index.ts';
import { Blindness, type Way } from './blindness.ts';
import { booksOf, type Books } from './books.ts';
import { outcomeAtRest, settled, type Outcome } from './outcomes.ts';
import type { Rules, SeenRequest } from './proxy.ts';
import { Replacements } from './replacements.ts';
import { onSite } from './site.ts';

/** A time in which an operator sees nothing, and how it comes to see again. */
export interface Unseen extends Way {
  readonly name: string;
  /** What happens, for the table: a clause. */
  readonly what: string;
}

export const unseens: readonly Unseen[] = [
  {
    name: 'refused, then listed anew',
    what: 'watches are refused, then answered 410: what happened is never seen, only what it came to',
  },
  {
    name: 'refused, then listed by pages',
    what: 'the same, and the new lists come page by page',
    pages: true,
  },
  {
    name: 'pods last',
    what: 'the same, and pods are listed 2 s after the rest',
    last: (path) => path === '/api/v1/pods',
  },
  {
    name: 'quotas last',
    what: 'the same, and pools and quotas are listed 2 s after the rest',
    last: (path) => path.startsWith('/apis/moa.dev/'),
  },
  {
    name: 'seen in a burst',
    what: 'watches are kept waiting, then go on where they were: all events come at once',
    resumes: true,
  },
];

/** What comes of the replacements when everything is seen. */
export interface AllSeen {
  readonly outcome: Outcome;
  readonly terms: Books['terms'];
}

/** What came of a blindness. */
export interface Recovered {
  /** From the moment when everything can be seen again until the last write. */
  readonly doneMs: number;
  /** Intervals of the ledger that are marked, since nobody saw their end. */
  readonly unobserved: number;
}

const flags = ['--leader-elect=false'];
/** So long it sees nothing after everything has happened. */
const darkMs = 2000;
/** Between two things that happen before its eyes. */
const pauseMs = 200;

/** Has everything replaced before the eyes of an operator. */
export async function allSeen(plane: ControlPlane): Promise<AllSeen> {
  return onSite(await Replacements.open(plane), async (site) => {
    const held = heldBindings();
    const operator = await site.launch({ onRequest: held.onRequest }, flags);
    await site.begun();
    await site.rush();
    await held.arrived;
    await site.reclaim();
    await site.replaceAll(pauseMs);
    held.letGo();
    const outcome = await outcomeAtRest(site.outcome);
    await operator.stop();
    const { faults, terms } = await booksOf(site);
    assert.deepEqual([...faults, ...site.auditor.violations], []);
    return { outcome, terms };
  });
}

/** Has everything replaced while an operator sees nothing. @throws Error when it comes to anything else than `wanted` */
export async function unseen(plane: ControlPlane, way: Way, wanted: AllSeen): Promise<Recovered> {
  return onSite(await Replacements.open(plane), async (site) => {
    const held = heldBindings();
    const blindness = new Blindness(way);
    const onRequest: NonNullable<Rules['onRequest']> = async (request) => {
      await held.onRequest(request);
      return (await blindness.rules.onRequest?.(request)) ?? 'pass';
    };
    const operator = await site.launch({ ...blindness.rules, onRequest }, flags);
    await site.begun();
    await site.rush();
    await held.arrived;
    await site.reclaim();
    blindness.begin(operator.proxy);
    await site.replaceAll(0);
    held.letGo();
    await sleep(darkMs);
    const since = performance.now();
    await blindness.end();
    assert.deepEqual(await settled(site, wanted.outcome), wanted.outcome, 'what it has come to');
    await operator.stop();
    const { faults, terms, unobserved } = await booksOf(site);
    assert.deepEqual([...faults, ...site.auditor.violations], []);
    assert.deepEqual(terms, wanted.terms, 'on which terms devices were held');
    return { doneMs: (operator.proxy.writes.at(-1)?.answeredAt ?? since) - since, unobserved };
  });
}

/** Keeps the bindings of those that arrive in a rush under way until they are let go: what they are for is gone then. */
function heldBindings() {
  const arrived = Promise.withResolvers<undefined>();
  const free = Promise.withResolvers<undefined>();
  return {
    /** Resolves when the first is under way. */
    arrived: arrived.promise,
    letGo: () => free.resolve(undefined),
    onRequest: async ({ path }: SeenRequest) => {
      if (!/\/rush-\d+\/binding$/.test(path)) return 'pass' as const;
      arrived.resolve(undefined);
      await free.promise;
      return 'pass' as const;
    },
  };
}
