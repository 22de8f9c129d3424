import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { ApiError } from './errors.ts';
import { EventRecorder, type EventObservation, type EventRecord, type EventRecorderOptions } from './events.ts';
import { FakeClock } from './fake-clock.ts';
import type { ApiRequest, Transport } from './transport.ts';

interface SentEvent {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly note: string;
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
}

interface Sent {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly body: SentEvent;
}

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

interface Recording {
  readonly clock: FakeClock;
  readonly recorder: EventRecorder;
  readonly sent: Sent[];
  readonly observations: EventObservation[];
  readonly start: () => { stop: () => void; finished: Promise<void> };
  /** What the server answers from now on: an error to throw, or nothing. */
  answer: (request: ApiRequest) => ApiError | undefined;
}

function recording(more: Partial<EventRecorderOptions> = {}): Recording {
  const clock = new FakeClock(Date.UTC(2026, 0, 1, 9, 30, 15, 123));
  const sent: Sent[] = [];
  const observations: EventObservation[] = [];
  const transport: Transport = {
    request: <T>(request: ApiRequest) => {
      const { method, path, body } = request;
      sent.push({ at: clock.monotonic(), method, path, body: body as SentEvent });
      const error = self.answer(request);
      return error === undefined ? Promise.resolve({} as T) : Promise.reject(error);
    },
    stream: () => {
      throw new Error('events are not watched');
    },
    close: () => Promise.resolve(),
  };
  const recorder = new EventRecorder({
    transport,
    clock,
    random: () => 0,
    reportingController: 'moa.dev/controller',
    reportingInstance: 'moa-0',
    observe: (observation) => observations.push(observation),
    ...more,
  });
  const self: Recording = {
    clock,
    recorder,
    sent,
    observations,
    start: () => {
      const controller = new AbortController();
      const stop = (): void => controller.abort(new Error('stop'));
      stops.push(stop);
      return { stop, finished: recorder.run(controller.signal) };
    },
    answer: () => undefined,
  };
  return self;
}

function event(more: Partial<EventRecord> & { name?: string } = {}): EventRecord {
  const { name = 'pod-1', ...rest } = more;
  return {
    regarding: { apiVersion: 'v1', kind: 'Pod', namespace: 'kaist', name, uid: `uid-${name}` },
    type: 'Warning',
    reason: 'NoCapacity',
    action: 'Scheduling',
    note: 'no node has 8 free GPUs',
    ...rest,
  };
}

function types(observations: readonly EventObservation[]): string[] {
  return observations.map((one) => (one.type === 'dropped' ? `dropped: ${one.why}` : one.type));
}

const refused = (status: number, code: string): ApiError =>
  new ApiError(code, { status, code, retryable: status >= 500 });

