import type { ControlPlane } from '../../tools/cluster/index.ts';
import { crashAt, type Crash, type Death, type Reference } from './crash.ts';
import type { CrashPlan, Side } from './crashPoint.ts';
import { lostOf, messageOf, spreadOf, tableOf, type Report } from './report.ts';
import { writeKinds, type WriteKind } from './writeKind.ts';

/** One operator that was to die at a write. */
export interface Attempt {
  readonly nth: number;
  readonly side: Side;
  /** Undefined where it sent so many writes never, and so lived on. */
  readonly write: WriteKind | undefined;
  /** Undefined where it lived on, or it came to something else. */
  readonly crash: Crash | undefined;
  readonly failure: string | undefined;
}

const sides: readonly Side[] = ['before', 'after'];
/** A run may send a few writes more than the reference: it is over when so many in a row are beyond what any sent. */
const beyond = 3;

/** Lets an operator die at this write. Never rejects. */
export async function attempt(plane: ControlPlane, at: Omit<Death, 'onStruck'>): Promise<Attempt> {
  const { nth, side } = at;
  let write: WriteKind | undefined;
  const onStruck = (kind: WriteKind) => {
    write = kind;
  };
  try {
    const crash = await crashAt(plane, { ...at, onStruck });
    return { nth, side, write, crash, failure: undefined };
  } catch (error) {
    return { nth, side, write, crash: undefined, failure: messageOf(error) };
  }
}

/** Lets an operator die before and after every write that it ever sends, on each control plane one at a time. */
export async function atEveryWrite(
  planes: readonly ControlPlane[],
  { wanted, pick }: { readonly wanted: Reference; readonly pick?: CrashPlan['pick'] },
  onAttempt: (attempt: Attempt) => void,
): Promise<readonly Attempt[]> {
  const attempts: Attempt[] = [];
  let last = wanted.writes.length;
  const queue: { readonly nth: number; readonly side: Side }[] = [];
  let nth = 0;
  const next = () => {
    if (queue.length === 0 && nth < last + beyond) {
      nth += 1;
      queue.push(...sides.map((side) => ({ nth, side })));
    }
    return queue.shift();
  };
  await Promise.all(
    planes.map(async (plane) => {
      for (let death = next(); death !== undefined; death = next()) {
        const one = await attempt(plane, { ...death, wanted, ...(pick === undefined ? {} : { pick }) });
        if (one.write !== undefined) last = Math.max(last, one.nth);
        attempts.push(one);
        onAttempt(one);
      }
    }),
  );
  return attempts;
}

/** For each kind of write, how often an operator died before and after one, and what came of it. */
export function reportOf(attempts: readonly Attempt[]): Report {
  const struck = attempts.filter(({ write }) => write !== undefined);
  const rows = writeKinds.map((kind) =>
    rowOf(
      kind,
      struck.filter(({ write }) => write === kind),
    ),
  );
  const lived = `${attempts.length - struck.length} operators lived on, as they never sent so many writes.`;
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
  'events lost, told twice',
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
