import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { isRelayAt, portFindings } from '../../src/cli/doctor/port-findings.ts';
import { configOf, smallestWith } from '../config/config-text.ts';

/** @returns its port */
async function answering(body: object): Promise<number> {
  const server = createServer((_request, response) => response.end(JSON.stringify(body)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

it('knows a relay without a storage thread, which is one on PostgreSQL, by its /livez', async () => {
  const relay = await answering({ status: 'ok', checks: [{ name: 'event-loop', ok: true }] });
  expect(await isRelayAt(`http://127.0.0.1:${relay}`)).toBe(true);
  const other = await answering({ status: 'ok' });
  expect(await isRelayAt(`http://127.0.0.1:${other}`)).toBe(false);
});

it('finds no fault with ports that the running relay uses', async () => {
  const port = await answering({});
  const { server, admin } = configOf(
    smallestWith([['server'], { host: '127.0.0.1', port }], [['admin'], { port: 0 }]),
  );
  expect(await portFindings({ server, admin }, true)).toMatchObject([{ level: 'ok' }, { level: 'ok' }]);
  expect(await portFindings({ server, admin }, false)).toMatchObject([{ level: 'fail' }, { level: 'ok' }]);
});
