import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ControlPlane } from '../../tools/cluster/index.ts';
import type { Random } from '../support/index.ts';
import type { Fault, Scene } from './faults.ts';
import { outcomeAtRest, outcomeBecomes, type Outcome } from './outcomes.ts';
import type { Rules, SeenWrite } from './proxy.ts';
import { onSite } from './site.ts';
import { Stage } from './stage.ts';

/** When a fault strikes: while pods are bound, or while others are evicted to make room. */
export type Moment = 'arriving' | 'reclaiming';

/** What a fault is inflicted on, and how. */
export interface Trial {
  readonly plane: ControlPlane;
  readonly dice: Random;
  readonly moment: Moment;
  /** How long what lasts is to last. */
  readonly outageMs: number;
  /** What an undisturbed run comes to. */
  readonly wanted: Outcome;
}

/** What came of it. Milliseconds from the strike on or, where it lasts, from its end. */
export interface Recovery {
  /** Until a pod was bound, marked or deleted; undefined where there is no strike. */
  readonly actsAgainMs: number | undefined;
  /** Until the act was over; undefined where there is no strike. */
  readonly settledMs: number | undefined;
}

/** Few bindings at once, each a little slow: a strike then finds much under way. */
const flags = ['--bind-concurrency=4'];
const writeMs = 20;

/** Runs both acts with nothing in their way. @returns what they come to */
export async function undisturbed(plane: ControlPlane, dice: Random): Promise<Outcome> {
  return onSite(await Stage.open(plane), async (stage) => {
    await stage.operator(slowWrites(dice), flags);
    await stage.arrive();
    await stage.arrived();
    await stage.reclaim();
    await stage.reclaimed();
    return outcomeAtRest(stage.outcome);
  });
}

/**
 * Runs both acts and lets the fault strike in the middle of one.
 *
 * @throws Error when it comes to anything else than an undisturbed run, or takes too long to
 */
export async function suffer(fault: Fault, trial: Trial): Promise<Recovery> {
  const { plane, dice, moment, outageMs, wanted } = trial;
  return onSite(await Stage.open(plane), async (stage) => {
    const start = (rules?: Rules) => stage.operator(rules ?? slowWrites(dice), [...flags, ...(fault.flags ?? [])]);
    const leader = await start(fault.rules?.(dice));
    const follower = fault.follower === true ? await start(fault.followerRules) : undefined;
    const scene: Scene = { stage, dice, leader, follower, outageMs, restart: start };
    let recovery: Recovery = { actsAgainMs: undefined, settledMs: undefined };
    for (const act of ['arriving', 'reclaiming'] as const) {
      const struck = act === moment && fault.strike !== undefined ? strikeDuring(act, fault.strike, scene) : undefined;
      await (act === 'arriving' ? stage.arrive() : stage.reclaim());
      const since = await struck;
      await (act === 'arriving' ? stage.arrived() : stage.reclaimed());
      if (since !== undefined) recovery = recoveryOf(fault, scene, since);
    }
    assert.deepEqual(await outcomeBecomes(stage.outcome, wanted), wanted, 'what it has come to');
    await fault.aftermath?.(scene);
    assert.deepEqual(stage.auditor.violations, []);
    const { actsAgainMs = 0 } = recovery;
    const limit = fault.limitSeconds ?? Infinity;
    assert.ok(actsAgainMs <= limit * 1000, `it acted again after ${actsAgainMs} ms, the limit is ${limit} s`);
    return recovery;
  });
}

/** Waits until the act has come a random way, and strikes. */
async function strikeDuring(act: Moment, strike: (scene: Scene) => Promise<number>, scene: Scene): Promise<number> {
  const { auditor } = scene.stage;
  const [what, most] = act === 'arriving' ? (['bound', 30] as const) : (['marked', 6] as const);
  const done = () => auditor.steps.filter((step) => step.what === what).length;
  const depth = 1 + scene.dice.below(most);
  await auditor.until(
    () => done() >= depth,
    30_000,
    () => `${done()} pods are ${what}`,
  );
  return strike(scene);
}

function slowWrites(dice: Random): Rules {
  const onRequest = async ({ kind }: { kind: string }) => {
    if (kind === 'write') await sleep(dice.below(2 * writeMs));
    return 'pass' as const;
  };
  return { onRequest };
}

function recoveryOf({ succession = false }: Fault, { stage, leader }: Scene, since: number): Recovery {
  const { operators, auditor } = stage;
  const counted = succession ? operators.filter((operator) => operator !== leader) : operators;
  const acts = counted.flatMap(({ proxy }) => proxy.writes).filter(isAct);
  const times = acts.map(({ answeredAt = 0 }) => answeredAt).filter((at) => at > since);
  return {
    // Nothing was left to do: it went on all the time.
    actsAgainMs: times.length === 0 ? 0 : Math.min(...times) - since,
    settledMs: Math.max(0, (auditor.steps.at(-1)?.at ?? 0) - since),
  };
}

/** Whether the write moved scheduling on. */
function isAct({ method, path, status = 0 }: SeenWrite): boolean {
  const isPod = path.includes('/pods/') && status >= 200 && status < 300;
  return isPod && (path.endsWith('/binding') || method === 'DELETE' || path.endsWith('/status'));
}
