import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Component } from './components.ts';
import { spawnGuarded, type GuardedProcess, type ProcessExit } from './guarded-process.ts';

const readySeconds = 60;
const pollMilliseconds = 50;
const tailLines = 15;

/** The processes of one control plane: at most one for each component, each with a log of its own. */
export class ComponentProcesses {
  /** Directory of the logs, `<component>.log` each; later starts append. */
  readonly logs: string;
  readonly #workDir: string;
  readonly #running = new Map<Component, GuardedProcess>();
  readonly #exits = new Map<GuardedProcess, ProcessExit>();
  readonly #dismissed = new Set<GuardedProcess>();
  readonly #onLoss: (reason: Error) => void;

  /** @param onLoss hears of every process that ends without having been asked to */
  constructor(workDir: string, onLoss: (reason: Error) => void) {
    this.#workDir = workDir;
    this.#onLoss = onLoss;
    this.logs = join(workDir, 'logs');
    mkdirSync(this.logs, { recursive: true });
  }

  pids(): Readonly<Partial<Record<Component, number>>> {
    return Object.fromEntries([...this.#running].map(([component, { pid }]) => [component, pid]));
  }

  has(component: Component): boolean {
    return this.#running.has(component);
  }

  /** @throws Error when the component is running already. */
  spawn(component: Component, program: string, args: readonly string[]): void {
    if (this.has(component)) throw new Error(`${component} is running already`);
    const log = openSync(this.#logOf(component), 'a');
    try {
      const child = spawnGuarded(program, args, {
        cwd: this.#workDir,
        // Collecting garbage a third as often makes the API server a quarter cheaper, for some more memory.
        env: { GOGC: '300', ...process.env },
        output: { stdout: log, stderr: log },
      });
      this.#running.set(component, child);
      void child.exited.then((exit) => {
        this.#exits.set(child, exit);
        if (this.#running.get(component) === child) this.#running.delete(component);
        if (!this.#dismissed.has(child)) this.#onLoss(this.#describe(component, exit));
      });
    } finally {
      closeSync(log);
    }
  }

  /**
   * Polls until `probe` says true. What it throws counts as not yet.
   *
   * @param components what the probe is about first, then what that depends on
   * @throws Error when one of the components ends meanwhile, or after a minute; the message holds the end of its log.
   */
  async until(
    components: readonly [Component, ...Component[]],
    probe: () => boolean | Promise<boolean>,
    signal?: AbortSignal,
  ): Promise<void> {
    const children = components.map((component) => ({ component, child: this.#running.get(component) }));
    const deadline = Date.now() + readySeconds * 1000;
    let last: unknown;
    while (Date.now() < deadline) {
      signal?.throwIfAborted();
      for (const { component, child } of children) {
        const exit = child === undefined ? undefined : this.#exits.get(child);
        if (child === undefined || exit !== undefined) throw this.#describe(component, exit);
      }
      try {
        if (await probe()) return;
      } catch (error) {
        last = error;
      }
      await sleep(pollMilliseconds);
    }
    const why = last instanceof Error ? ` (${last.message})` : '';
    throw new Error(`${components[0]} was not ready after ${readySeconds} s${why}. ${this.#tail(components[0])}`);
  }

  /** Signals a component and waits until it is gone, with SIGKILL after `graceMilliseconds` where they are given. */
  async kill(component: Component, signal: NodeJS.Signals, graceMilliseconds?: number): Promise<void> {
    const child = this.#running.get(component);
    if (child === undefined) return;
    this.#dismissed.add(child);
    child.kill(signal);
    const timer =
      graceMilliseconds === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), graceMilliseconds);
    await child.exited;
    clearTimeout(timer);
  }

  #describe(component: Component, exit: ProcessExit | undefined): Error {
    const how = exit?.signal === undefined ? `with code ${exit?.code ?? 'unknown'}` : `by ${exit.signal}`;
    return new Error(`${component} ended ${how}. ${this.#tail(component)}`);
  }

  #tail(component: Component): string {
    const path = this.#logOf(component);
    const text = existsSync(path) ? readFileSync(path, 'utf8').trimEnd() : '';
    if (text === '') return `Its log, ${path}, is empty.`;
    return `Its log, ${path}, ends with:\n${text.split('\n').slice(-tailLines).join('\n')}`;
  }

  #logOf(component: Component): string {
    return join(this.logs, `${component}.log`);
  }
}
