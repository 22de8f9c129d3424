import { setTimeout as sleep } from 'node:timers/promises';

import type { FaultProxy, Outcome, Rules, SeenRequest } from './proxy.ts';
import { untouched } from './watchFaults.ts';

/** How an operator that could watch nothing for a while comes to see again. */
export interface Way {
  /** Its watches go on where they were broken, with all that happened meanwhile in a burst; else it has to list anew. */
  readonly resumes?: boolean;
  /** Lists come page by page. */
  readonly pages?: boolean;
  /** What it sees again only some seconds after the rest. */
  readonly last?: (path: string) => boolean;
}

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
  #sees: 'all' | 'nothing' | 'nodes' | 'most' = 'all';
  readonly #listedAgain = new Set<string>();
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
    this.#change('nothing');
    proxy.cut();
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

  #change(sees: Blindness['sees']): void {
    this.#sees = sees;
    for (const look of this.#waiting) look();
  }

  get sees(): 'all' | 'nothing' | 'nodes' | 'most' {
    return this.#sees;
  }

  #isSeen(path: string): boolean {
    if (this.#sees === 'most') return this.#way.last?.(path) !== true;
    return this.#sees === 'all' || (this.#sees === 'nodes' && path === nodes);
  }

  async #follow(request: SeenRequest): Promise<Outcome> {
    const { path } = request;
    const { resumes = false, pages = false } = this.#way;
    const isBlind = this.#sees !== 'all';
    if (!this.#isSeen(path)) {
      // A watch that is refused three times is given up for a list: to go on where it was, it has to be kept waiting.
      if (!resumes) return 'drop';
      await this.#seen(path);
      return 'pass';
    }
    if (!isBlind && this.#listedAgain.size === 0) return 'pass';
    const isList = request.kind === 'read' || request.query.get('sendInitialEvents') !== null;
    if (resumes || (!isList && this.#listedAgain.has(path))) return 'pass';
    if (!isList) return { status: 410 };
    if (pages && request.kind === 'watch') return { status: 400 };
    this.#listedAgain.add(path);
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
