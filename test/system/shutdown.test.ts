import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { KEY, type RelayProcess, relayConfig, relayFolder } from '../helpers/relay-process.ts';
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

const messages = () => relay.log.map((line) => line['msg']);

describe('the end of the process', () => {
  it('comes in time and in good order though the inlet hangs and a webhook trickles in', async () => {
    simulator.setFaults([{ on: 'inlet', then: { hang: true } }]);
    const answer = await relay.post(transactionAdded(1));
    const { receipt } = (await answer.json()) as { receipt: string };
    await until(() => simulator.stats().maxConcurrent > 0);
    const { port } = new URL(relay.intakeUrl);
    const headers = { 'x-relay-key': KEY, 'content-length': '1000' };
    const trickle = request({ port, method: 'POST', path: '/webhooks/acme', headers });
    trickle.on('error', () => undefined);
    trickle.write('{"eventName":');
    const began = Date.now();
    expect(await relay.end('SIGTERM')).toBe(0);
    expect(Date.now() - began).toBeLessThan(10_000);
    expect(messages()).toContain('stopped');
    simulator.setFaults([]);
    relay = await folder.start();
    await until(async () => (await relay.admin(`/admin/v1/events/${receipt}`)).body.state === 'delivered');
  });

  it('comes at once at a second signal', async () => {
    simulator.setFaults([{ on: 'inlet', then: { hang: true } }]);
    await relay.post(transactionAdded(1));
    await until(() => simulator.stats().maxConcurrent > 0);
    const ended = relay.end('SIGTERM');
    await until(() => messages().includes('shutting down'));
    process.kill(relay.pid, 'SIGTERM');
    expect(await ended).not.toBe(0);
    expect(messages()).not.toContain('stopped');
  });
});
