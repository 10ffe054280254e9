import { readFile } from 'node:fs/promises';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { ProblemError, sendProblem } from '../http/problems.ts';
import { packageFile } from '../version.ts';

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
  const { parse } = await import('yaml');
  const yaml = await readFile(packageFile('openapi.yaml'), 'utf8');
  return { yaml, document: parse(yaml) as Record<string, unknown> };
}

/** An app of its own, which answers only requests that `openapiRoutes` passes on. */
async function loadPage(contract: ReturnType<typeof loadContract>): Promise<FastifyInstance> {
  const { default: swagger } = await import('@fastify/swagger');
  const { default: swaggerUi } = await import('@fastify/swagger-ui');
  const { document } = await contract;
  const page = fastify();
  page.setErrorHandler((error: Error, _request, reply) => sendProblem(error, reply));
  page.setNotFoundHandler(() => {
    throw new ProblemError('not-found', 'GET /openapi.yaml lists the paths');
  });
  // The page sends its requests to the host and port that it was loaded from.
  const shown = { ...document, servers: [{ url: '/', description: 'Admin port' }] };
  await page.register(swagger, { mode: 'static', specification: { document: shown as never } });
  await page.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: PAGE_POLICY,
    theme: { title: 'Capillary to AEP relay' },
    uiConfig: { layout: 'BaseLayout', docExpansion: 'list', deepLinking: true },
  });
  return page;
}

/** Calls once, when first needed, and again after a failure. */
function lazy<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => {
    loaded ??= load().catch((error: unknown) => {
      loaded = undefined;
      throw error;
    });
    return loaded;
  };
}

/** Once per process: parsing takes tens of ms, and the page's packages take as long to load. */
const contract = lazy(loadContract);
const page = lazy(() => loadPage(contract()));

async function showPage({ method, url }: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const app = await page();
  const answer = await app.inject({ method: method === 'HEAD' ? 'HEAD' : 'GET', url });
  return reply.code(answer.statusCode).headers(answer.headers).send(answer.rawPayload);
}

/**
 * The API description of both ports, `openapi.yaml`, as YAML, as JSON and as a page under `/docs/`.
 * Without authentication, because it contains nothing about this relay. Requests sent from the page
 * need the token like any other. All is loaded by the first request, because few processes get one.
 */
export async function openapiRoutes(app: FastifyInstance): Promise<void> {
  app.route({
    method: 'GET',
    url: '/openapi.yaml',
    handler: async (_request, reply) => reply.type('text/yaml; charset=utf-8').send((await contract()).yaml),
  });
  app.route({
    method: 'GET',
    url: '/openapi.json',
    handler: async (_request, reply) =>
      reply.type('application/json; charset=utf-8').send(JSON.stringify((await contract()).document)),
  });
  app.route({ method: 'GET', url: '/docs', handler: showPage });
  app.route({ method: 'GET', url: '/docs/*', handler: showPage });
}
