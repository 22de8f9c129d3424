import { isAborted, type Clock } from './clock.ts';
import { isApiError } from './errors.ts';
import { LeaseClient, type LeaseRecord } from './lease-record.ts';
import type { Transport } from './transport.ts';

/** What an elector tells about itself, for metrics and logs. */
export type LeaderElectionObservation =
  | { readonly type: 'acquired' | 'released' }
  /** The lease could not be renewed in time, or is another's. */
  | { readonly type: 'lost' }
  /** A request failed; it is tried again. */
  | { readonly type: 'failed'; readonly error: unknown };

export interface LeaderElectionOptions {
  readonly transport: Transport;
  /** Of the Lease. The namespace must exist. */
  readonly namespace: string;
  readonly name: string;
  /** Ours. No other process, past or present, may have it. */
  readonly identity: string;
  /** For so long a lease that we have not seen change is respected. */
  readonly leaseDurationMs: number;
  /** A leader that could not renew for so long stops leading. Well below the lease's duration. */
  readonly renewDeadlineMs: number;
  /** Between two renewals; a follower looks twice as often, and when the lease runs out. */
  readonly retryPeriodMs: number;
  readonly clock: Clock;
  /** 0 <= r < 1 */
  readonly random: () => number;
  readonly signal: AbortSignal;
  /**
   * The leader's work. It has to stop when its signal aborts, and to settle then: until it does, this process does not
   * stand for election again.
   *
   * @param stillLeading false from the moment leadership can no longer be relied on. It looks at the monotonic clock,
   * so that a process which was frozen knows before any timer has fired: ask before every act that only a leader may
   * do.
   */
  readonly onStartedLeading: (signal: AbortSignal, stillLeading: () => boolean) => Promise<void>;
  /** Somebody, perhaps we, was seen to hold the lease. */
  readonly onNewLeader?: (identity: string) => void;
  /** Must not throw. */
  readonly observe?: (observation: LeaderElectionObservation) => void;
}

/**
 * Stands for election until the signal aborts, leads whenever it is elected, and gives the lease back at the end, so
 * that a follower takes over at its next look.
 *
 * A lease is judged by when this process last saw it change, never by the times written in it: clocks differ. There is
 * no fencing in Kubernetes, so the leader stops `renewDeadlineMs` after the last renewal it sent, before another may
 * begin.
 *
 * Resolves when the signal has aborted and the work has settled. When the work ends by itself, the lease is given back
 * and this ends as the work did: resolved, or rejected with its error.
 */
export async function runLeaderElection(options: LeaderElectionOptions): Promise<void> {
  if (options.renewDeadlineMs >= options.leaseDurationMs) {
    throw new Error('renewDeadlineMs must be below leaseDurationMs, or two could lead');
  }
  await new Elector(options).run();
}

