import fastify from 'fastify';
import { createSourceVerifier } from '../../src/sources/source-table.ts';
import { serverLimits } from '../../src/http/server-limits.ts';

/*
 * The minimum cost of a webhook: a Fastify route with the same limits, body parser, verification,
 * JSON.parse and response as the relay's, but without storage.
 */

/** Has the length of a real one. */
const RECEIPT = '00000000-0000-7000-8000-000000000000';

const [port = '0', ...verifiers] = process.argv.slice(2);
const app = fastify({ ...serverLimits, bodyLimit: 1_048_576 });
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
for (const text of verifiers) {
  const { name, verify } = JSON.parse(text);
  const verifier = createSourceVerifier({ verify, allowFrom: [] });
  app.post(`/webhooks/${name}`, async (request, reply) => {
    const body = request.body as Buffer;
    const verdict = verifier.verify({
      body,
      headers: request.headers,
      rawHeaders: request.raw.rawHeaders,
      ip: request.ip,
      receivedAt: Date.now(),
    });
    if (!verdict.ok) return reply.code(401).send({ reasons: verdict.reasons });
    JSON.parse(body.toString());
    return reply.code(200).send({ status: 'accepted', receipt: RECEIPT });
  });
}
app.get('/up', async () => ({}));
await app.listen({ host: '127.0.0.1', port: Number(port) });
