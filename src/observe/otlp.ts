import { setTimeout as sleep } from 'node:timers/promises';

import { diag, DiagLogLevel, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Attributes, Span, SpanOptions } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

import { isFinished, resultOf } from './cycles.ts';
import { describeError } from './errors.ts';
import type { Logger } from './logging.ts';
import type { Tracing, TracingOptions } from './tracing.ts';

/** Some seconds of bindings at full speed; beyond it spans are dropped rather than kept. */
const maxQueueSize = 16_384;
const sendEveryMs = 1000;
const closeLimitMs = 2000;

/** A cycle that took longer is of interest though it decided nothing. */
const longCycleMs = 100;

/** A piece of work that has ended. */
interface Work {
  readonly name: string;
  readonly kind: SpanKind;
  /** Epoch milliseconds. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Attributes;
  /** What went wrong, in a word; undefined when nothing did. */
  readonly failure?: string | undefined;
}

/**
 * Spans in the form of OpenTelemetry, sent as OTLP over HTTP. Observers hear of work when it has ended, so its span begins
 * in the past. The headers that a collector asks for are taken from `OTEL_EXPORTER_OTLP_HEADERS`.
 */
export function otlpTracing({ endpoint, version, instance, logger }: TracingOptions): Tracing {
  diag.setLogger(diagnostics(logger), DiagLogLevel.WARN);
  const exporter = new OTLPTraceExporter({ url: tracesUrl(endpoint) });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': 'moa',
      'service.version': version,
      'service.instance.id': instance,
    }),
    spanProcessors: [new BatchSpanProcessor({ exporter, maxQueueSize, scheduledDelayMillis: sendEveryMs })],
  });
  const tracer = provider.getTracer('moa', version);

  const record = ({ name, kind, start, end, attributes, failure }: Work, parent?: Span): Span => {
    const context = parent === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, parent);
    const options: SpanOptions = { kind, startTime: start, attributes };
    const span = tracer.startSpan(name, options, context);
    if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
    span.end(end);
    return span;
  };

  return {
    request: ({ method, resource, path, stream, status, code, durationMs }) => {
      const end = now();
      const failed = code !== 'OK' && code !== 'Aborted';
      const attributes = {
        'http.request.method': method,
        'url.path': path,
        'k8s.resource': resource,
        ...(status === 0 ? {} : { 'http.response.status_code': status }),
        ...(failed ? { 'error.type': code } : {}),
      };
      record({
        name: `${stream ? 'WATCH' : method} ${resource}`,
        kind: SpanKind.CLIENT,
        start: end - durationMs,
        end,
        attributes,
        failure: failed ? code : undefined,
      });
    },
    reconcile: ({ name, key, outcome, durationMs, error }) => {
      const end = now();
      record({
        name: `reconcile ${name}`,
        kind: SpanKind.INTERNAL,
        start: end - durationMs,
        end,
        attributes: { 'moa.controller': name, 'moa.key': key, 'moa.outcome': outcome },
        failure: error === undefined ? undefined : describeError(error).error,
      });
    },
    cycle: (cycle) => {
      const end = now();
      const { outcome } = cycle;
      const what = { name: 'scheduling cycle', kind: SpanKind.INTERNAL, end };
      if (!isFinished(cycle)) {
        const failure = outcome === 'failed' ? 'the cycle was thrown away' : undefined;
        record({ ...what, start: end, attributes: { 'moa.result': outcome }, failure });
        return;
      }
      const { snapshotMs, planMs, applyMs, admitted, evicted, reserved } = cycle;
      const start = end - snapshotMs - planMs - applyMs;
      if (admitted + evicted === 0 && cycle.whole && end - start < longCycleMs) return;
      const attributes = {
        'moa.result': resultOf(cycle),
        'moa.admitted': admitted,
        'moa.evicted': evicted,
        'moa.reserved': reserved,
      };
      const span = record({ ...what, start, attributes });
      const planned = start + snapshotMs;
      const decided = planned + planMs;
      record({ ...what, name: 'snapshot', start, end: planned, attributes: {} }, span);
      record({ ...what, name: 'plan', start: planned, end: decided, attributes: {} }, span);
      record({ ...what, name: 'apply', start: decided, end, attributes: {} }, span);
    },
    close: async () => {
      const late = new AbortController();
      const sent = provider.shutdown().catch((error: unknown) => logger.warn('traces are lost', { error }));
      await Promise.race([sent, sleep(closeLimitMs, undefined, { signal: late.signal }).catch(() => undefined)]);
      late.abort();
    },
  };
}

/** Epoch milliseconds, finer than one. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

function tracesUrl(endpoint: string): string {
  return `${endpoint.replace(/\/+$/, '')}/v1/traces`;
}

/** What the library has to say: above all that the collector does not answer. */
function diagnostics(logger: Logger) {
  const debug = (message: string): void => logger.debug(message);
  return {
    error: (message: string): void => logger.warn('traces are lost', { error: message }),
    warn: debug,
    info: debug,
    debug,
    verbose: debug,
  };
}
