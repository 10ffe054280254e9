import { METHODS } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AdminRig, startAdminRig } from '../admin/admin-rig.ts';
import { sendBytes } from '../system/tcp-client.ts';

let rig: AdminRig;
beforeAll(async () => {
  rig = await startAdminRig();
});
afterAll(() => rig.close());

/** Sends a request, with a body of a type that no route reads. */
async function ask(port: 'admin' | 'intake', method: string, target: string) {
  const lines = ['Host: localhost', 'Content-Type: x/y', 'Content-Length: 2', 'Connection: close'];
  const text = await sendBytes(
    rig[port].listeningOrigin,
    [`${method} ${target} HTTP/1.1`, ...lines, '', '{}'].join('\r\n'),
  );
  const [head = '', body] = text.split('\r\n\r\n');
  return {
    status: Number(/^HTTP\/1.1 (\d+)/.exec(head)?.[1]),
    allow: /^allow: (.*)/im.exec(head)?.[1],
    type: /^content-type: ([^;\r]*)/im.exec(head)?.[1],
    code: body ? JSON.parse(body).code : undefined,
  };
}

/** All methods of HTTP that Node can read; CONNECT has no path. */
const ALL = METHODS.filter((method) => method !== 'CONNECT');

const PATHS = [
  ['admin', '/livez', ['GET', 'HEAD']],
  ['admin', '/readyz/', ['GET', 'HEAD']],
  ['admin', '/metrics', ['GET', 'HEAD']],
  ['admin', '/openapi.yaml', ['GET', 'HEAD']],
  ['admin', '/docs/static/index.css', ['GET', 'HEAD']],
  ['admin', '/admin/v1/events/x/replay?asNew=true', ['POST']],
  ['admin', 'http://localhost/livez', ['GET', 'HEAD']],
  ['intake', '/', ['GET', 'HEAD']],
  ['intake', '/webhooks/acme', ['POST', 'PUT']],
  ['intake', '/webhooks/acme/', ['POST', 'PUT']],
  ['intake', 'http://relay/webhooks/acme?a=b', ['POST', 'PUT']],
] as const;

describe.each(PATHS)('the %s port: %s', (port, target, allowed) => {
  it('answers every other method with 405 and the allowed ones', async () => {
    const refused = ALL.filter((method) => !(allowed as readonly string[]).includes(method));
    for (const method of refused) {
      expect({ method, ...(await ask(port, method, target)) }).toEqual({
        method,
        status: 405,
        allow: allowed.join(', '),
        type: 'application/problem+json',
        code: method === 'HEAD' ? undefined : 'method-not-allowed',
      });
    }
  });
});

describe.each(['admin', 'intake'] as const)('the %s port: a path that does not exist', (port) => {
  it.each(['/nothing', '/webhooks', '/webhooks/acme/more'])('%s is answered with 404', async (target) => {
    for (const method of ALL) {
      const { status, code } = await ask(port, method, target);
      expect([method, status, code]).toEqual([method, 404, method === 'HEAD' ? undefined : 'not-found']);
    }
  });
});
