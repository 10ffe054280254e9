import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { isJsonObject, type JsonValue } from '../../../capillary/json.ts';
import type { GeneratedEvent } from '../capillary-events.ts';
import type { CapillaryTwin } from './capillary-twin.ts';
import { type EventRun, namesProblem } from './event-run.ts';

const raiseSchema = z.strictObject({
  count: z.int().min(1).max(1_000_000),
  rate: z.number().positive().max(100_000).optional(),
  names: z.array(z.string().min(1)).min(1).optional(),
  customers: z.int().min(1).max(1_000_000).optional(),
  seed: z.int().min(0).optional(),
  awkward: z.number().min(0).max(1).optional(),
});

function badEvents(reply: FastifyReply, issues: readonly string[]): FastifyReply {
  return reply.code(400).send({ error: 'bad-events', issues });
}

/** The flat event; undefined if it is anything else. */
function eventOf(body: JsonValue): GeneratedEvent | undefined {
  if (!isJsonObject(body) || typeof body.eventName !== 'string') return undefined;
  return {
    name: body.eventName,
    variant: 'plain',
    body: JSON.stringify(body),
    ...(typeof body.eventId === 'string' ? { eventId: body.eventId } : {}),
  };
}

/** Raises given events, which change nothing in the world. */
function raiseGiven(twin: CapillaryTwin, list: readonly JsonValue[], reply: FastifyReply): unknown {
  const events = list.map(eventOf).filter((event) => event !== undefined);
  if (events.length !== list.length) return badEvents(reply, ['must be a list of flat events']);
  for (const event of events) twin.raise(event);
  return { raised: events.length };
}

const NO_WEBHOOK =
  'no active webhook: nothing would be delivered. Make one with `capillary-relay register apply`, or with POST /v3/webHooks';

function startRun(twin: CapillaryTwin, body: JsonValue | undefined, reply: FastifyReply): unknown {
  const read = raiseSchema.safeParse(body);
  if (!read.success)
    return badEvents(
      reply,
      read.error.issues.map(({ path, message }) => `${path.join('.') || '(top)'}: ${message}`),
    );
  const problem = namesProblem(read.data);
  if (problem !== undefined) return badEvents(reply, [problem]);
  if (!twin.webhooks.list(twin.org).some(({ fields }) => fields.active))
    return reply.code(409).send({ error: 'no-webhook', issues: [NO_WEBHOOK] });
  return reply.code(202).send(twin.runs.start(read.data).progress());
}

function parsed(body: unknown): JsonValue | undefined {
  try {
    return JSON.parse(String(body)) as JsonValue;
  } catch {
    return undefined;
  }
}

/** Routes that raise events: given ones, or changes of the world. */
export function registerEventRuns(app: FastifyInstance, twin: CapillaryTwin): void {
  const runOf = (request: FastifyRequest): EventRun | undefined =>
    twin.runs.list().find(({ id }) => id === (request.params as { id: string }).id);

  app.post('/_sim/capillary/events', async (request, reply) => {
    const body = parsed(request.body);
    return Array.isArray(body) ? raiseGiven(twin, body, reply) : startRun(twin, body, reply);
  });
  app.get('/_sim/capillary/events', async () => ({ runs: twin.runs.list().map((run) => run.progress()) }));
  app.get('/_sim/capillary/events/:id', async (request, reply) => {
    const run = runOf(request);
    return run ? run.progress() : reply.code(404).send({ error: 'no-run' });
  });
  app.delete('/_sim/capillary/events/:id', async (request, reply) => {
    const run = runOf(request);
    if (!run) return reply.code(404).send({ error: 'no-run' });
    run.stop();
    return run.progress();
  });
}
