import { isApiError, systemClock, type ApiRequest, type Transport } from '../../src/kube/index.ts';
import { createNodes } from '../cluster/index.ts';
import { quotaNameOf } from './policy.ts';
import type { Scenario } from './scenario.ts';
import { jobManifest } from './workload.ts';

/** How far a replay is. */
export interface Replay {
  /** Jobs that the API server has taken. */
  readonly submitted: number;
  /** Requests of the replay that were tried again. */
  readonly retries: number;
  /** Resolves when all jobs are submitted and all nodes delivered; rejects when the API server refuses one. */
  readonly ended: Promise<void>;
}

/** What a replay runs on. */
export interface ReplayOptions {
  readonly transport: Transport;
  readonly speedup: number;
  readonly signal: AbortSignal;
}

/** Requests under way at once. Sweeps of hundreds of jobs come in one second of the trace. */
const workers = 16;
const attempts = 5;
const retryMilliseconds = 200;

/** Begins at once to submit the jobs of a scenario and to deliver the nodes of its investment, each at its time. */
export function startReplay(scenario: Scenario, { transport, speedup, signal }: ReplayOptions): Replay {
  const clock = systemClock();
  const began = clock.monotonic();
  const progress = { submitted: 0, retries: 0 };
  const until = (traceSeconds: number) => {
    const waitMs = began + (traceSeconds * 1000) / speedup - clock.monotonic();
    return clock.sleep(waitMs, signal);
  };

  const send = async (request: ApiRequest) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await transport.request({ ...request, signal });
        return;
      } catch (error) {
        // Ours, of an attempt whose answer was lost.
        if (attempt > 1 && isApiError(error, 'AlreadyExists')) return;
        if (!isApiError(error) || !error.retryable || attempt === attempts) throw error;
        progress.retries += 1;
        await clock.sleep(retryMilliseconds * attempt, signal);
      }
    }
  };
  const queue = scenario.jobs.values();
  const submit = async () => {
    for (const job of queue) {
      await until(job.submitSeconds);
      const namespace = quotaNameOf(job.institution);
      const path = `/apis/batch/v1/namespaces/${namespace}/jobs`;
      await send({ method: 'POST', path, body: jobManifest(job, { namespace, speedup }) });
      progress.submitted += 1;
    }
  };
  const deliver = async () => {
    for (const { atSeconds, nodes } of scenario.investment.deliveries) {
      await until(atSeconds);
      await createNodes(transport, nodes);
    }
  };
  const ended = Promise.all([deliver(), ...Array.from({ length: workers }, submit), until(scenario.seconds)]);
  return {
    get submitted() {
      return progress.submitted;
    },
    get retries() {
      return progress.retries;
    },
    ended: ended.then(() => undefined),
  };
}
