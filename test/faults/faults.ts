import { setTimeout as sleep } from 'node:timers/promises';

import type { Random } from '../support/index.ts';
import type { OperatorProcess } from './operatorProcess.ts';
import type { Rules, SeenRequest } from './proxy.ts';
import type { Stage } from './stage.ts';
import { staleReads } from './staleReads.ts';
import { cutAfter, delayed, duplicated, reordered, untouched } from './watchFaults.ts';

/** Whoever is there when a fault strikes. */
export interface Scene {
  readonly stage: Stage;
  readonly dice: Random;
  readonly leader: OperatorProcess;
  /** Leads next; only where the fault asks for a follower. */
  readonly follower: OperatorProcess | undefined;
  /** How long what lasts is to last. */
  readonly outageMs: number;
  /** Starts another operator in the place of one that is gone. */
  readonly restart: (rules?: Rules) => Promise<OperatorProcess>;
}

/** One thing that goes wrong in production, and how to make it happen. */
export interface Fault {
  readonly name: string;
  /** What is done, for the table: a clause. */
  readonly what: string;
  readonly group: 'process' | 'server' | 'answers' | 'watches';
  readonly follower?: boolean;
  /** Faults that last for the whole run. */
  readonly rules?: (dice: Random) => Rules;
  /** The same for the follower. */
  readonly followerRules?: Rules;
  /** Further flags of the operators. */
  readonly flags?: readonly string[];
  /** Inflicts it, and ends it. @returns from when on recovery counts, on the clock of `performance.now` */
  readonly strike?: (scene: Scene) => Promise<number>;
  /** What is to be seen when all has settled. @throws Error where it is not so */
  readonly aftermath?: (scene: Scene) => Promise<void>;
  /** Another has to go on in the place of the leader: what that one still does is no recovery. */
  readonly succession?: boolean;
  /** Seconds until it has to act again. */
  readonly limitSeconds?: number;
}

const processFaults: readonly Fault[] = [
  {
    name: 'leader killed',
    what: 'kill -9 of the leader, a follower beside it',
    group: 'process',
    follower: true,
    strike: async ({ leader }) => {
      const since = performance.now();
      await leader.kill();
      return since;
    },
    succession: true,
    limitSeconds: 15,
  },
  {
    name: 'only operator killed',
    what: 'kill -9 of the only operator, started again at once',
    group: 'process',
    strike: async ({ leader, restart }) => {
      const since = performance.now();
      await leader.kill();
      await restart();
      return since;
    },
    succession: true,
    limitSeconds: 15,
  },
  {
    name: 'leader told to end',
    what: 'SIGTERM to the leader, a follower beside it',
    group: 'process',
    follower: true,
    strike: async ({ leader }) => {
      const since = performance.now();
      await leader.stop();
      return since;
    },
    succession: true,
    limitSeconds: 2,
  },
  {
    name: 'leader frozen',
    what: 'SIGSTOP of the leader until a follower has done its work, then SIGCONT',
    group: 'process',
    follower: true,
    strike: ({ leader }) => {
      leader.freeze();
      return Promise.resolve(performance.now());
    },
    aftermath: async ({ leader }) => {
      const before = leader.proxy.writes.length;
      leader.thaw();
      // It renews its lease, is told that it is another's, and would have planned a dozen times meanwhile.
      await sleep(3000);
      const late = leader.proxy.writes.slice(before).map(({ method, path }) => `${method} ${path}`);
      if (late.length > 0) throw new Error(`a leader that was frozen wrote when it woke: ${late.join(', ')}`);
      if (await leader.leads()) throw new Error('a leader that was frozen believes to lead still');
    },
    succession: true,
    limitSeconds: 15,
  },
];

const serverFaults: readonly Fault[] = [
  {
    name: 'API server away',
    what: 'kube-apiserver killed, and started again after the outage',
    group: 'server',
    strike: async ({ stage: { plane }, outageMs }) => {
      await plane.kill('kube-apiserver');
      await sleep(outageMs);
      await plane.start('kube-apiserver');
      return performance.now();
    },
    limitSeconds: 15,
  },
  {
    name: 'API server restarted',
    what: 'kube-apiserver killed and started again at once',
    group: 'server',
    strike: async ({ stage: { plane } }) => {
      await plane.restart('kube-apiserver');
      return performance.now();
    },
    limitSeconds: 15,
  },
  {
    name: 'etcd restarted',
    what: 'etcd killed and started again at once',
    group: 'server',
    strike: async ({ stage: { plane } }) => {
      await plane.restart('etcd');
      return performance.now();
    },
    limitSeconds: 15,
  },
];

