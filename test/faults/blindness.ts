import { setTimeout as sleep } from 'node:timers/promises';

import type { FaultProxy, Outcome, Rules, SeenRequest } from './proxy.ts';
import { untouched } from './watchFaults.ts';

/** How an operator that could watch nothing for a while comes to see again. */
export interface Way {
  /**
   * What becomes of its watches meanwhile. One that is refused three times is given up for a list; one that is kept
   * waiting asks to go on where it was.
   */
  readonly meanwhile: 'refused' | 'kept waiting';
  /** They may go on where they were, with all that has happened in a burst; else they are told that it is forgotten. */
  readonly resumes?: boolean;
  /** Lists come page by page. */
  readonly pages?: boolean;
  /** What it sees again only some seconds after the rest. */
  readonly last?: (path: string) => boolean;
}

type Sight = 'all' | 'nothing' | 'nodes' | 'most';

const nodes = '/api/v1/nodes';
/** Between those that see again at different times. */
const apartMs = 2000;

/**
 * Rules for a proxy that take an operator's sight away and give it back. Nodes are seen first: a pod that is put on a
 * node which has shrunk unseen would be nobody's fault.
 */
export class Blindness {
  readonly rules: Rules;
  readonly #way: Way;
  #sees: Sight = 'all';
  #hasBegun = false;
  readonly #expired = new Set<string>();
  readonly #back = new Map<string, 'resumed' | 'listed' | 'listed after 410'>();
  readonly #waiting = new Set<() => void>();
  readonly #nodesSeen = Promise.withResolvers<undefined>();

  constructor(way: Way) {
    this.#way = way;
    this.rules = {
      onRequest: (request) => (isFollowing(request) ? this.#follow(request) : 'pass'),
      onWatch: ({ path }) => {
        if (path === nodes && this.#sees === 'nodes') this.#nodesSeen.resolve(undefined);
        return untouched;
      },
    };
  }

  begin(proxy: FaultProxy): void {
    this.#hasBegun = true;
    this.#change('nothing');
    proxy.cut();
  }

  /** By path of what is watched, how it came back; without those that have not. */
  get back(): ReadonlyMap<string, 'resumed' | 'listed' | 'listed after 410'> {
    return this.#back;
  }

  /** Resolves when nothing is kept from it any more. */
  async end(): Promise<void> {
    this.#change('nodes');
    await this.#nodesSeen.promise;
    await sleep(500);
    this.#change('most');
    if (this.#way.last !== undefined) await sleep(apartMs);
    this.#change('all');
  }

  #change(sees: Sight): void {
    this.#sees = sees;
    for (const look of this.#waiting) look();
  }

  #isSeen(path: string): boolean {
    if (this.#sees === 'most') return this.#way.last?.(path) !== true;
    return this.#sees === 'all' || (this.#sees === 'nodes' && path === nodes);
  }

  async #follow(request: SeenRequest): Promise<Outcome> {
    const { path } = request;
    const { meanwhile, resumes = false, pages = false } = this.#way;
    if (!this.#isSeen(path)) {
      if (meanwhile === 'refused') return 'drop';
      await this.#seen(path);
    }
    if (!this.#hasBegun || this.#back.has(path)) return 'pass';
    if (request.kind === 'watch' && request.query.get('sendInitialEvents') === null) {
      if (!resumes) {
        this.#expired.add(path);
        return { status: 410 };
      }
      this.#back.set(path, 'resumed');
    } else if (pages && request.kind === 'watch') return { status: 400 };
    else this.#back.set(path, this.#expired.has(path) ? 'listed after 410' : 'listed');
    return 'pass';
  }

  async #seen(path: string): Promise<void> {
    while (!this.#isSeen(path)) {
      await new Promise<void>((resolve) => {
        const look = () => {
          this.#waiting.delete(look);
          resolve();
        };
        this.#waiting.add(look);
      });
    }
  }
}

/** Whether the request is of one that keeps a copy: a watch, or a page of a list. */
function isFollowing({ kind, query }: SeenRequest): boolean {
  return kind === 'watch' || (kind === 'read' && query.get('limit') !== null);
}
