import type { ControlPlane } from '../../tools/cluster/index.ts';
import { crashAt, type Crash, type Death } from './crash.ts';
import type { Side } from './crashPoint.ts';
import { lostOf, messageOf, spreadOf, tableOf, type Report } from './report.ts';
import { writeKinds, type WriteKind } from './writeKind.ts';

/** One operator that was to die at a write. */
export interface Attempt extends Pick<Death, 'kind' | 'nth' | 'side'> {
  /** Undefined where it never sent such a write and so lived on, or it came to something else. */
  readonly crash: Crash | undefined;
  readonly failure: string | undefined;
}

/** Lets an operator die at a write. Never rejects. */
export async function attempt(plane: ControlPlane, death: Death): Promise<Attempt> {
  const { kind, nth, side } = death;
  try {
    return { kind, nth, side, crash: await crashAt(plane, death), failure: undefined };
  } catch (error) {
    return { kind, nth, side, crash: undefined, failure: messageOf(error) };
  }
}

/** Lets an operator die before and after every write that it ever sends, on each control plane one at a time. */
export async function atEveryWrite(
  planes: readonly ControlPlane[],
  of: Pick<Death, 'wanted' | 'pick'>,
  onAttempt: (attempt: Attempt) => void,
): Promise<readonly Attempt[]> {
  const attempts: Attempt[] = [];
  const known = new Map(writeKinds.map((kind) => [kind, of.wanted.writes.filter((write) => write === kind).length]));
  const queue = [...known].flatMap(([kind, count]) =>
    Array.from({ length: count }, (_, i) => deathsAt(kind, i + 1)).flat(),
  );
  await Promise.all(
    planes.map(async (plane) => {
      for (let death = queue.shift(); death !== undefined; death = queue.shift()) {
        const one = await attempt(plane, { ...death, ...of });
        const { kind, nth } = one;
        // Numbers move with the time: a run may send more of a kind than the reference did.
        if (one.crash !== undefined && nth === known.get(kind)) {
          known.set(kind, nth + 1);
          queue.push(...deathsAt(kind, nth + 1));
        }
        attempts.push(one);
        onAttempt(one);
      }
    }),
  );
  return attempts;
}

function deathsAt(kind: WriteKind, nth: number): readonly Pick<Death, 'kind' | 'nth' | 'side'>[] {
  return (['before', 'after'] as const).map((side) => ({ kind, nth, side }));
}

/** For each kind of write, how often an operator died before and after one, and what came of it. */
export function reportOf(attempts: readonly Attempt[]): Report {
  const struck = attempts.filter(({ crash, failure }) => crash !== undefined || failure !== undefined);
  const rows = writeKinds.map((kind) =>
    rowOf(
      kind,
      struck.filter((one) => one.kind === kind),
    ),
  );
  const lived = `${attempts.length - struck.length} operators lived on, as they never sent so many writes of the kind.`;
  return {
    table: `${tableOf(columns, [...rows, rowOf('all', struck)])}\n\n${lived}`,
    failed: attempts.some(({ failure }) => failure !== undefined),
  };
}

const columns = [
  'write',
  'died before it',
  'died after it',
  'lost',
  'events fewer, more',
  "investor's waits not told: status, ledger",
  'ends not seen',
  'acts again after: median, worst',
];

function rowOf(name: string, attempts: readonly Attempt[]): readonly (string | number)[] {
  const died = (side: Side) => attempts.filter((one) => one.side === side).length;
  const failures = attempts.filter(({ failure }) => failure !== undefined).length;
  const crashes = attempts.flatMap(({ crash }) => crash ?? []);
  const sum = (of: (crash: Crash) => number) => crashes.reduce((total, crash) => total + of(crash), 0);
  return [
    name,
    died('before'),
    died('after'),
    lostOf(failures, attempts.length),
    `${sum(({ events }) => events.lost)}, ${sum(({ events }) => events.doubled)}`,
    `${sum(({ waits }) => 1 - waits.status)}, ${sum(({ waits }) => 1 - waits.ledger)}`,
    sum(({ unobserved }) => unobserved),
    spreadOf(
      crashes.map(({ actsAgainMs }) => actsAgainMs),
      '',
    ),
  ];
}
