import { readFile } from 'node:fs/promises';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { parse } from 'yaml';

/** Two folders up from src/admin and from dist/admin alike. */
const FILE = new URL('../../openapi.yaml', import.meta.url);

/** The page shows pictures that its stylesheet holds, and asks nobody but this port. */
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

async function read() {
  const yaml = await readFile(FILE, 'utf8');
  const document = parse(yaml) as Record<string, unknown>;
  // The page calls the port it came from, under whatever name and number that was reached.
  const page = { ...document, servers: [{ url: '/', description: 'Admin port' }] };
  return { yaml, json: JSON.stringify(document), page };
}

let contract: ReturnType<typeof read> | undefined;

/** Read once in a process: parsing it takes tens of ms. */
function readContract(): ReturnType<typeof read> {
  return (contract ??= read());
}

/**
 * The contract of both ports, `openapi.yaml`, as it is and as JSON, and `/docs/` to read it. Open to everybody who reaches the port: it says
 * nothing of this relay. What is tried from the page needs the token like any other call.
 */
export async function contractRoutes(app: FastifyInstance): Promise<void> {
  const { yaml, json, page } = await readContract();

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
