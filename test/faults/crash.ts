import assert from 'node:assert/strict';

import type { ControlPlane } from '../../tools/cluster/index.ts';
import { booksOf, type Books } from './books.ts';
import { CrashPoint, type CrashPlan } from './crashPoint.ts';
import { untilReady } from './operatorProcess.ts';
import { outcomeAtRest, settled, type Outcome } from './outcomes.ts';
import { onSite } from './site.ts';
import { SmallStage } from './smallStage.ts';
import { writeKindOf, type WriteKind } from './writeKind.ts';

/** What an operator that nothing happens to does in the small scene, and what comes of it. */
export interface Reference {
  /** What it writes, in this order; another run may write a little more or less, as numbers move with the time. */
  readonly writes: readonly WriteKind[];
  readonly outcome: Outcome;
  readonly terms: Books['terms'];
  /** How often each event about a kind of pod is told. */
  readonly events: ReadonlyMap<string, number>;
}

/** What came of the death of an operator at one of its writes. */
export interface Crash {
  /** From the death on until the next operator has written something. */
  readonly actsAgainMs: number;
  /** Events about pods that were never told, and those that were told once more than in the reference. */
  readonly events: { readonly lost: number; readonly doubled: number };
  /** Pods of which the ledger marks that nobody saw their end. */
  readonly unobserved: number;
  /** Waits of the investor that are told, by the status and by the ledger; one in the reference. */
  readonly waits: { readonly status: number; readonly ledger: number };
}

/** At which of its writes an operator is to die, and what has to come of it. */
export interface Death extends Pick<CrashPlan, 'side' | 'pick'> {
  readonly kind: WriteKind;
  /** Of the writes of this kind, from 1. Between kinds no order is given: that would hit some twice and some never. */
  readonly nth: number;
  readonly wanted: Reference;
}

/** Alone, so that a restart takes no longer than the process does; bindings in the order of the plan. */
const flags = ['--leader-elect=false', '--bind-concurrency=1'];
const place = 'operator';
/** Within which all of a gang that has begun to start has started, a restart of the operator included. */
const gangMs = 15_000;

/** Plays the small scene with nothing in its way. */
export async function undisturbedCrashRun(plane: ControlPlane): Promise<Reference> {
  return onSite(await SmallStage.open(plane), async (stage) => {
    const nobody = new CrashPoint({ nth: 0, side: 'before' });
    const operator = await stage.launch(nobody.rules, flags, place);
    await stage.arrived();
    await stage.reclaim();
    const outcome = await outcomeAtRest(stage.outcome);
    await operator.stop();
    const { faults, terms, waits } = await booksOf(stage);
    assert.deepEqual([...faults, ...stage.auditor.violations], []);
    assert.deepEqual([await stage.waits(), waits], [1, 1], 'waits of the investor');
    return { writes: operator.proxy.writes.map(writeKindOf), outcome, terms, events: await stage.events() };
  });
}

/**
 * Plays the small scene; the operator dies at this write and is started again at once.
 *
 * @returns undefined where it sends no such write
 * @throws Error when it comes to anything else than the reference
 */
export async function crashAt(plane: ControlPlane, death: Death): Promise<Crash | undefined> {
  const { kind, wanted, ...plan } = death;
  return onSite(await SmallStage.open(plane), async (stage) => {
    const point = new CrashPoint({ ...plan, counts: (write) => writeKindOf(write) === kind });
    const first = await stage.launch(point.rules, flags, place);
    point.aim(() => first.kill());
    const restarted = point.struck.then(async () => {
      const since = performance.now();
      return { since, operator: await stage.launch({}, flags, place) };
    });
    await stage.arrived();
    await stage.reclaim();
    // It has to be there before one can say that it leaves everything as it is.
    const acting = async () => point.hasStruck && untilReady((await restarted).operator);
    const outcome = await settled(stage, wanted.outcome, acting);
    assert.deepEqual(outcome, wanted.outcome, 'what it has come to');
    const struck = point.hasStruck ? await restarted : undefined;
    await (struck?.operator ?? first).stop();
    const { faults, terms, unobserved, waits } = await booksOf(stage);
    assert.deepEqual([...faults, ...slowGangs(stage), ...stage.auditor.violations], []);
    assert.deepEqual(terms, wanted.terms, 'on which terms devices were held');
    if (struck === undefined) return undefined;
    const [firstWrite] = struck.operator.proxy.writes;
    const events = differenceOf(wanted.events, await stage.events());
    const waitsTold = { status: await stage.waits(), ledger: waits };
    const actsAgainMs = (firstWrite?.answeredAt ?? struck.since) - struck.since;
    return { actsAgainMs, events, unobserved, waits: waitsTold };
  });
}

/** Gangs that stood half-started for too long, in words. */
function slowGangs({ auditor }: SmallStage): readonly string[] {
  const bound = auditor.steps.filter(({ what, pod }) => what === 'bound' && pod.gang !== undefined);
  return [...Map.groupBy(bound, ({ pod }) => `${pod.namespace}/${pod.gang ?? ''}`)].flatMap(([gang, steps]) => {
    const times = steps.map(({ at }) => at);
    const tookMs = Math.max(...times) - Math.min(...times);
    return tookMs > gangMs ? [`${gang} stood half-started for ${tookMs} ms`] : [];
  });
}

function differenceOf(wanted: ReadonlyMap<string, number>, told: ReadonlyMap<string, number>): Crash['events'] {
  const keys = new Set([...wanted.keys(), ...told.keys()]);
  let [lost, doubled] = [0, 0];
  for (const key of keys) {
    const difference = (told.get(key) ?? 0) - (wanted.get(key) ?? 0);
    if (difference > 0) doubled += difference;
    else lost -= difference;
  }
  return { lost, doubled };
}
