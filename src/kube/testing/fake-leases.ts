import { nextTurn, type Clock } from '../clock.ts';
import { errorFromStatus, localError } from '../errors.ts';
import type { ApiRequest, Transport } from '../transport.ts';

/** What happens between a client and the server. */
export type Network =
  | 'fine'
  /** Requests do not arrive. */
  | 'requests lost'
  /** The server acts, but its answer does not arrive. */
  | 'answers lost'
  /** The server acts at once and answers four seconds later. */
  | 'answers late'
  /** The server acts six seconds later, and answers then to who still waits. */
  | 'requests late';

interface Lease {
  readonly metadata: { readonly resourceVersion: string };
  readonly spec: { readonly holderIdentity: string; readonly leaseTransitions: number };
}

/** One Lease on an API server in memory. What it does is proven against the real server in test/kube. */
export class FakeLeases {
  #lease: Lease | undefined;
  #version = 0;

  get lease(): Lease | undefined {
    return this.#lease;
  }

  /** As when somebody deletes it by hand. */
  delete(): void {
    this.#lease = undefined;
  }

  /** As when somebody writes another holder into it by hand. */
  seize(holder: string): void {
    const { metadata, spec } = this.#lease ?? { metadata: {}, spec: {} };
    this.#write({ metadata, spec: { ...spec, holderIdentity: holder } } as Lease);
  }

  /** The way of one client to it. @param network is asked at each request */
  transport(clock: Clock, network: () => Network): Transport {
    return {
      request: <T>(request: ApiRequest) => this.#serve(request, clock, network()) as Promise<T>,
      stream: () => {
        throw new Error('leases are not watched');
      },
      close: () => Promise.resolve(),
    };
  }

  async #serve(request: ApiRequest, clock: Clock, network: Network): Promise<unknown> {
    const timeoutMs = request.timeoutMs ?? 30_000;
    switch (network) {
      case 'fine':
        await nextTurn();
        return this.#act(request);
      case 'requests lost':
        break;
      case 'answers lost':
        try {
          this.#act(request);
        } catch {
          // A refusal is lost as well.
        }
        break;
      case 'answers late': {
        const lease = this.#act(request);
        await clock.sleep(4000);
        return lease;
      }
      case 'requests late': {
        const acting = clock.sleep(6000).then(() => this.#act(request));
        if (timeoutMs > 6000) return acting;
        acting.catch(() => undefined);
        break;
      }
    }
    await clock.sleep(timeoutMs, request.signal);
    throw localError('Timeout', 'no answer');
  }

  #act({ method, body }: ApiRequest): Lease {
    const sent = body as Lease;
    if (method === 'POST') {
      if (this.#lease !== undefined) throw errorFromStatus('create', 409, { reason: 'AlreadyExists' });
      return this.#write(sent);
    }
    if (this.#lease === undefined) throw errorFromStatus('get', 404, { reason: 'NotFound' });
    if (method === 'GET') return this.#lease;
    if (sent.metadata.resourceVersion !== this.#lease.metadata.resourceVersion) {
      throw errorFromStatus('update', 409, { reason: 'Conflict' });
    }
    return this.#write(sent);
  }

  #write({ spec }: Lease): Lease {
    this.#version += 1;
    this.#lease = { metadata: { resourceVersion: String(this.#version) }, spec };
    return this.#lease;
  }
}