describe('an event recorder', () => {
  it('writes an event as events.k8s.io/v1 wants it, its time with six fractional digits', async () => {
    const { clock, recorder, sent, start } = recording();
    start();
    recorder.record(event());
    await clock.advance(1);
    const { method, path, body } = sent[0]!;
    const { name } = body.metadata;
    assert.equal(`${method} ${path}`, 'POST /apis/events.k8s.io/v1/namespaces/kaist/events');
    assert.match(name, /^pod-1\.[0-9a-f]+$/);
    assert.deepEqual(body, {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { namespace: 'kaist', name },
      eventTime: '2026-01-01T09:30:15.123000Z',
      reportingController: 'moa.dev/controller',
      reportingInstance: 'moa-0',
      regarding: { apiVersion: 'v1', kind: 'Pod', namespace: 'kaist', name: 'pod-1', uid: 'uid-pod-1' },
      type: 'Warning',
      reason: 'NoCapacity',
      action: 'Scheduling',
      note: 'no node has 8 free GPUs',
    });
  });

  it('writes the events of cluster-scoped objects to the namespace default', async () => {
    const { clock, recorder, sent, start } = recording();
    start();
    recorder.record(
      event({ regarding: { apiVersion: 'moa.dev/v1alpha1', kind: 'GpuPool', name: 'national', uid: 'u' } }),
    );
    await clock.advance(1);
    assert.equal(sent[0]?.path, '/apis/events.k8s.io/v1/namespaces/default/events');
  });

  it('cuts a note at 1 KiB, between characters', async () => {
    const { clock, recorder, sent, start } = recording();
    start();
    recorder.record(event({ note: '가'.repeat(500) }));
    await clock.advance(1);
    assert.equal(sent[0]?.body.note, '가'.repeat(341));
  });

  it('gives the events of one object in one instant different names, none too long', async () => {
    const { clock, recorder, sent, start } = recording();
    start();
    for (const reason of ['A', 'B', 'C']) recorder.record(event({ reason, name: 'x'.repeat(253) }));
    await clock.advance(1);
    const names = sent.map(({ body }) => body.metadata.name);
    assert.equal(new Set(names).size, 3);
    assert.ok(names.every(({ length }) => length === 253));
  });

  it('counts what repeats, and writes the count every half minute at most', async () => {
    const { clock, recorder, sent, start } = recording();
    start();
    recorder.record(event());
    for (let second = 0; second < 60; second++) {
      await clock.advance(1000);
      recorder.record(event());
    }
    await clock.advance(60_000);
    const counts = sent.map(({ method, body }) => [method, body.series?.count]);
    assert.deepEqual(counts, [
      ['POST', undefined],
      ['PATCH', 30],
      ['PATCH', 60],
      ['PATCH', 61],
    ]);
    assert.equal(sent[1]?.path, `/apis/events.k8s.io/v1/namespaces/kaist/events/${sent[0]?.body.metadata.name}`);
    assert.deepEqual(sent[3]?.body, { series: { count: 61, lastObservedTime: '2026-01-01T09:31:15.123000Z' } });
  });

  it('tells events apart by object, type, reason, action and note', async () => {
    const { clock, recorder, sent, start } = recording();
    start();
    for (const more of [
      {},
      { name: 'pod-2' },
      { type: 'Normal' },
      { reason: 'R' },
      { action: 'A' },
      { note: 'n' },
    ] as const) {
      recorder.record(event(more));
    }
    await clock.advance(1);
    assert.deepEqual(
      sent.map(({ method }) => method),
      Array.from({ length: 6 }, () => 'POST'),
    );
  });

  it('tells them apart by object and the given key alone where one is given, and keeps the first note', async () => {
    const { clock, recorder, sent, start } = recording();
    start();
    recorder.record(event({ dedupeKey: 'NoCapacity', note: '8 short' }));
    recorder.record(event({ dedupeKey: 'NoCapacity', note: '7 short' }));
    recorder.record(event({ dedupeKey: 'NoCapacity', note: '8 short', name: 'pod-2' }));
    await clock.advance(1);
    assert.deepEqual(
      sent.map(({ body }) => [body.note, body.series?.count]),
      [
        ['8 short', 2],
        ['8 short', undefined],
      ],
    );
  });

  it('begins a new event ten minutes after the last of its kind', async () => {
    const { clock, recorder, sent, start } = recording();
    start();
    recorder.record(event());
    await clock.advance(599_000);
    recorder.record(event());
    await clock.advance(599_000);
    recorder.record(event());
    await clock.advance(600_000);
    recorder.record(event());
    await clock.advance(1);
    assert.deepEqual(
      sent.map(({ method }) => method),
      ['POST', 'PATCH', 'PATCH', 'POST'],
    );
  });

  it('writes the count into a new event when the old one is gone', async () => {
    const test = recording();
    const { clock, recorder, sent, start } = test;
    test.answer = ({ method }) => (method === 'PATCH' ? refused(404, 'NotFound') : undefined);
    start();
    recorder.record(event());
    await clock.advance(1);
    recorder.record(event());
    await clock.advance(60_000);
    assert.deepEqual(
      sent.map(({ method, body }) => [method, body.series?.count]),
      [
        ['POST', undefined],
        ['PATCH', 2],
        ['POST', 2],
      ],
    );
  });

  it('never throws and never waits when nothing can be sent, and drops the oldest when too many wait', () => {
    const { recorder, observations } = recording({ capacity: 3 });
    for (let index = 0; index < 5; index++) recorder.record(event({ name: `pod-${index}` }));
    assert.equal(recorder.dropped, 2);
    assert.deepEqual(types(observations), ['dropped: queue full', 'dropped: queue full']);
  });

  it('sends the newest after the oldest were dropped, and takes a dropped one up again', async () => {
    const { clock, recorder, sent, start } = recording({ capacity: 2 });
    for (const name of ['a', 'b', 'c']) recorder.record(event({ name }));
    start();
    await clock.advance(1);
    recorder.record(event({ name: 'a' }));
    await clock.advance(1);
    assert.deepEqual(
      sent.map(({ body }) => body.metadata.name[0]),
      ['b', 'c', 'a'],
    );
  });

  it('limits the events of one object, and not those of others', async () => {
    const { clock, recorder, sent, start, observations } = recording({ objectRate: { perSecond: 1 / 300, burst: 3 } });
    start();
    for (let index = 0; index < 10; index++) recorder.record(event({ note: `note ${index}` }));
    recorder.record(event({ name: 'pod-2' }));
    await clock.advance(1);
    assert.equal(sent.length, 4);
    assert.equal(recorder.dropped, 7);
    assert.equal(types(observations).filter((type) => type === 'dropped: object limit').length, 7);
    await clock.advance(300_000);
    recorder.record(event({ note: 'later' }));
    await clock.advance(1);
    assert.equal(sent.at(-1)?.body.note, 'later');
  });

  it('sends at its rate after a burst', async () => {
    const { clock, recorder, sent, start } = recording({ rate: { perSecond: 10, burst: 5 } });
    start();
    for (let index = 0; index < 20; index++) recorder.record(event({ name: `pod-${index}` }));
    await clock.advance(1);
    assert.equal(sent.length, 5);
    await clock.advance(1000);
    assert.equal(sent.length, 15);
  });

  it('tries again what may succeed later, under the same name, and takes its existence for success', async () => {
    const test = recording();
    const { clock, recorder, sent, observations, start } = test;
    const answers = [refused(503, 'ServiceUnavailable'), refused(409, 'AlreadyExists')];
    test.answer = () => answers.shift();
    start();
    recorder.record(event());
    await clock.advance(10_000);
    assert.deepEqual(types(observations), ['created']);
    assert.equal(sent[0]?.body.metadata.name, sent[1]?.body.metadata.name);
  });

  it('gives up after three tries, or at once when the server will not have it, and goes on with the next', async () => {
    const test = recording();
    const { clock, recorder, observations, start } = test;
    test.answer = ({ path }) =>
      path.includes('/down/')
        ? refused(500, 'InternalError')
        : path.includes('/no/')
          ? refused(403, 'Forbidden')
          : undefined;
    start();
    for (const namespace of ['down', 'no', 'fine']) {
      recorder.record(event({ regarding: { apiVersion: 'v1', kind: 'Pod', namespace, name: 'p', uid: namespace } }));
    }
    await clock.advance(60_000);
    assert.deepEqual(types(observations), ['failed', 'failed', 'created']);
    assert.equal(test.sent.filter(({ path }) => path.includes('/down/')).length, 3);
  });

  it('begins anew when an event could not be created', async () => {
    const test = recording();
    const { clock, recorder, sent, start } = test;
    test.answer = () => (sent.length === 1 ? refused(403, 'Forbidden') : undefined);
    start();
    recorder.record(event());
    await clock.advance(1);
    recorder.record(event());
    await clock.advance(1);
    assert.deepEqual(
      sent.map(({ method }) => method),
      ['POST', 'POST'],
    );
  });

  it('ends when its signal aborts, idle or in the middle of a retry', async () => {
    const test = recording();
    const { clock, recorder, start } = test;
    const idle = start();
    await clock.advance(1);
    idle.stop();
    await idle.finished;
    test.answer = () => refused(500, 'InternalError');
    const busy = start();
    recorder.record(event());
    await clock.advance(1);
    busy.stop();
    await busy.finished;
    assert.equal(clock.sleeping, 0);
  });
});
