import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { registerTwinControl } from '../capillary/api/twin-control.ts';
import { registerPlatformControl } from './platform/platform-control.ts';
import { FaultRuleError, parseFaultRules } from './fault-script.ts';
import type { SimulatorState } from './simulator-state.ts';

const DEFAULT_LIMIT = 1_000;
const MAX_LIMIT = 10_000;

function integerUpTo(max: number) {
  return z.coerce.number().int().min(0).max(max).optional();
}

const landedQuery = z.strictObject({
  id: z.string().optional(),
  datasetId: z.string().optional(),
  kind: z.enum(['event', 'profile', 'raw']).optional(),
  dropped: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional(),
  fate: z.enum(['pending', 'ingested', 'failed', 'lost']).optional(),
  since: integerUpTo(Number.MAX_SAFE_INTEGER),
  limit: integerUpTo(MAX_LIMIT),
});

const lakeQuery = landedQuery.omit({ dropped: true, fate: true });

const profilesQuery = z.strictObject({
  namespace: z.string().optional(),
  id: z.string().optional(),
  limit: integerUpTo(MAX_LIMIT),
});

const resetQuery = z.strictObject({ objects: z.enum(['true', 'false']).optional() });

/** Parses the query. Answers 400 with every issue and returns undefined if it is invalid. */
function readQuery<T>(request: FastifyRequest, reply: FastifyReply, schema: z.ZodType<T>): T | undefined {
  const read = schema.safeParse(request.query);
  if (read.success) return read.data;
  void reply.code(400).send({
    error: 'bad-query',
    issues: read.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
  });
  return undefined;
}

function parseBody(body: unknown): unknown {
  try {
    return JSON.parse(String(body));
  } catch {
    throw new FaultRuleError(['(top): the body is not JSON']);
  }
}

function registerViews(app: FastifyInstance, state: SimulatorState): void {
  app.get('/_sim/landed', async (request, reply) => {
    const query = readQuery(request, reply, landedQuery);
    if (query === undefined) return reply;
    const records = state.landed.list({ ...query, limit: query.limit ?? DEFAULT_LIMIT });
    return { records, next: records.at(-1)?.seq ?? query.since ?? 0 };
  });
  app.get('/_sim/lake', async (request, reply) => {
    const query = readQuery(request, reply, lakeQuery);
    if (query === undefined) return reply;
    const records = state.landed.list({ ...query, inLake: true, limit: query.limit ?? DEFAULT_LIMIT });
    return { records, next: records.at(-1)?.seq ?? query.since ?? 0 };
  });
  app.get('/_sim/profiles', async (request, reply) => {
    const query = readQuery(request, reply, profilesQuery);
    if (query === undefined) return reply;
    const { namespace, id, limit = DEFAULT_LIMIT } = query;
    const all = state.profiles.list(Number.MAX_SAFE_INTEGER);
    const matching = all.filter(
      ({ identity }) =>
        identity.namespace === (namespace ?? identity.namespace) && identity.id === (id ?? identity.id),
    );
    return { profiles: matching.slice(0, limit), total: matching.length };
  });
  app.get('/_sim/stats', async () => state.stats());
}

function registerFaults(app: FastifyInstance, state: SimulatorState): void {
  app.get('/_sim/faults', async () => ({ faults: state.faults.list() }));
  app.post('/_sim/faults', async (request, reply) => {
    try {
      state.faults.set(parseFaultRules(parseBody(request.body)));
      return { faults: state.faults.list() };
    } catch (error) {
      if (!(error instanceof FaultRuleError)) throw error;
      return reply.code(400).send({ error: 'bad-faults', issues: error.issues });
    }
  });
  app.delete('/_sim/faults', async () => {
    state.faults.set([]);
    return { faults: [] };
  });
}

/**
 * The control API: views of what landed, faults, revocation, reset. docs/simulator.md describes it.
 */
export function registerControl(app: FastifyInstance, state: SimulatorState): void {
  // People read these answers in a terminal: without a line break the prompt follows the JSON.
  app.addHook('onSend', async (request, _reply, payload) =>
    typeof payload === 'string' && request.url.startsWith('/_sim/') ? `${payload}\n` : payload,
  );
  registerViews(app, state);
  registerFaults(app, state);
  registerPlatformControl(app, state);
  registerTwinControl(app, state.capillary);
  app.post('/_sim/tokens/revoke', async () => ({ revoked: state.tokens.revoke() }));
  app.post('/_sim/reset', async (request, reply) => {
    const query = readQuery(request, reply, resetQuery);
    if (query === undefined) return reply;
    state.reset(query.objects === 'true');
    return { reset: true };
  });
}
