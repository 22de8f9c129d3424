import { join } from 'node:path';

import { openStore, type Interval } from '../../src/ledger/index.ts';
import type { PodView, Step } from './auditor.ts';
import type { Site } from './site.ts';

/** What the ledger of a site says of the pods that the auditor has seen. */
export interface Books {
  /** What is wrong with them, in words. */
  readonly faults: readonly string[];
  /** On which terms each pod held its devices, one after the other, by tenant and name. */
  readonly terms: Readonly<Record<string, string>>;
  /** Pods that were bound and gone in the dark and are not in the ledger, by tenant and name. */
  readonly absent: readonly string[];
  /** Intervals of which nobody saw the end. */
  readonly unobserved: number;
  /** How often an investor waited for what was lent, until it had it. */
  readonly waits: number;
}

/** Between the end of a pod and what the ledger says of it. */
const slackMs = 10_000;

/** A time in which nobody watched, on the clock of `performance.now`. */
export interface Dark {
  readonly from: number;
  readonly to: number;
}

/**
 * Reads the ledger of a site whose operators have ended: each pod is in it once and whole, for as long as it ran. What
 * was bound and gone again in the dark need not be: nobody knows for how long it ran.
 */
export async function booksOf({ auditor, folder, name }: Site, dark?: Dark): Promise<Books> {
  const store = await openStore(`sqlite:${join(folder, 'ledger.sqlite')}`);
  const ever = { from: 0, to: Date.now() + 60_000 };
  const [all, investments] = [await store.intervals(ever), await store.investments(ever)];
  await store.close();
  const byPod = Map.groupBy(all, ({ podUid }) => podUid);
  const bound = auditor.steps.flatMap(({ what, pod }) => (what === 'bound' ? [pod] : []));
  const goneAt = new Map(
    auditor.steps.flatMap(({ what, pod, at }) => (what === 'gone' ? [[pod.uid, performance.timeOrigin + at]] : [])),
  );
  const known = new Set(bound.map(({ uid }) => uid));
  const inTheDark = new Set(dark === undefined ? [] : passedIn(dark, auditor.steps));
  const nameOf = (pod: PodView) => `${pod.namespace.slice(name.length + 1)} ${pod.name}`;
  const charged = bound.filter(({ uid }) => byPod.has(uid) || !inTheDark.has(uid));
  return {
    faults: [
      ...charged.flatMap((pod) => faultsOf(pod, byPod.get(pod.uid) ?? [], goneAt.get(pod.uid))),
      ...[...byPod.keys()].filter((uid) => !known.has(uid)).map((uid) => `pod ${uid} was never bound and is charged`),
    ],
    terms: Object.fromEntries(charged.map((pod) => [nameOf(pod), kindsOf(byPod.get(pod.uid) ?? [])])),
    absent: bound.filter((pod) => !charged.includes(pod)).map(nameOf),
    unobserved: all.filter(({ unobserved }) => unobserved).length,
    waits: investments.flatMap(({ waits }) => waits).reduce((sum, { count }) => sum + count, 0),
  };
}

/** Uids of pods whose whole life on a node lies within the time. */
function passedIn({ from, to }: Dark, steps: readonly Step[]): readonly string[] {
  const within = (what: Step['what']) =>
    steps.flatMap((step) => (step.what === what && step.at >= from && step.at <= to ? [step.pod.uid] : []));
  const gone = new Set(within('gone'));
  return within('bound').filter((uid) => gone.has(uid));
}

function kindsOf(intervals: readonly Interval[]): string {
  return [...new Set(inOrder(intervals).map(({ kind }) => kind))].join(', ');
}

function inOrder(intervals: readonly Interval[]): readonly Interval[] {
  return intervals.toSorted((a, b) => a.start - b.start);
}

function faultsOf(pod: PodView, intervals: readonly Interval[], goneAt: number | undefined): readonly string[] {
  const own = inOrder(intervals);
  const [first, last] = [own[0], own.at(-1)];
  const faults: string[] = [];
  if (first?.start !== pod.boundAt)
    faults.push(`begins at ${first?.start ?? 'no time'}, bound at ${pod.boundAt ?? 'no time'}`);
  for (const [i, { end }] of own.slice(0, -1).entries())
    if (end !== own[i + 1]?.start) faults.push(`a gap or an overlap at ${end ?? 'no time'}`);
  if (own.some(({ milliDevices }) => milliDevices !== pod.held * 1000)) faults.push('other devices than it held');
  if (last !== undefined) faults.push(...endFaults(last, goneAt));
  return faults.map((fault) => `${pod.name}: ${fault}`);
}

/** What nobody saw end, ends when it was last known to be alive: at any time before its real end. */
function endFaults({ end, unobserved }: Interval, goneAt: number | undefined): readonly string[] {
  if (goneAt === undefined) return end === undefined ? [] : [`ends at ${end}, and runs still`];
  if (end === undefined) return [`never ends, gone at ${goneAt}`];
  const isEarly = !unobserved && end < goneAt - slackMs;
  return isEarly || end > goneAt + slackMs ? [`ends at ${end}, gone at ${goneAt}`] : [];
}
