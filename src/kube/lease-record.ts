import { microTime } from './micro-time.ts';
import type { ApiRequest, Transport } from './transport.ts';

/** A Lease as it was read or written. */
export interface LeaseRecord {
  readonly resourceVersion: string;
  /** Empty when nobody holds it. */
  readonly holder: string;
  readonly durationMs: number;
  readonly acquireTime: string | undefined;
  readonly transitions: number;
}

interface RawLease {
  readonly metadata?: { readonly resourceVersion?: string };
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly leaseTransitions?: number;
  };
}

/** The next content of a Lease, given what it is now. */
interface LeaseWrite {
  readonly before: LeaseRecord | undefined;
  readonly holder: string;
  readonly durationMs: number;
  /** Epoch milliseconds. For people who look at the Lease: no decision rests on it. */
  readonly nowMs: number;
}

/**
 * Reads and writes one Lease. Each write is refused, code Conflict or AlreadyExists, if somebody else wrote since
 * `before`.
 */
export class LeaseClient {
  readonly #transport: Transport;
  readonly #namespace: string;
  readonly #name: string;

  constructor(transport: Transport, namespace: string, name: string) {
    this.#transport = transport;
    this.#namespace = namespace;
    this.#name = name;
  }

  async read(limits: Pick<ApiRequest, 'timeoutMs' | 'signal'>): Promise<LeaseRecord> {
    return recordOf(
      await this.#transport.request({ ...limits, method: 'GET', path: `${this.#collection()}/${this.#name}` }),
    );
  }

  async write(write: LeaseWrite, timeoutMs: number): Promise<LeaseRecord> {
    const { before } = write;
    const request = { timeoutMs, body: this.#bodyOf(write) };
    const path = this.#collection();
    if (before === undefined) return recordOf(await this.#transport.request({ ...request, method: 'POST', path }));
    return recordOf(await this.#transport.request({ ...request, method: 'PUT', path: `${path}/${this.#name}` }));
  }

  #collection(): string {
    return `/apis/coordination.k8s.io/v1/namespaces/${this.#namespace}/leases`;
  }

  #bodyOf({ before, holder, durationMs, nowMs }: LeaseWrite): unknown {
    const now = microTime(nowMs);
    const changesHands = before?.holder !== holder;
    const transitions = before === undefined ? 0 : before.transitions + (changesHands && holder !== '' ? 1 : 0);
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        namespace: this.#namespace,
        name: this.#name,
        ...(before === undefined ? {} : { resourceVersion: before.resourceVersion }),
      },
      spec: {
        holderIdentity: holder,
        leaseDurationSeconds: Math.max(1, Math.ceil(durationMs / 1000)),
        acquireTime: changesHands ? now : (before.acquireTime ?? now),
        renewTime: now,
        leaseTransitions: transitions,
      },
    };
  }
}

function recordOf({ metadata, spec }: RawLease): LeaseRecord {
  return {
    resourceVersion: metadata?.resourceVersion ?? '',
    holder: spec?.holderIdentity ?? '',
    durationMs: (spec?.leaseDurationSeconds ?? 0) * 1000,
    acquireTime: spec?.acquireTime,
    transitions: spec?.leaseTransitions ?? 0,
  };
}
