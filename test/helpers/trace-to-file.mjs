// Preload of a relay with tracing, for NODE_OPTIONS=--import: registers an SDK as an operator's
// file would, but writes the spans to TRACE_FILE, one JSON object per line.
import { appendFileSync } from 'node:fs';
import { NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';

const file = process.env['TRACE_FILE'] ?? '';

const line = (span) => {
  const { traceId, spanId } = span.spanContext();
  const { name, kind, attributes, status, parentSpanContext, links, events } = span;
  const linked = links.map(({ context }) => context.spanId);
  return `${JSON.stringify({ name, kind, traceId, spanId, parent: parentSpanContext?.spanId, linked, attributes, status, events })}\n`;
};

const exporter = {
  export(spans, done) {
    for (const span of spans) appendFileSync(file, line(span));
    done({ code: 0 });
  },
  shutdown: async () => undefined,
};

new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
