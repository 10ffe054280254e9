import { Agent, request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { type KeptAlive, postWith } from '../helpers/kept-connections.ts';
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

/** An event with a large body. */
function largeEvent(number: number): object {
  return { ...transactionAdded(number), more: 'x'.repeat(500_000) };
}

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
  it('announces to senders with kept connections that they are closed', async () => {
    const agents = Array.from({ length: 8 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    for (const [index, agent] of agents.entries())
      expect(await postWith(agent, relay.intakeUrl, largeEvent(index))).toEqual({
        status: 200,
        connection: 'keep-alive',
      });
    /** Sends one event after the other until the connection is announced to be closed. */
    const sendAll = async (agent: Agent, index: number): Promise<KeptAlive> => {
      for (let number = 100 + index; ; number += agents.length) {
        const answer = await postWith(agent, relay.intakeUrl, largeEvent(number));
        if (answer.connection === 'close') return answer;
      }
    };
    const last = Promise.all(agents.map(sendAll));
    const ended = relay.stop('SIGTERM');
    expect(new Set((await last).map(({ status }) => status))).toEqual(new Set([503]));
    expect(await ended).toBe(0);
    for (const agent of agents) agent.destroy();
  });

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

  it('leaves a log whose lines stand for every webhook, also for those of its last second', async () => {
    const sent = 150;
    const answers = await Promise.all(
      Array.from({ length: sent }, (_, at) => relay.post(transactionAdded(at))),
    );
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(await relay.stop('SIGTERM')).toBe(0);
    const lines = relay.log.filter(({ outcome }) => outcome === 'accepted');
    expect(lines.length).toBeLessThan(sent);
    expect(lines.reduce((sum, { count = 1 }) => sum + Number(count), 0)).toBe(sent);
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
