import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AdminRig, startAdminRig } from '../admin/admin-rig.ts';

/** Requests on one connection: one more than the port answers. */
const REQUESTS = 10_001;

let rig: AdminRig;
beforeAll(async () => {
  rig = await startAdminRig();
});
afterAll(() => rig.close());

/** Pipelines the requests and reads all answers until the server closes the connection. */
async function pipelineRequests(port: number): Promise<readonly string[]> {
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(REQUESTS));
  let answers = '';
  for await (const chunk of socket) answers += String(chunk);
  return answers.split('HTTP/1.1 ').slice(1);
}

describe.each(['admin', 'intake'] as const)('a connection of the %s port', (name) => {
  it('is closed after 10,000 answers, and the last one announces it', async () => {
    const answers = await pipelineRequests((rig[name].server.address() as AddressInfo).port);
    expect(answers).toHaveLength(REQUESTS - 1);
    expect(new Set(answers.map((answer) => answer.slice(0, 3)))).toEqual(new Set(['404']));
    expect(answers.findIndex((answer) => /^connection: close/im.test(answer))).toBe(REQUESTS - 2);
  });
});
