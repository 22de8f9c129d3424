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

const pods = '/api/v1/pods';

export const unseens: readonly Unseen[] = [
  {
    name: 'watches refused',
    what: 'watches are refused until they are given up: what happened is never seen, only a list of what it came to',
    meanwhile: 'refused',
  },
  {
    name: 'history compacted',
    what: 'watches are kept waiting, then answered 410 and listed anew',
    meanwhile: 'kept waiting',
  },
  {
    name: 'listed by pages',
    what: 'the same, and the new lists come page by page',
    meanwhile: 'kept waiting',
    pages: true,
  },
  {
    name: 'pods last',
    what: 'the same, and pods are listed 2 s after the rest',
    meanwhile: 'kept waiting',
    last: (path) => path === pods,
  },
  {
    name: 'quotas last',
    what: 'the same, and pools and quotas are listed 2 s after the rest',
    meanwhile: 'kept waiting',
    last: (path) => path.startsWith('/apis/moa.dev/'),
  },
  {
    name: 'seen in a burst',
    what: 'watches are kept waiting and go on where they were: all events come at once',
    meanwhile: 'kept waiting',
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
  /** Pods that were bound and gone unseen, and are not in the ledger. */
  readonly absent: number;
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
    const onRequest: NonNullable<Rules['onRequest']> = async (request) => {
      await held.hold(request);
      return 'pass' as const;
    };
    const operator = await site.launch({ onRequest }, flags);
    await site.begun();
    await site.rush();
    await held.arrived;
    await site.reclaim();
    held.letGo('drift');
    await site.drifted();
    await site.replaceAll(pauseMs);
    // What they are for is gone.
    held.letGo('rush');
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
      await held.hold(request);
      return (await blindness.rules.onRequest?.(request)) ?? 'pass';
    };
    const operator = await site.launch({ ...blindness.rules, onRequest }, flags);
    await site.begun();
    await site.rush();
    await held.arrived;
    await site.reclaim();
    const from = performance.now();
    blindness.begin(operator.proxy);
    held.letGo('drift');
    await site.drifted();
    await site.replaceAll(0);
    held.letGo('rush');
    await sleep(darkMs);
    const since = performance.now();
    await blindness.end();
    assert.deepEqual(await settled(site, wanted.outcome), wanted.outcome, 'what it has come to');
    assert.equal(blindness.back.get(pods), backOf(way), 'how the pods came back');
    await operator.stop();
    const { faults, terms, absent, unobserved } = await booksOf(site, { from, to: since });
    assert.deepEqual([...faults, ...site.auditor.violations], []);
    const known = Object.entries(wanted.terms).filter(([name]) => name in terms || !absent.includes(name));
    assert.deepEqual(terms, Object.fromEntries(known), 'on which terms devices were held');
    return { doneMs: (operator.proxy.writes.at(-1)?.answeredAt ?? since) - since, unobserved, absent: absent.length };
  });
}

function backOf({ meanwhile, resumes = false }: Way): string {
  if (resumes) return 'resumed';
  return meanwhile === 'refused' ? 'listed' : 'listed after 410';
}

/** Keeps the bindings of those that come in a rush under way until they are let go. */
function heldBindings() {
  const ways = { rush: held(), drift: held() };
  return {
    /** Resolves when some of each are under way. */
    arrived: Promise.all([ways.rush.arrived, ways.drift.arrived]),
    letGo: (which: keyof typeof ways) => ways[which].letGo(),
    hold: async ({ path }: SeenRequest) => {
      const name = /\/(rush|drift)-\d+\/binding$/.exec(path)?.[1];
      if (name === 'rush' || name === 'drift') await ways[name].pass();
    },
  };
}

function held() {
  const arrived = Promise.withResolvers<undefined>();
  const free = Promise.withResolvers<undefined>();
  return {
    arrived: arrived.promise,
    letGo: () => free.resolve(undefined),
    pass: () => {
      arrived.resolve(undefined);
      return free.promise;
    },
  };
}
