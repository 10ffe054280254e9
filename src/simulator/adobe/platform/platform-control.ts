import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { SimulatorState } from '../simulator-state.ts';
import { PERMISSIONS } from './permissions.ts';
import { platformSummary } from './platform-summary.ts';

const permissionsSchema = z.record(
  z.string().min(1),
  z.union([z.literal('none'), z.array(z.enum(PERMISSIONS))], {
    error: `must be none or a list of ${PERMISSIONS.join(', ')}`,
  }),
);

function bodyOf({ body }: FastifyRequest): unknown {
  try {
    return JSON.parse(Buffer.isBuffer(body) ? body.toString() : '');
  } catch {
    return undefined;
  }
}

/** Replaces what clients may do. Answers 400 with every issue if the body is invalid. */
function setPermissions(request: FastifyRequest, reply: FastifyReply, state: SimulatorState): unknown {
  const read = permissionsSchema.safeParse(bodyOf(request));
  if (!read.success) {
    const issues = read.error.issues.map(({ path, message }) => `${path.join('.') || '(top)'}: ${message}`);
    return reply.code(400).send({ error: 'bad-permissions', issues });
  }
  state.platform.setPermissions(read.data);
  return { permissions: read.data };
}

/** The control API of the platform's objects and permissions. docs/simulator.md describes it. */
export function registerPlatformControl(app: FastifyInstance, state: SimulatorState): void {
  app.get('/_sim/platform', async () => platformSummary(state.platform));
  app.post('/_sim/platform/permissions', async (request, reply) => setPermissions(request, reply, state));
}
