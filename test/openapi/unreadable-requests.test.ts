import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AdminRig, startAdminRig } from '../admin/admin-rig.ts';
import { contractViolation } from '../helpers/openapi.ts';

let rig: AdminRig;
beforeAll(async () => {
  rig = await startAdminRig();
});
afterAll(() => rig.close());

/** Sends raw text and reads until the server closes the connection. */
async function exchange(port: number, text: string): Promise<{ status: number; head: string; body: string }> {
  const socket = connect(port, '127.0.0.1');
  socket.write(text);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  const [head = '', body = ''] = Buffer.concat(chunks).toString().split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), head, body };
}

describe.each(['admin', 'intake'] as const)('the %s port', (name) => {
  const port = () => (rig[name].server.address() as AddressInfo).port;

  it.each([
    ['is not HTTP', 'HELLO\r\n\r\n', 400, 'bad-request'],
    ['has a broken header', 'GET /livez HTTP/1.1\r\nHost: a\r\nno header secret\r\n\r\n', 400, 'bad-request'],
    [
      'has huge headers',
      `GET /livez HTTP/1.1\r\nHost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers-too-large',
    ],
  ])('answers a request that %s with a problem', async (_what, text, status, code) => {
    const answer = await exchange(port(), text);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({ status, code });
    expect(answer.body).not.toContain('secret');
    const headers = new Headers({ 'content-type': /^content-type: (.+)$/im.exec(answer.head)?.[1] ?? '' });
    expect(
      contractViolation({ method: 'GET', path: '/nothing', status, headers, text: answer.body }),
    ).toBeUndefined();
  });
});
