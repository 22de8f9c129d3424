import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { applyObject, createTransport, loadKubeConfig, type Transport } from '../../src/kube/index.ts';
import { applyCrds, startControlPlane, type ControlPlane } from '../cluster/index.ts';
import { countJobs } from './accounts.ts';
import { apiErrorsOf } from './apiErrors.ts';
import type { DemoOptions } from './arguments.ts';
import { startOperator, type Operator } from './operator.ts';
import { policyManifests, quotaNameOf } from './policy.ts';
import { progressOf, type Course } from './progress.ts';
import { startReplay, type Replay } from './replay.ts';
import { planScenario, type Scenario } from './scenario.ts';
import { showProgress } from './screen.ts';
import { summarize, type Summary } from './summary.ts';
import { summaryLines } from './printSummary.ts';
import { readWorld, watchWorld, type World } from './world.ts';

/** Where the demo speaks: standard output, or a test. */
export interface Output {
  readonly isTTY?: boolean;
  readonly rows?: number;
  readonly columns?: number;
  write(text: string): boolean;
}

/** A cluster with Moa in it. */
interface Stage {
  readonly plane: ControlPlane;
  readonly operator: Operator;
  readonly transport: Transport;
  readonly world: World;
}

/** How a run is driven. */
export interface RunOptions {
  readonly options: DemoOptions;
  /** Ends everything when it aborts. */
  readonly signal: AbortSignal;
  readonly output: Output;
  /** The operator's script; default: that of this checkout. */
  readonly operatorMain?: string;
}

/** Jobs of the trace that run for days are not waited for. */
const drainSeconds = 30;
const pollMilliseconds = 250;
/** What the API server and the watches need to tell of everything that was before. */
const settleMilliseconds = 2000;

/**
 * Runs the demo: control plane, Moa, replay, summary. Afterwards it stays up until the signal aborts, unless the options
 * say to exit. Whatever happens, it leaves no process behind.
 *
 * @returns whether everything in the summary was as it must be
 * @throws Error when something breaks on the way; the signal's reason when that aborts before the summary
 */
export async function runDemo({ options, signal, output, operatorMain }: RunOptions): Promise<boolean> {
  const say = (...lines: string[]) => output.write(`${lines.join('\n')}\n`);
  const scenario = planScenario(options);
  const end = new AbortController();
  const ended = AbortSignal.any([signal, end.signal]);
  const cleanUps: (() => Promise<unknown>)[] = [];
  try {
    say(...introduction(scenario, options));
    const started = Date.now();
    const plane = await startControlPlane({ signal, nodes: scenario.fleet });
    cleanUps.push(() => plane.stop());
    const transport = createTransport({ kubeConfig: loadKubeConfig(plane.kubeconfig), userAgent: 'moa-demo' });
    cleanUps.push(() => transport.close());
    await applyPolicy(transport, scenario);
    const operator = await startOperator(plane, ended, operatorMain);
    cleanUps.push(() => operator.stop());
    const stage = { plane, operator, transport, world: await watchWorld(transport, ended) };
    say(
      `Control plane, ${scenario.fleet.length} nodes and Moa are ready after ${seconds(Date.now() - started)} s.`,
      '',
    );
    const broken = Promise.race([plane.failed, operator.failed]).then((error) => Promise.reject(error));
    const summary = await Promise.race([broken, perform(stage, { scenario, options, signal: ended, output })]);
    const files = [join(plane.dataDir, 'demo-summary.json'), options.summary].filter((file) => file !== undefined);
    for (const file of files) writeFileSync(file, `${JSON.stringify(summary, undefined, 2)}\n`);
    // The data directory goes when this exits.
    const kept = options.exit ? files.slice(1) : files;
    say('', ...summaryLines(summary), ...kept.map((file) => `  as JSON in ${file}`));
    if (!options.exit) {
      say('', ...lookAround(plane, operator));
      await Promise.race([broken, aborted(signal)]);
    }
    return summary.checks.every(({ holds }) => holds);
  } finally {
    end.abort();
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
  }
}

