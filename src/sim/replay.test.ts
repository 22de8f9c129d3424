import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { comparePooling, replayShared, variants, type ComparisonInput } from './comparison.ts';
import type { Sharing } from './pooling.ts';
import type { JobOutcome, Replayed } from './replay.ts';
import { seededRandom, type TraceJob } from './traces/index.ts';
import { parseWalltimes } from './walltimes.ts';

const minute = 60_000;
const hour = 60 * minute;

/** A job of one hour, submitted at that second. */
const job = (id: string, institution: string, submitSeconds: number, more: Partial<TraceJob> = {}): TraceJob => ({
  id,
  institution,
  submitSeconds,
  gpus: 8,
  durationSeconds: 3600,
  ...more,
});

const moa: Sharing = { lending: true, reclaim: true, history: true, backfill: true, fairness: false };

/** `a` borrows the node of `b`, which comes back for it. Each is entitled to one node. */
const takenBack = [
  job('a1', 'a', 0, { durationSeconds: 7200 }),
  job('a2', 'a', 1, { durationSeconds: 7200 }),
  job('a3', 'a', 2000, { durationSeconds: 1800 }),
  job('b1', 'b', 3000, { durationSeconds: 16_200 }),
];

function outcomes(
  input: Partial<ComparisonInput> & { jobs: readonly TraceJob[] },
  sharing = moa,
): Map<string, JobOutcome> {
  return new Map(replayShared({ nodes: 2, ...input }, sharing).outcomes.map((outcome) => [outcome.job.id, outcome]));
}

describe('a replay', () => {
  it("runs jobs in each other's idle time when pooled, and makes them wait when fenced", () => {
    const jobs = [job('a1', 'a', 0), job('a2', 'a', 0), job('b1', 'b', 7200), job('b2', 'b', 7200)];
    const { fenced, pooled } = comparePooling({ jobs, nodes: 2 });
    assert.deepEqual([fenced.waited, pooled.waited], [2, 0]);
    assert.equal(fenced.waitP95, hour);
    assert.equal(fenced.gpuHours, pooled.gpuHours);
  });

  it('counts a job that can never start as not started, and ends', () => {
    const { pooled } = comparePooling({ jobs: [job('a1', 'a', 0), job('big', 'a', 0, { gpus: 64 })], nodes: 2 });
    assert.deepEqual([pooled.jobs, pooled.started], [2, 1]);
  });

  it('starts a gang over several nodes only when all of them are free', () => {
    const { pooled } = comparePooling({ jobs: [job('one', 'a', 0), job('gang', 'a', 1, { gpus: 16 })], nodes: 2 });
    assert.equal(pooled.waitP95, hour - 1000);
  });

  it('packs jobs of a part of a GPU onto one device', () => {
    const parts = Array.from({ length: 16 }, (_, i) => job(`part${i}`, 'a', 0, { gpus: 0.5 }));
    const { pooled } = comparePooling({ jobs: parts, nodes: 1 });
    assert.deepEqual([pooled.started, pooled.waited, pooled.gpuHours], [16, 0, 8]);
    const more = comparePooling({ jobs: [...parts, job('whole', 'a', 1, { gpus: 1 })], nodes: 1 }).pooled;
    assert.equal(more.waited, 1);
  });
});

describe('an eviction in a replay', () => {
  it('kills the borrower once the notice is over, and its owner starts then', () => {
    const { b1, a2 } = Object.fromEntries(outcomes({ jobs: takenBack })) as Record<string, JobOutcome>;
    assert.equal(b1?.startedAt, 3000_000 + 2 * minute);
    assert.equal(a2?.evictions, 1);
    assert.ok(b1.withinGuarantee);
  });

  it('brings the job back with its age: it goes before what was submitted after it', () => {
    const { a2, a3 } = Object.fromEntries(outcomes({ jobs: takenBack })) as Record<string, JobOutcome>;
    // a1 ends at 7200 s and a2 has its node for two hours more; a3, which came before the eviction, goes after it.
    assert.equal(a2?.endedAt, (7200 + 7200) * 1000);
    assert.equal(a3?.startedAt, a2.endedAt);
  });

  it('loses what ran, the time of the notice included', () => {
    const { a2 } = Object.fromEntries(outcomes({ jobs: takenBack })) as Record<string, JobOutcome>;
    assert.equal(a2?.lostGpuHours, (8 * (3000 + 120 - 1)) / 3600);
  });

  it('keeps all but the last interval of a job that saves what it has done', () => {
    const saved = Object.fromEntries(outcomes({ jobs: takenBack, checkpoint: 30 * minute }));
    assert.equal(saved['a2']?.lostGpuHours, (8 * (3119 - 1800)) / 3600);
    assert.equal(saved['a2'].endedAt, (7200 + 7200 - 1800) * 1000);
  });

  it('comes when the protection of the borrower ends, though nothing else happens then', () => {
    const early = takenBack.map((one) => (one.id === 'b1' ? { ...one, submitSeconds: 300 } : one));
    const { b1 } = Object.fromEntries(outcomes({ jobs: early })) as Record<string, JobOutcome>;
    // The first of the jobs of `a`, which holds more than its share, is safe for 15 minutes and has 2 minutes of notice.
    assert.equal(b1?.startedAt, 17 * minute);
  });

  it('does not happen to a job that ends within the notice, nor where nothing is taken back', () => {
    const short = takenBack.map((one) => (one.id === 'a2' ? { ...one, durationSeconds: 3060 } : one));
    const ended = Object.fromEntries(outcomes({ jobs: short })) as Record<string, JobOutcome>;
    assert.deepEqual([ended['a2']?.evictions, ended['a2']?.endedAt], [0, 3061_000]);
    assert.equal(ended['b1']?.startedAt, 3061_000);
    const kept = outcomes({ jobs: takenBack }, { ...moa, reclaim: false });
    assert.ok([...kept.values()].every(({ evictions, lostGpuHours }) => evictions === 0 && lostGpuHours === 0));
  });
});

