import { readFile } from 'node:fs/promises';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { parse } from 'yaml';

/** Two folders up, both from src/admin and from dist/admin. */
const CONTRACT_FILE = new URL('../../openapi.yaml', import.meta.url);

/** The page has images inside its style sheet (`data:`), and connects to this port only. */
const PAGE_POLICY = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self'",
  'img-src': "'self' data:",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
};

async function loadContract() {
  const yaml = await readFile(CONTRACT_FILE, 'utf8');
  const document = parse(yaml) as Record<string, unknown>;
  // The page sends its requests to the host and port that it was loaded from.
  const page = { ...document, servers: [{ url: '/', description: 'Admin port' }] };
  return { yaml, json: JSON.stringify(document), page };
}

let contract: ReturnType<typeof loadContract> | undefined;

/** Loaded once per process: parsing takes tens of ms. */
function cachedContract(): ReturnType<typeof loadContract> {
  return (contract ??= loadContract());
}

/**
 * The API description of both ports, `openapi.yaml`, as YAML, as JSON and as a page under `/docs/`.
 * Without authentication, because it contains nothing about this relay. Requests sent from the page
 * need the token like any other.
 */
export async function openapiRoutes(app: FastifyInstance): Promise<void> {
  const { yaml, json, page } = await cachedContract();

  app.route({
    method: 'GET',
    url: '/openapi.yaml',
    handler: async (_request, reply) => reply.type('text/yaml; charset=utf-8').send(yaml),
  });
  app.route({
    method: 'GET',
    url: '/openapi.json',
    handler: async (_request, reply) => reply.type('application/json; charset=utf-8').send(json),
  });

  await app.register(swagger, { mode: 'static', specification: { document: page as never } });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: PAGE_POLICY,
    theme: { title: 'Capillary to AEP relay' },
    uiConfig: { layout: 'BaseLayout', docExpansion: 'list', deepLinking: true },
  });
}
