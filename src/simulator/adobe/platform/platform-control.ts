import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { SimulatorState } from '../simulator-state.ts';
import { PERMISSIONS } from './permissions.ts';
import type { JsonObject } from '../../../capillary/json.ts';
import { datasetUses } from './dataset-tags.ts';
import type { PlatformState } from './platform-state.ts';
import type { Sandbox, TwinFlowObject } from './sandbox.ts';
import { classOf, hasUnionTag } from './schema-fields.ts';
import { referencesOf } from './schema-merge.ts';

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

function flowObjects(objects: ReadonlyMap<string, TwinFlowObject>): JsonObject[] {
  return [...objects.values()].map(({ id, state, body }) => ({ id, name: body['name'] ?? '', state }));
}

function sandboxSummary(sandbox: Sandbox): JsonObject {
  const { namespaces, fieldGroups, schemas, datasets, connections } = sandbox;
  return {
    name: sandbox.name,
    namespaces: namespaces
      .filter(({ custom }) => custom)
      .map(({ id, code, name, idType }) => ({ id, code, name, idType })),
    fieldGroups: [...fieldGroups.values()].map(({ id, version, body }) => ({
      id,
      title: body['title'] ?? '',
      version,
    })),
    schemas: [...schemas.values()].map(({ id, version, body }) => ({
      id,
      title: body['title'] ?? '',
      version,
      class: classOf(sandbox, body) ?? '',
      references: [...referencesOf(body)],
      union: hasUnionTag(body),
    })),
    descriptors: [...sandbox.descriptors.values()],
    datasets: [...datasets.values()].map((dataset) => ({
      id: dataset.id,
      name: dataset.name,
      schemaId: dataset.schemaId,
      version: dataset.version,
      state: dataset.body['state'] ?? '',
      ...datasetUses(dataset),
    })),
    connections: [...connections.values()].map(({ id, state, body, inletId }) => ({
      id,
      name: body['name'] ?? '',
      state,
      inletId,
    })),
    sourceConnections: flowObjects(sandbox.sourceConnections),
    targetConnections: flowObjects(sandbox.targetConnections),
    flows: flowObjects(sandbox.flows),
    mappingSets: [...sandbox.mappingSets.keys()],
    batches: sandbox.batches.length,
    runs: sandbox.runs.length,
  };
}

/** The objects of the organisation by sandbox, for tests and people. Adobe's own are left out. */
function platformSummary(platform: PlatformState): JsonObject {
  return {
    tenantId: platform.settings.tenantId,
    sandboxes: platform.sandboxes().map(sandboxSummary),
  };
}

const notificationsSchema = z
  .strictObject({
    url: z.url(),
    clientId: z.string().min(1),
    form: z.enum(['event', 'cloud']).optional(),
  })
  .nullable();

/** Where batches are reported from now on; null ends it. Answers 400 if the body is invalid. */
function setNotifications(request: FastifyRequest, reply: FastifyReply, state: SimulatorState): unknown {
  const read = notificationsSchema.safeParse(bodyOf(request));
  if (!read.success) {
    const issues = read.error.issues.map(({ path, message }) => `${path.join('.') || '(top)'}: ${message}`);
    return reply.code(400).send({ error: 'bad-notifications', issues });
  }
  state.notifications.set(read.data ?? undefined);
  return { notifications: read.data };
}

/** The control API of the platform's objects and permissions. docs/simulator.md describes it. */
export function registerPlatformControl(app: FastifyInstance, state: SimulatorState): void {
  app.get('/_sim/platform', async () => platformSummary(state.platform));
  app.get('/_sim/notifications', async () => ({ sent: state.notifications.sent() }));
  app.post('/_sim/notifications', async (request, reply) => setNotifications(request, reply, state));
  app.get('/prod/keys/:name', async (request, reply) => {
    const key = state.notifications.publicKey(request.url);
    return key === undefined ? reply.code(404).send() : reply.type('application/x-pem-file').send(key);
  });
  app.post('/_sim/platform/permissions', async (request, reply) => setPermissions(request, reply, state));
}