async function applyPolicy(transport: Transport, { institutions, jobs, seconds, capacity, investment }: Scenario) {
  await applyCrds(transport);
  const today = new Date().toISOString().slice(0, 10);
  const manifests = policyManifests({ institutions, jobs, seconds, milliGpus: capacity.milliGpus, investment, today });
  for (const { path, body } of manifests) await applyObject(transport, { path, fieldManager: 'moa-demo', body });
}

/** Replays the jobs, waits a while for the rest, and takes stock. */
async function perform(
  { operator, transport, world }: Stage,
  { scenario, options, signal, output }: { scenario: Scenario } & Omit<RunOptions, 'operatorMain'>,
): Promise<Summary> {
  const began = Date.now();
  const replayMs = (scenario.seconds * 1000) / options.speedup;
  const replay = startReplay(scenario, { transport, speedup: options.speedup, signal });
  let drainUntil: number | undefined;
  const course = (): Course => {
    const now = Date.now();
    return {
      phase: drainUntil === undefined ? 'replay' : 'drain',
      jobs: scenario.jobs.length,
      submitted: replay.submitted,
      elapsedSeconds: (now - began) / 1000,
      leftSeconds: ((drainUntil ?? began + replayMs) - now) / 1000,
    };
  };
  const names = scenario.institutions.map(quotaNameOf);
  const stopShowing = showProgress(() => progressOf(world, course(), names), output);
  let replayed: number;
  try {
    await replay.ended;
    replayed = Date.now();
    drainUntil = replayed + drainSeconds * 1000;
    await drained(world, drainUntil, signal);
  } finally {
    stopShowing();
  }
  return takeStock({ operator, transport, world }, { scenario, speedup: options.speedup, replay, began, replayed });
}

async function drained(world: World, deadline: number, signal: AbortSignal): Promise<void> {
  while (Date.now() < deadline) {
    const { running, pending } = countJobs(world.jobs.values(), world.pods.values());
    if (running + pending === 0) return;
    await sleep(pollMilliseconds, undefined, { signal });
  }
}

async function takeStock(
  { operator, transport, world }: Omit<Stage, 'plane'>,
  run: { scenario: Scenario; speedup: number; replay: Replay; began: number; replayed: number },
): Promise<Summary> {
  const { scenario, speedup, replay, began, replayed } = run;
  const until = Math.floor(Date.now() / 1000) * 1000;
  await sleep(settleMilliseconds);
  const fresh = await readWorld(transport);
  const exposition = await (await fetch(operator.metricsUrl)).text();
  return summarize({
    scenario,
    speedup,
    submitted: replay.submitted,
    fresh,
    watchedPods: [...world.pods.values()],
    // Whole seconds, as the pods' own times: else the first second of some would be cut.
    began: Math.floor(began / 1000) * 1000,
    replayed: Math.min(until, Math.floor(replayed / 1000) * 1000),
    until,
    api: { ...apiErrorsOf(exposition), retriesOfDemo: replay.retries },
    investment: world.investments.get(scenario.investment.name),
  });
}

function introduction({ source, jobs, institutions, peakGpus, fleet, capacity }: Scenario, { speedup }: DemoOptions) {
  return [
    `Moa demo: ${source}, ${speedup} times as fast.`,
    `${jobs.length} jobs of ${institutions.length} institutions that would hold ${peakGpus} GPUs at the peak;`,
    `${fleet.length} nodes with ${capacity.gpus} GPUs to begin with, worth ${capacity.milliGpus / 1000} normalized GPUs.`,
    '',
  ];
}

function lookAround(plane: ControlPlane, operator: Operator): string[] {
  const kubectl = `KUBECONFIG=${plane.kubeconfig} ${plane.binaries.kubectl ?? 'kubectl'}`;
  return [
    'The cluster stays up. Look around:',
    `  ${kubectl} get gp,rq,mi`,
    `  ${kubectl} get pods -A --field-selector status.phase=Pending`,
    `  curl ${operator.metricsUrl}`,
    `  logs: ${operator.log}`,
    'Ctrl-C ends everything.',
  ];
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(1);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