describe('a reservation in a replay', () => {
  // One node is lent to `a`, which uses its own. Every half an hour it asks for a node that its gang over both needs.
  const small = Array.from({ length: 12 }, (_, i) => job(`small${String(i).padStart(2, '0')}`, 'a', 60 + i * 1800));
  const idle = job('idle', 'b', 0, { gpus: 1, durationSeconds: 1 });
  const jobs = [idle, job('first', 'a', 0), job('gang', 'a', 30, { gpus: 16 }), ...small];
  const walltimes = parseWalltimes('exact');

  it('is honoured: the gang starts by the time that it was promised first', () => {
    const gang = outcomes({ jobs, walltimes }).get('gang');
    assert.equal(gang?.promisedAt, hour);
    assert.equal(gang.startedAt, hour);
  });

  it('is not made without backfill, and the gang waits until no small job comes any more', () => {
    const gang = outcomes({ jobs, walltimes }, { ...moa, backfill: false }).get('gang');
    assert.equal(gang?.promisedAt, undefined);
    assert.ok((gang?.startedAt ?? 0) > 6 * hour);
  });
});

/** Jobs that ask for twice what four nodes have. */
const crowded = fc
  .record({
    seed: fc.nat(),
    count: fc.integer({ min: 1, max: 60 }),
    checkpoint: fc.constantFrom(undefined, 10 * minute),
  })
  .map(({ seed, count, checkpoint }) => {
    const random = seededRandom(seed);
    const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
    const jobs = Array.from({ length: count }, (_, i) =>
      job(`job${i}`, pick(['a', 'b', 'c']), Math.floor(random() * 14_400), {
        gpus: pick([1, 1, 2, 4, 8, 16]),
        durationSeconds: 60 + Math.floor(random() * 7200),
      }),
    );
    return { jobs, nodes: 4, checkpoint };
  });

const gpuHoursOf = (replayed: Replayed): number =>
  replayed.outcomes
    .filter(({ endedAt }) => endedAt !== undefined)
    .reduce((sum, { job: { gpus, durationSeconds } }) => sum + (gpus * durationSeconds) / 3600, 0);

describe('every replay', () => {
  for (const { name, sharing } of variants) {
    it(`(${name}) ends with every job that fits its institution, and held GPU-hours are those served and those lost`, () => {
      let evictions = 0;
      fc.assert(
        fc.property(crowded, (input) => {
          const replayed = replayShared(input, sharing);
          const lost = replayed.outcomes.reduce((sum, outcome) => sum + outcome.lostGpuHours, 0);
          assert.ok(Math.abs(replayed.balance.heldGpuHours - gpuHoursOf(replayed) - lost) < 1e-6);
          evictions += replayed.outcomes.reduce((sum, outcome) => sum + outcome.evictions, 0);
          if (sharing.lending) assert.ok(replayed.outcomes.every(({ endedAt }) => endedAt !== undefined));
        }),
        { numRuns: 20, seed: 7 },
      );
      assert.equal(evictions > 0, sharing.reclaim, `${evictions} evictions`);
    });
  }

  it('is the same again, and whatever the order in which its jobs are listed', () => {
    fc.assert(
      fc.property(crowded, (input) => {
        const once = replayShared(input, moa);
        assert.deepEqual(replayShared(input, moa), once);
        assert.deepEqual(replayShared({ ...input, jobs: input.jobs.toReversed() }, moa), once);
      }),
      { numRuns: 20, seed: 7 },
    );
  });
});