class Elector {
  readonly #options: LeaderElectionOptions;
  readonly #leases: LeaseClient;
  readonly #observe: (observation: LeaderElectionObservation) => void;
  /** The lease as last seen; undefined when there is none. */
  #record: LeaseRecord | undefined;
  /** When it was first seen to be so, on the monotonic clock. */
  #recordSeenAt = 0;
  /** When the last write that made or kept us leader was sent. */
  #renewedAt = -Infinity;
  #leader = '';

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#leases = new LeaseClient(options.transport, options.namespace, options.name);
    this.#observe = options.observe ?? (() => undefined);
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      if (await this.#acquired()) {
        if (await this.#lead()) return;
      } else {
        await this.#pause(this.#followerPauseMs(), signal);
      }
    }
  }

  /** One look at the lease, and one attempt if it is free. */
  async #acquired(): Promise<boolean> {
    const { clock, identity, signal } = this.#options;
    try {
      await this.#look(signal);
      const record = this.#record;
      const free = record === undefined || record.holder === '' || record.holder === identity;
      if (!free && clock.monotonic() < this.#recordSeenAt + record.durationMs) return false;
      await this.#write();
      return true;
    } catch (error) {
      if (!isAborted(signal) && !isApiError(error, 'Conflict', 'AlreadyExists'))
        this.#observe({ type: 'failed', error });
      return false;
    }
  }

  /** Leads until the lease is lost or the work ends. @returns whether the election is over */
  async #lead(): Promise<boolean> {
    const { signal, onStartedLeading } = this.#options;
    if (signal.aborted) {
      await this.#release();
      return true;
    }
    this.#observe({ type: 'acquired' });
    const leading = new AbortController();
    const renewing = new AbortController();
    const stop = (): void => leading.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });

    const stillLeading = (): boolean => !leading.signal.aborted && this.#leaseLeftMs() > 0;
    // The lease is renewed until the work has settled, though it was told to stop: until then nobody else may begin.
    const renewals = this.#renewUntilLost(renewing.signal).then((outcome) => {
      if (outcome === 'lost') {
        this.#observe({ type: 'lost' });
        leading.abort(new Error('no longer the leader'));
      }
      return outcome;
    });
    let outcome: 'lost' | 'ended';
    try {
      await onStartedLeading(leading.signal, stillLeading);
    } catch (error) {
      // Work that was told to stop may end by throwing what it was told.
      if (!leading.signal.aborted) throw error;
      if (error !== leading.signal.reason) this.#observe({ type: 'failed', error });
    } finally {
      signal.removeEventListener('abort', stop);
      renewing.abort(new Error('the work has ended'));
      outcome = await renewals;
      if (outcome === 'ended') await this.#release();
      this.#renewedAt = -Infinity;
    }
    return isAborted(signal) || outcome === 'ended';
  }

  /** @returns `ended` when the signal aborted before the lease was lost */
  async #renewUntilLost(signal: AbortSignal): Promise<'lost' | 'ended'> {
    for (;;) {
      await this.#pause(Math.min(this.#options.retryPeriodMs, this.#leaseLeftMs()), signal);
      if (this.#leaseLeftMs() <= 0) return 'lost';
      if (isAborted(signal)) return 'ended';
      if (await this.#isTaken()) return 'lost';
    }
  }

  /** One renewal. @returns whether another holds the lease now; a failure is not that yet */
  async #isTaken(): Promise<boolean> {
    try {
      await this.#write();
      return false;
    } catch (error) {
      if (!isApiError(error, 'Conflict', 'AlreadyExists', 'NotFound')) {
        this.#observe({ type: 'failed', error });
        return false;
      }
    }
    // Somebody wrote since: it may have been we, in a request whose answer was lost.
    try {
      await this.#look();
    } catch (error) {
      this.#observe({ type: 'failed', error });
      return false;
    }
    return this.#record !== undefined && this.#record.holder !== this.#options.identity;
  }

  async #look(signal?: AbortSignal): Promise<void> {
    const timeoutMs = this.#requestTimeoutMs();
    try {
      this.#see(await this.#leases.read({ timeoutMs, ...(signal === undefined ? {} : { signal }) }));
    } catch (error) {
      if (!isApiError(error, 'NotFound')) throw error;
      this.#record = undefined;
    }
  }

  /** Takes the lease or renews it. Never cut short: a write whose outcome we do not know could not be taken back. */
  async #write(): Promise<void> {
    const { clock, identity, leaseDurationMs } = this.#options;
    // Taken before the request: however late the server acts on it, we never believe to lead for longer than others do.
    const sentAt = clock.monotonic();
    const write = { before: this.#record, holder: identity, durationMs: leaseDurationMs, nowMs: clock.now() };
    const record = await this.#leases.write(write, this.#requestTimeoutMs());
    this.#renewedAt = sentAt;
    this.#see(record);
  }

  async #release(): Promise<void> {
    const { clock } = this.#options;
    const write = { before: this.#record, holder: '', durationMs: 1000, nowMs: clock.now() };
    try {
      this.#see(await this.#leases.write(write, this.#requestTimeoutMs()));
      this.#observe({ type: 'released' });
    } catch (error) {
      // Then the others wait until it runs out.
      this.#observe({ type: 'failed', error });
    }
  }

  #see(record: LeaseRecord): void {
    if (record.resourceVersion !== this.#record?.resourceVersion) this.#recordSeenAt = this.#options.clock.monotonic();
    this.#record = record;
    if (record.holder === this.#leader) return;
    this.#leader = record.holder;
    if (record.holder !== '') this.#options.onNewLeader?.(record.holder);
  }

  /**
   * Until the next look: less than half the retry period, so that a lease given back is taken within it, and not beyond
   * the moment at which the lease runs out. Spread, as followers that look together would fight for a free lease.
   */
  #followerPauseMs(): number {
    const { clock, random, retryPeriodMs } = this.#options;
    const usual = retryPeriodMs * (0.25 + random() * 0.2);
    if (this.#record === undefined || this.#record.holder === '') return usual;
    const left = this.#recordSeenAt + this.#record.durationMs - clock.monotonic();
    return left > 0 ? Math.min(usual, left) : usual;
  }

  /** For how long we may still believe to lead; 0 or less when we do not. */
  #leaseLeftMs(): number {
    return this.#renewedAt + this.#options.renewDeadlineMs - this.#options.clock.monotonic();
  }

  /** Two tries fit in the time that a leader has, and none goes on beyond it. */
  #requestTimeoutMs(): number {
    const half = this.#options.renewDeadlineMs / 2;
    const left = this.#leaseLeftMs();
    return left > 0 ? Math.min(half, left) : half;
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(ms, signal).catch(() => undefined);
  }
}
