import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { FakeClock } from './fake-clock.ts';
import { runLeaderElection, type LeaderElectionObservation, type LeaderElectionOptions } from './lease.ts';
import { FakeLeases, type Network } from './testing/fake-leases.ts';
import { FreezableClock } from './testing/freezable-clock.ts';

/** One process that stands for election. */
interface Candidate {
  readonly name: string;
  readonly clock: FreezableClock;
  network: Network;
  /** Whether it believes to lead; false as well while it does not work as leader. */
  readonly leads: () => boolean;
  /** How often it has begun to lead. */
  terms: number;
  readonly observations: LeaderElectionObservation[];
  readonly leadersSeen: string[];
  readonly stop: () => void;
  finished: Promise<void>;
}

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

interface World {
  readonly clock: FakeClock;
  readonly leases: FakeLeases;
  readonly candidate: (name: string, more?: Partial<LeaderElectionOptions> & { skewMs?: number }) => Candidate;
}

function world(): World {
  const clock = new FakeClock();
  const leases = new FakeLeases();
  const candidate: World['candidate'] = (name, { skewMs = 0, ...more } = {}) => {
    const own = new FreezableClock(clock, skewMs);
    const controller = new AbortController();
    let stillLeading = (): boolean => false;
    const self: Candidate = {
      name,
      clock: own,
      network: 'fine',
      leads: () => stillLeading(),
      terms: 0,
      observations: [],
      leadersSeen: [],
      stop: () => controller.abort(new Error('stop')),
      finished: Promise.resolve(),
    };
    stops.push(self.stop);
    self.finished = runLeaderElection({
      transport: leases.transport(own, () => self.network),
      namespace: 'moa-system',
      name: 'moa-leader',
      identity: name,
      leaseDurationMs: 15_000,
      renewDeadlineMs: 10_000,
      retryPeriodMs: 2000,
      clock: own,
      random: () => 0.5,
      signal: controller.signal,
      onNewLeader: (identity) => self.leadersSeen.push(identity),
      observe: (observation) => self.observations.push(observation),
      onStartedLeading: async (signal, still) => {
        self.terms += 1;
        stillLeading = still;
        try {
          await own.sleep(Infinity, signal);
        } finally {
          stillLeading = () => false;
        }
      },
      ...more,
    });
    return self;
  };
  return { clock, leases, candidate };
}

function types(candidate: Candidate): string[] {
  return candidate.observations.map(({ type }) => type);
}

