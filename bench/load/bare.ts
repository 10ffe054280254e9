import fastify from 'fastify';
import { createSourceVerifier } from '../../src/sources/source-table.ts';
import { serverLimits } from '../../src/http/server-limits.ts';

/*
 * What a webhook costs at the least: a Fastify route with the same limits and body parser, the same verification and JSON.parse, and the
 * same answer; nothing is kept.
 */

/** As long as a real one. */
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
