import { expect, it } from 'vitest';
import { checkConnection } from '../../src/cli/connection-check.ts';
import { configSchema } from '../../src/config/config-schema.ts';
import { relayConfig } from '../helpers/relay-process.ts';
import { startServer } from '../adobe/scripted-server.ts';

/** The check of an inlet whose server answers an empty batch like this. */
async function answerCheck(status: number, body: string) {
  const server = await startServer((_request, response) => void response.writeHead(status).end(body));
  const plain = relayConfig({ imsUrl: server.origin, inletUrl: `${server.origin}/collection/inlet` });
  plain.store['path'] = '/unused';
  plain.destinations[0]!['authenticated'] = false;
  delete plain.destinations[0]!['ims'];
  const [destination] = configSchema.parse(plain).destinations;
  const checks = await checkConnection(destination!, { sendEmptyBatch: true });
  return checks.find(({ check }) => check === 'answer');
}

it.each([
  [400, '{"status":400,"title":"Invalid","report":{"message":"The messages field is mandatory"}}'],
  [207, '{"inletId":"2f4e","responses":[]}'],
])('%i %s is the inlet’s answer to an empty batch', async (status, body) => {
  expect(await answerCheck(status, body)).toMatchObject({ ok: true });
});

it.each([
  [200, '<html>Sign in</html>', 'Sign in'],
  [204, '', 'an empty answer'],
  [200, '{}', '{}'],
  [302, '', 'an empty answer'],
  [400, '', 'an empty answer'],
  [400, '<html>Bad Request</html>', 'Bad Request'],
  [400, '{"error":"blocked"}', '{"error":"blocked"}'],
  [401, '<html>Sign in</html>', 'Sign in'],
  [403, '<html>Access denied</html>', 'Access denied'],
])('%i %j is the answer of something else, which the check says', async (status, body, text) => {
  const found = await answerCheck(status, body);
  expect(found).toMatchObject({
    ok: false,
    detail: `answered ${status} to an empty batch: ${text} (not Adobe's answer)`,
    fix: expect.stringContaining('proxy'),
  });
  // A 400 is a warning only: Adobe's answer to an empty batch is not documented.
  expect(found?.passing).toBe(status === 400 ? true : undefined);
});