describe('leader election', () => {
  it('lets one lead and the others follow, who know its name', async () => {
    const { clock, leases, candidate } = world();
    const a = candidate('a');
    await clock.advance(100);
    const b = candidate('b');
    await clock.advance(120_000);
    assert.deepEqual([a.leads(), b.leads()], [true, false]);
    assert.deepEqual([a.leadersSeen, b.leadersSeen], [['a'], ['a']]);
    assert.equal(leases.lease?.spec.leaseTransitions, 0);
    assert.equal(a.terms, 1);
  });

  it('hands over within half the retry period when the leader is stopped', async () => {
    const { clock, leases, candidate } = world();
    const a = candidate('a');
    await clock.advance(100);
    const b = candidate('b');
    await clock.advance(30_000);
    a.stop();
    await a.finished;
    assert.equal(leases.lease?.spec.holderIdentity, '');
    await clock.advance(1000);
    assert.deepEqual([a.leads(), b.leads()], [false, true]);
    assert.deepEqual(types(a), ['acquired', 'released']);
    assert.equal(leases.lease.spec.leaseTransitions, 1);
  });

  it('goes on renewing until the work of a stopped leader has settled, and releases only then', async () => {
    const { clock, leases, candidate } = world();
    const a = candidate('a', {
      onStartedLeading: (signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => void clock.sleep(40_000).then(resolve));
        }),
    });
    const b = candidate('b');
    await clock.advance(1000);
    a.stop();
    await clock.advance(39_900);
    assert.equal(leases.lease?.spec.holderIdentity, 'a');
    assert.equal(b.terms, 0);
    await clock.advance(2100);
    assert.equal(b.leads(), true);
  });

  it('respects the lease of a leader that crashed for its whole duration, and no longer', async () => {
    const { clock, candidate } = world();
    const a = candidate('a');
    await clock.advance(100);
    const b = candidate('b');
    await clock.advance(30_000);
    a.clock.freeze();
    // The last renewal was up to 2 s old, and the follower learnt of it up to 0.9 s later: it looks when the lease ends.
    await clock.advance(12_900);
    assert.equal(b.terms, 0);
    await clock.advance(3100);
    assert.equal(b.leads(), true);
  });

  it('waits for a whole duration from its own first look, whatever the clock of another says', async () => {
    const { clock, candidate } = world();
    const a = candidate('a', { skewMs: -86_400_000 });
    await clock.advance(100);
    a.clock.freeze();
    await clock.advance(14_000);
    const b = candidate('b', { skewMs: 86_400_000 });
    await clock.advance(14_900);
    assert.equal(b.terms, 0);
    await clock.advance(2000);
    assert.equal(b.leads(), true);
  });

  it('is not moved by a wall clock that jumps', async () => {
    const { clock, candidate } = world();
    const a = candidate('a');
    await clock.advance(100);
    const b = candidate('b');
    for (const jump of [86_400_000, -172_800_000]) {
      clock.jump(jump);
      await clock.advance(20_000);
      assert.deepEqual([a.leads(), b.terms], [true, 0]);
    }
  });

  for (const network of ['requests lost', 'answers lost'] as const) {
    it(`ends leadership at the renew deadline when ${network}, before another may lead`, async () => {
      const { clock, candidate } = world();
      const a = candidate('a');
      await clock.advance(100);
      const b = candidate('b');
      await clock.advance(1900);
      // Its last renewal was just sent.
      a.network = network;
      await clock.advance(9900);
      assert.equal(a.leads(), true);
      await clock.advance(200);
      assert.deepEqual([a.leads(), types(a).includes('lost')], [false, true]);
      a.network = 'requests lost';
      await clock.advance(20_000);
      assert.deepEqual([b.leads(), b.terms], [true, 1]);
    });
  }

  it('counts the deadline from when a renewal was sent, not from when its answer came', async () => {
    const { clock, candidate } = world();
    const a = candidate('a');
    await clock.advance(1000);
    a.network = 'answers late';
    // The renewal of second 2 is answered in second 6, and no other after it.
    await clock.advance(4000);
    a.network = 'requests lost';
    await clock.advance(6900);
    assert.equal(a.leads(), true);
    await clock.advance(200);
    assert.equal(a.leads(), false);
  });

  it('lets a frozen leader know before any of its timers fires', async () => {
    const { clock, candidate } = world();
    const a = candidate('a');
    await clock.advance(2000);
    a.clock.freeze();
    await clock.advance(9000);
    assert.equal(a.leads(), true);
    await clock.advance(2000);
    assert.equal(a.leads(), false);
    assert.deepEqual(types(a), ['acquired'], 'nothing of it has run yet');
    a.clock.thaw();
    await clock.advance(100);
    assert.deepEqual(types(a).slice(0, 2), ['acquired', 'lost']);
  });

  it('does not release the lease of another', async () => {
    const { clock, leases, candidate } = world();
    const a = candidate('a');
    await clock.advance(2000);
    a.clock.freeze();
    const b = candidate('b');
    await clock.advance(20_000);
    assert.equal(b.leads(), true);
    a.clock.thaw();
    await clock.advance(5000);
    assert.deepEqual([a.leads(), b.leads(), leases.lease?.spec.holderIdentity], [false, true, 'b']);
    a.stop();
    await a.finished;
    assert.equal(leases.lease?.spec.holderIdentity, 'b');
  });

  it('gives way when it finds another in its lease, and does not release that', async () => {
    const { clock, leases, candidate } = world();
    const a = candidate('a');
    await clock.advance(3000);
    leases.seize('by hand');
    await clock.advance(3000);
    assert.deepEqual(
      [a.leads(), types(a), leases.lease?.spec.holderIdentity],
      [false, ['acquired', 'lost'], 'by hand'],
    );
  });

  it('survives the deletion of its lease', async () => {
    const { clock, leases, candidate } = world();
    const a = candidate('a');
    await clock.advance(3000);
    leases.delete();
    await clock.advance(10_000);
    assert.deepEqual([a.leads(), a.terms, leases.lease?.spec.holderIdentity], [true, 1, 'a']);
  });

  it('stands for election again after it has lost', async () => {
    const { clock, candidate } = world();
    const a = candidate('a');
    await clock.advance(3000);
    a.network = 'requests lost';
    await clock.advance(20_000);
    a.network = 'fine';
    await clock.advance(20_000);
    assert.deepEqual([a.leads(), a.terms], [true, 2]);
  });

  it('waits for the work of a lost term to settle before it stands again', async () => {
    const { clock, candidate } = world();
    let terms = 0;
    let settle: () => void = () => undefined;
    const a = candidate('a', {
      onStartedLeading: () => {
        terms += 1;
        return new Promise((resolve) => {
          settle = resolve;
        });
      },
    });
    await clock.advance(3000);
    a.network = 'requests lost';
    await clock.advance(20_000);
    a.network = 'fine';
    await clock.advance(60_000);
    assert.equal(terms, 1);
    settle();
    await clock.advance(20_000);
    assert.equal(terms, 2);
  });

  it('ends, and releases, when the work ends by itself', async () => {
    const { clock, leases, candidate } = world();
    const a = candidate('a', { onStartedLeading: () => Promise.resolve() });
    await clock.advance(100);
    await a.finished;
    assert.equal(leases.lease?.spec.holderIdentity, '');
  });

  it('ends with the error of the work, and releases', async () => {
    const { clock, leases, candidate } = world();
    const bug = new Error('bug');
    const a = candidate('a', { onStartedLeading: () => Promise.reject(bug) });
    const ended = assert.rejects(a.finished, bug);
    await clock.advance(100);
    await ended;
    assert.equal(leases.lease?.spec.holderIdentity, '');
  });

  it('refuses a deadline by which another could lead already', async () => {
    const { candidate } = world();
    const a = candidate('a', { leaseDurationMs: 10_000, renewDeadlineMs: 10_000 });
    await assert.rejects(a.finished, /renewDeadlineMs must be below leaseDurationMs/);
  });

  it('never has two leaders, whatever happens to network and processes, and has one again when all is well', async () => {
    const who = fc.nat({ max: 2 });
    const moves = fc.array(
      fc.oneof(
        fc.record({
          who,
          network: fc.constantFrom<Network>(
            'fine',
            'fine',
            'requests lost',
            'answers lost',
            'answers late',
            'requests late',
          ),
        }),
        fc.record({ who, frozen: fc.boolean() }),
        fc.record({ pass: fc.integer({ min: 1, max: 25 }) }),
        fc.record({ pass: fc.integer({ min: 1, max: 25 }) }),
      ),
      { maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(moves, async (script) => {
        const { clock, leases, candidate } = world();
        const candidates = ['a', 'b', 'c'].map((name, index) =>
          candidate(name, { skewMs: index * 1e7, random: () => index / 3 }),
        );
        const pass = async (seconds: number): Promise<void> => {
          for (let step = 0; step < seconds * 2; step++) {
            await clock.advance(500);
            const leaders = candidates.filter((one) => one.leads()).map(({ name }) => name);
            assert.ok(leaders.length <= 1, `${leaders.join(' and ')} lead`);
          }
        };
        for (const move of script) {
          if ('pass' in move) await pass(move.pass);
          else if ('network' in move) candidates[move.who]!.network = move.network;
          else if (move.frozen) candidates[move.who]!.clock.freeze();
          else candidates[move.who]!.clock.thaw();
        }
        for (const one of candidates) {
          one.network = 'fine';
          one.clock.thaw();
        }
        await pass(40);
        const leader = candidates.find((one) => one.leads());
        assert.equal(leases.lease?.spec.holderIdentity, leader?.name);
        for (const one of candidates) one.stop();
        await clock.advance(20_000);
        await Promise.all(candidates.map(({ finished }) => finished));
      }),
      { numRuns: 60 },
    );
  });
});
