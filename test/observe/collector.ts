import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A span as it arrives. */
export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty or absent for the first of its trace. */
  readonly parentSpanId?: string;
  /** Milliseconds. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** What went wrong; undefined when nothing did. */
  readonly failure: string | undefined;
  /** Of the process that sent it. */
  readonly resource: Readonly<Record<string, string | number>>;
}

/** An OpenTelemetry collector on the loopback interface, as far as traces go. */
export interface Collector {
  readonly endpoint: string;
  /** Everything that has arrived. */
  readonly spans: readonly ReceivedSpan[];
  /** Headers of the latest request. */
  readonly headers: Readonly<Record<string, unknown>>;
  close(): Promise<void>;
}

type Attributes = readonly { readonly key: string; readonly value: Readonly<Record<string, string | number>> }[];

interface Message {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Attributes };
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly name: string;
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly startTimeUnixNano: string;
        readonly endTimeUnixNano: string;
        readonly attributes: Attributes;
        readonly status: { readonly code: number; readonly message?: string };
      }[];
    }[];
  }[];
}

/** The code of OTLP for a span that failed. */
const failed = 2;

/** Starts a collector. @param answer the HTTP status that it gives to whoever sends something */
export async function startCollector(answer = 200): Promise<Collector> {
  const spans: ReceivedSpan[] = [];
  let headers: Collector['headers'] = {};
  const receive = async (request: IncomingMessage): Promise<void> => {
    headers = request.headers;
    const body = await text(request);
    if (request.url === '/v1/traces') spans.push(...spansOf(JSON.parse(body) as Message));
  };
  const server = createServer((request, response) => {
    void receive(request).then(() => {
      response.writeHead(request.url === '/v1/traces' ? answer : 404, { 'content-type': 'application/json' });
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    get headers() {
      return headers;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function spansOf({ resourceSpans }: Message): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ startTimeUnixNano, endTimeUnixNano, attributes, status, ...span }) => ({
        ...span,
        start: Number(startTimeUnixNano) / 1e6,
        end: Number(endTimeUnixNano) / 1e6,
        attributes: valuesOf(attributes),
        failure: status.code === failed ? (status.message ?? '') : undefined,
        resource: valuesOf(resource.attributes),
      })),
    ),
  );
}

function valuesOf(attributes: Attributes): Record<string, string | number> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0] ?? '']));
}
