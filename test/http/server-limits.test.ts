import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AdminRig, KEY, ledgerOf, startAdminRig } from '../admin/admin-rig.ts';
import { transactionAdded } from '../fixtures/events.ts';

/** Requests on one connection: one more than the port answers. */
const REQUESTS = 10_001;
const GET = 'GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n';

let rig: AdminRig;
beforeAll(async () => {
  rig = await startAdminRig();
});
afterAll(() => rig.close());

function webhook(number: number): string {
  const body = JSON.stringify(transactionAdded(number));
  const lines = ['POST /webhooks/acme HTTP/1.1', 'Host: a', `X-Relay-Key: ${KEY}`];
  return [...lines, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
}

/**
 * Pipelines the requests and reads all answers until the server closes the connection.
 * @throws Error if it is reset
 */
async function pipelineRequests(port: number, requests: string): Promise<readonly string[]> {
  const socket = connect(port, '127.0.0.1');
  socket.write(requests);
  let answers = '';
  for await (const chunk of socket) answers += String(chunk);
  return answers.split('HTTP/1.1 ').slice(1);
}

describe.each(['admin', 'intake'] as const)('a connection of the %s port', (name) => {
  it('is closed after 10,000 answers, and the last one announces it', async () => {
    const { port } = rig[name].server.address() as AddressInfo;
    const answers = await pipelineRequests(port, GET.repeat(REQUESTS));
    expect(answers).toHaveLength(REQUESTS - 1);
    expect(new Set(answers.map((answer) => answer.slice(0, 3)))).toEqual(new Set(['404']));
    expect(answers.findIndex((answer) => /^connection: close/im.test(answer))).toBe(REQUESTS - 2);
  });
});

it('webhooks after 10,000 requests are not stored, and all answers arrive before', async () => {
  const { port } = rig.intake.server.address() as AddressInfo;
  const beyond = Array.from({ length: 3_000 }, (_, number) => webhook(number)).join('');
  const answers = await pipelineRequests(port, GET.repeat(REQUESTS - 3) + webhook(1) + webhook(2) + beyond);
  expect(answers).toHaveLength(REQUESTS - 1);
  expect(answers.slice(-2).map((answer) => answer.slice(0, 3))).toEqual(['200', '200']);
  expect(await ledgerOf(rig)).toMatchObject({ accepted: 2 });
});