/** Lets rules hold for some seconds. @returns when they ended */
async function storm({ leader }: Scene, rules: Rules, ms: number): Promise<number> {
  leader.proxy.use(rules);
  // What is open goes through the storm as well.
  leader.proxy.cut();
  await sleep(ms);
  leader.proxy.use({});
  return performance.now();
}

const stormMs = 5000;

const answerFaults: readonly Fault[] = [
  {
    name: '429 storm',
    what: 'for 5 s nine of ten requests are answered 429, with Retry-After',
    group: 'answers',
    strike: (scene) => {
      const refusal = { status: 429, retryAfterSeconds: 1 };
      return storm(scene, { onRequest: () => (scene.dice.chance(0.9) ? refusal : 'pass') }, stormMs);
    },
    limitSeconds: 15,
  },
  {
    name: '500 storm',
    what: 'for 5 s nine of ten requests are answered 500',
    group: 'answers',
    strike: (scene) => storm(scene, { onRequest: () => (scene.dice.chance(0.9) ? { status: 500 } : 'pass') }, stormMs),
    limitSeconds: 15,
  },
  {
    name: 'connections dropped',
    what: 'for 5 s a third of all requests break before the API server hears of them, a third after it has acted',
    group: 'answers',
    strike: (scene) =>
      storm(scene, { onRequest: () => scene.dice.pick(['pass', 'drop', 'loseAnswer'] as const) }, stormMs),
    limitSeconds: 15,
  },
  {
    name: 'slow answers',
    what: 'for 5 s each request takes up to 2 s longer',
    group: 'answers',
    strike: (scene) => {
      const onRequest = async () => {
        await sleep(scene.dice.below(2000));
        return 'pass' as const;
      };
      return storm(scene, { onRequest }, stormMs);
    },
    limitSeconds: 15,
  },
];

const isPods = ({ path }: SeenRequest) => path === '/api/v1/pods';

const watchFaults: readonly Fault[] = [
  {
    name: 'watches expired',
    what: 'all watches are cut and answered 410 for 2 s, so that everything is listed again',
    group: 'watches',
    strike: (scene) => {
      const isResumed = ({ kind, query }: SeenRequest) => kind === 'watch' && query.get('sendInitialEvents') === null;
      return storm(scene, { onRequest: (request) => (isResumed(request) ? { status: 410 } : 'pass') }, 2000);
    },
    limitSeconds: 15,
  },
  {
    name: 'watches cut',
    what: 'each watch breaks after 1 to 10 events, all the time',
    group: 'watches',
    rules: (dice) => ({ onWatch: () => cutAfter(() => 1 + dice.below(10)) }),
  },
  {
    name: 'events late',
    what: 'each event of a watch comes up to 500 ms late, all the time',
    group: 'watches',
    rules: (dice) => ({ onWatch: () => delayed(() => dice.below(500)) }),
  },
  {
    name: 'events twice',
    what: 'a third of the events come twice, at once or later, all the time',
    group: 'watches',
    rules: (dice) => ({ onWatch: () => duplicated(() => dice.chance(0.3)) }),
  },
  {
    name: 'events in disorder',
    what: 'a third of the events change places with the next, of the same object too, all the time',
    group: 'watches',
    rules: (dice) => ({ onWatch: () => reordered(() => dice.chance(0.3)) }),
  },
  {
    name: 'follower behind',
    what: 'SIGTERM to the leader, while what the follower sees of pods is 3 s old',
    group: 'watches',
    follower: true,
    followerRules: { onWatch: (request) => (isPods(request) ? delayed(() => 3000) : untouched) },
    strike: async ({ leader }) => {
      await leader.stop();
      return performance.now();
    },
    succession: true,
    limitSeconds: 15,
  },
  {
    name: 'stale list',
    what: 'kill -9, then a restart that is first told of the pods as they were ten bindings earlier, and of the rest 3 s later',
    group: 'watches',
    flags: ['--leader-elect=false'],
    strike: async ({ leader, restart, stage }) => {
      const stale = await staleReads(stage.transport, '/api/v1/pods', 3000);
      const done = stage.auditor.steps.length;
      await stage.auditor.until(
        () => stage.auditor.steps.length >= done + 10,
        10_000,
        () => 'nothing goes on',
      );
      const since = performance.now();
      await leader.kill();
      await restart({ onRequest: stale });
      return since;
    },
    succession: true,
    limitSeconds: 15,
  },
];

/** All that is tried. */
export const faults: readonly Fault[] = [...processFaults, ...serverFaults, ...answerFaults, ...watchFaults];
