import type { Tracing, TracingOptions } from './tracing.ts';

/** Starts to send traces. The OpenTelemetry libraries are loaded here and not before: most operators run without. */
export async function startTracing(options: TracingOptions): Promise<Tracing> {
  const { otlpTracing } = await import('./otlp.ts');
  return otlpTracing(options);
}
