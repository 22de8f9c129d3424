import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { startTracing } from '../../src/observe/index.ts';
import type { CycleObservation, Logger } from '../../src/observe/index.ts';
import { silentLogger } from '../../src/observe/logging.ts';
import { freePort } from '../../tools/cluster/index.ts';
import { eventually } from '../support/index.ts';
import { startCollector, type Collector, type ReceivedSpan } from './collector.ts';

const cycle: CycleObservation = {
  outcome: 'finished',
  whole: true,
  snapshotMs: 2,
  planMs: 30,
  applyMs: 5,
  admitted: 3,
  evicted: 1,
  reserved: 2,
};

const request = {
  method: 'POST',
  path: '/api/v1/namespaces/a/pods/b/binding',
  resource: 'pods/binding',
  stream: false,
  status: 201,
  code: 'OK',
  durationMs: 15,
} as const;

const start = (endpoint: string, logger: Logger = silentLogger) =>
  startTracing({ endpoint, version: '1.2.3', instance: 'a', logger });

/** A length in whole milliseconds. */
function lengthOf(span: ReceivedSpan | undefined): number {
  return Math.round((span?.end ?? NaN) - (span?.start ?? NaN));
}

describe('traces', () => {
  let collector: Collector | undefined;
  before(async () => {
    collector = await startCollector();
  });
  after(() => collector?.close());

  /** What arrives when all of it is told. */
  async function sent(tell: (tracing: Awaited<ReturnType<typeof start>>) => void): Promise<readonly ReceivedSpan[]> {
    const known = collector!.spans.length;
    const tracing = await start(`${collector!.endpoint}/`);
    tell(tracing);
    await tracing.close();
    return collector!.spans.slice(known);
  }

  it('show a cycle with its phases, one after the other', async () => {
    const spans = await sent((tracing) => tracing.cycle(cycle));
    const whole = spans.find(({ name }) => name === 'scheduling cycle');
    assert.deepEqual(whole?.attributes, {
      'moa.result': 'whole',
      'moa.admitted': 3,
      'moa.evicted': 1,
      'moa.reserved': 2,
    });
    assert.equal(lengthOf(whole), 37);
    const phases = ['snapshot', 'plan', 'apply'].map((phase) => spans.find(({ name }) => name === phase));
    assert.deepEqual(phases.map(lengthOf), [2, 30, 5]);
    for (const phase of phases) assert.deepEqual([phase?.traceId, phase?.parentSpanId], [whole.traceId, whole.spanId]);
    assert.deepEqual(
      [phases[0]?.start, phases[0]?.end, phases[1]?.end, phases[2]?.end],
      [whole.start, phases[1]?.start, phases[2]?.start, whole.end],
    );
    assert.equal(spans.length, 4);
  });

  const quiet = { ...cycle, admitted: 0, evicted: 0 };
  const table: [sentence: string, told: CycleObservation, spans: number][] = [
    ['leave out a cycle that decides nothing', quiet, 0],
    ['have one that decides nothing and takes long', { ...quiet, planMs: 100 }, 4],
    ['have one that stopped at its share', { ...quiet, whole: false }, 4],
    ['have one that had to wait', { outcome: 'skipped' }, 1],
  ];
  for (const [sentence, told, count] of table)
    it(sentence, async () => assert.equal((await sent((tracing) => tracing.cycle(told))).length, count));

  it('show a cycle that failed as a failure', async () => {
    const [span] = await sent((tracing) => tracing.cycle({ outcome: 'failed' }));
    assert.equal(span?.failure, 'the cycle was thrown away');
  });

  it('show requests to the API server by what they ask and get', async () => {
    const spans = await sent((tracing) => {
      tracing.request(request);
      tracing.request({ ...request, status: 409, code: 'Conflict' });
      tracing.request({ ...request, method: 'GET', resource: 'pods', stream: true, status: 0, code: 'Timeout' });
      tracing.request({ ...request, status: 0, code: 'Aborted' });
    });
    assert.deepEqual(
      spans.map(({ name, failure }) => [name, failure]),
      [
        ['POST pods/binding', undefined],
        ['POST pods/binding', 'Conflict'],
        ['WATCH pods', 'Timeout'],
        ['POST pods/binding', undefined],
      ],
    );
    assert.deepEqual(spans[0]?.attributes, {
      'http.request.method': 'POST',
      'url.path': request.path,
      'k8s.resource': 'pods/binding',
      'http.response.status_code': 201,
    });
    assert.equal(spans[1]?.attributes['error.type'], 'Conflict');
    assert.equal(lengthOf(spans[0]), 15);
    assert.ok(Math.abs(spans[0].end - Date.now()) < 60_000);
  });

  it('show reconciliations with what stopped them', async () => {
    const [good, bad] = await sent((tracing) => {
      const told = { name: 'status-GpuPool', key: 'national', durationMs: 4 };
      tracing.reconcile({ ...told, outcome: 'succeeded' });
      tracing.reconcile({ ...told, outcome: 'failed', error: new Error('no answer') });
    });
    assert.equal(good?.name, 'reconcile status-GpuPool');
    assert.deepEqual(good.attributes, {
      'moa.controller': 'status-GpuPool',
      'moa.key': 'national',
      'moa.outcome': 'succeeded',
    });
    assert.deepEqual([good.failure, bad?.failure], [undefined, 'no answer']);
  });

  it('name the process that they come from', async () => {
    const [span] = await sent((tracing) => tracing.request(request));
    assert.deepEqual(span?.resource, {
      'service.name': 'moa',
      'service.version': '1.2.3',
      'service.instance.id': 'a',
    });
  });

  it('carry the headers that the environment gives', async () => {
    const variable = 'OTEL_EXPORTER_OTLP_HEADERS';
    const before = process.env[variable];
    process.env[variable] = 'authorization=Bearer%20token';
    try {
      await sent((tracing) => tracing.request(request));
    } finally {
      if (before === undefined) Reflect.deleteProperty(process.env, variable);
      else process.env[variable] = before;
    }
    assert.equal(collector!.headers['authorization'], 'Bearer token');
  });

  it('arrive while the operator runs, not only at its end', async () => {
    const known = collector!.spans.length;
    const tracing = await start(collector!.endpoint);
    tracing.request(request);
    await eventually(() => assert.equal(collector!.spans.length, known + 1));
    await tracing.close();
  });
});

describe('without a collector that answers', () => {
  it('traces are lost, and nothing else happens', async () => {
    const tracing = await start(`http://127.0.0.1:${await freePort()}`);
    for (let i = 0; i < 50_000; i++) tracing.request(request);
    const began = performance.now();
    await tracing.close();
    assert.ok(performance.now() - began < 15_000);
  });

  it('the log says so', async () => {
    const warnings: string[] = [];
    const refusing = await startCollector(400);
    const tracing = await start(refusing.endpoint, { ...silentLogger, warn: (message) => warnings.push(message) });
    tracing.request(request);
    await eventually(() => assert.deepEqual(warnings, ['traces are lost']));
    await tracing.close();
    await refusing.close();
  });
});
