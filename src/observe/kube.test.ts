import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { EventObservation, ReflectorObservation, RequestObservation } from '../kube/index.ts';
import {
  eventObserver,
  leaderElectionObserver,
  reconcileObserver,
  reflectorObserver,
  requestObserver,
} from './kube.ts';
import { silentLogger } from './logging.ts';
import type { Logger } from './logging.ts';
import { createMetrics } from './metrics.ts';
import type { Metrics } from './metrics.ts';

async function has(metrics: Metrics, ...lines: string[]): Promise<void> {
  const page = (await metrics.render()).body.split('\n');
  for (const line of lines)
    assert.ok(
      page.includes(line),
      `${line}\nis missing among\n${page.filter((each) => each.startsWith('moa_')).join('\n')}`,
    );
}

describe('requests', () => {
  const request: RequestObservation = {
    method: 'POST',
    path: '/api/v1/namespaces/a/pods/b/binding',
    resource: 'pods/binding',
    stream: false,
    status: 201,
    code: 'OK',
    durationMs: 15,
  };

  it('are counted by method, resource and status, never by path, and timed in seconds', async () => {
    const metrics = createMetrics({ version: '1' });
    requestObserver(metrics)(request);
    await has(
      metrics,
      'moa_api_requests_total{verb="POST",resource="pods/binding",code="201"} 1',
      'moa_api_request_duration_seconds_sum{verb="POST",resource="pods/binding"} 0.015',
    );
    assert.doesNotMatch((await metrics.render()).body, /namespaces/);
  });

  it('that nobody answered are counted by the code of the error', async () => {
    const metrics = createMetrics({ version: '1' });
    requestObserver(metrics)({ ...request, status: 0, code: 'Timeout' });
    await has(metrics, 'moa_api_requests_total{verb="POST",resource="pods/binding",code="Timeout"} 1');
  });

  it('that stream are watches', async () => {
    const metrics = createMetrics({ version: '1' });
    requestObserver(metrics)({ ...request, method: 'GET', resource: 'pods', stream: true, status: 200 });
    await has(metrics, 'moa_api_requests_total{verb="WATCH",resource="pods",code="200"} 1');
  });
});

describe('reflectors', () => {
  const expired = Object.assign(new Error('too old'), { code: 'Expired' });
  const table: [sentence: string, observation: ReflectorObservation, want: string][] = [
    [
      'lists are counted',
      { type: 'listed', by: 'stream', objects: 3, durationMs: 5 },
      'moa_store_lists_total{resource="pods",by="stream"} 1',
    ],
    ['events are counted', { type: 'event', event: 'gone' }, 'moa_watch_events_total{resource="pods",type="gone"} 1'],
    [
      'failures are counted by code',
      { type: 'failed', error: expired },
      'moa_watch_restarts_total{resource="pods",reason="Expired"} 1',
    ],
    [
      'a failure without a code is another',
      { type: 'failed', error: 'odd' },
      'moa_watch_restarts_total{resource="pods",reason="Other"} 1',
    ],
    [
      'an object that cannot be read is counted',
      { type: 'rejected', key: 'a/b', error: expired },
      'moa_store_rejected_objects_total{resource="pods"} 1',
    ],
  ];
  for (const [sentence, observation, want] of table) {
    it(sentence, async () => {
      const metrics = createMetrics({ version: '1' });
      reflectorObserver({ resource: 'pods', store: { size: 7 }, metrics, logger: silentLogger })(observation);
      await has(metrics, want, 'moa_store_objects{resource="pods"} 7');
    });
  }
});

/** A logger that keeps the level of each entry. */
function levels() {
  const seen: string[] = [];
  const at = (level: string) => () => {
    seen.push(level);
  };
  const logger: Logger = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => logger,
  };
  return { seen, logger };
}

describe('controllers', () => {
  const table: [sentence: string, outcome: 'succeeded' | 'failed' | 'terminal', wantLogged: string[]][] = [
    ['a success is counted and not logged', 'succeeded', []],
    ['what is tried again is a warning', 'failed', ['warn']],
    ['what is not tried again is an error', 'terminal', ['error']],
  ];
  for (const [sentence, outcome, wantLogged] of table) {
    it(sentence, async () => {
      const metrics = createMetrics({ version: '1' });
      const { seen, logger } = levels();
      reconcileObserver({ metrics, logger })({ name: 'pools', key: 'national', outcome, durationMs: 20 });
      await has(
        metrics,
        `moa_reconcile_total{controller="pools",result="${outcome}"} 1`,
        'moa_reconcile_duration_seconds_sum{controller="pools"} 0.02',
      );
      assert.deepEqual(seen, wantLogged);
    });
  }
});

describe('events', () => {
  const table: [sentence: string, observation: EventObservation, wantLogged: string[]][] = [
    ['that are written are counted and not logged', { type: 'created' }, []],
    ['that join one are counted', { type: 'counted' }, []],
    ['that are too many are counted, but not shouted about', { type: 'dropped', why: 'queue full' }, ['debug']],
    ['that cannot be written are a warning', { type: 'failed', error: new Error('x') }, ['warn']],
  ];
  for (const [sentence, observation, wantLogged] of table) {
    it(sentence, async () => {
      const metrics = createMetrics({ version: '1' });
      const { seen, logger } = levels();
      eventObserver({ metrics, logger })(observation);
      await has(metrics, `moa_events_total{result="${observation.type}"} 1`);
      assert.deepEqual(seen, wantLogged);
    });
  }
});

describe('leadership', () => {
  it('is 0 from the start, 1 while it lasts, and a failed request alone does not end it', async () => {
    const metrics = createMetrics({ version: '1' });
    const observe = leaderElectionObserver({ metrics, logger: silentLogger });
    await has(metrics, 'moa_leader 0');
    observe({ type: 'acquired' });
    observe({ type: 'failed', error: new Error('x') });
    await has(metrics, 'moa_leader 1');
    observe({ type: 'lost' });
    await has(metrics, 'moa_leader 0');
    observe({ type: 'acquired' });
    observe({ type: 'released' });
    await has(metrics, 'moa_leader 0');
  });
});
