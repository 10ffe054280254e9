import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { ADMIN_TOKEN, KEY, type RelayProcess, relayConfig, relayFolder } from '../helpers/relay-process.ts';
import { until } from '../helpers/until.ts';

let simulator: Simulator;
let folder: ReturnType<typeof relayFolder>;
let relay: RelayProcess;

beforeEach(async () => {
  simulator = await startSimulator();
  folder = relayFolder(relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl() }));
  relay = await folder.start();
});
afterEach(async () => {
  await folder.remove();
  await simulator.close();
});

/** Starts a request whose body never ends. */
function postIncomplete(url: string, headers: Record<string, string>): void {
  const type = { 'content-type': 'application/json', 'content-length': '1000' };
  const incomplete = request(url, { method: 'POST', headers: { ...type, ...headers } });
  incomplete.on('error', () => undefined);
  incomplete.write('{"eventName":');
}

function messages() {
  return relay.log.map((line) => line['msg']);
}

describe('shutdown', () => {
  it('is clean and in time although the inlet hangs and both ports have incomplete requests', async () => {
    simulator.setFaults([{ on: 'inlet', then: { hang: true } }]);
    const answer = await relay.post(transactionAdded(1));
    const { receipt } = (await answer.json()) as { receipt: string };
    await until(() => simulator.stats().maxConcurrent > 0);
    postIncomplete(`${relay.intakeUrl}/webhooks/acme`, { 'x-relay-key': KEY });
    postIncomplete(`${relay.adminUrl}/admin/v1/dead-letters/replay`, {
      authorization: `Bearer ${ADMIN_TOKEN}`,
    });
    const signalled = Date.now();
    expect(await relay.stop('SIGTERM')).toBe(0);
    expect(Date.now() - signalled).toBeLessThan(10_000);
    expect(messages()).toContain('stopped');
    simulator.setFaults([]);
    relay = await folder.start();
    await until(async () => (await relay.admin(`/admin/v1/events/${receipt}`)).body.state === 'delivered');
  });

  it('is immediate after a second signal', async () => {
    simulator.setFaults([{ on: 'inlet', then: { hang: true } }]);
    await relay.post(transactionAdded(1));
    await until(() => simulator.stats().maxConcurrent > 0);
    const ended = relay.stop('SIGTERM');
    await until(() => messages().includes('shutting down'));
    process.kill(relay.pid, 'SIGTERM');
    expect(await ended).not.toBe(0);
    expect(messages()).not.toContain('stopped');
  });
});
