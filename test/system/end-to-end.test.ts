import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { pointsIssued, transactionAdded } from '../fixtures/events.ts';
import { contractFetch } from '../helpers/contract-check.ts';
import { type RelayConfig, type RelayProcess, relayConfig, relayFolder } from '../helpers/relay-process.ts';
import { until } from '../helpers/until.ts';

let simulator: Simulator;
let folder: ReturnType<typeof relayFolder>;

function prepare(change: (config: RelayConfig) => void = () => undefined): void {
  const config = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl() });
  change(config);
  folder = relayFolder(config);
}
beforeEach(async () => {
  simulator = await startSimulator();
});
afterEach(async () => {
  await folder.remove();
  await simulator.close();
});

async function send(relay: RelayProcess, event: object): Promise<string> {
  const answer = await relay.post(event);
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { receipt: string }).receipt;
}
function whenInState(relay: RelayProcess, receipt: string, state: string) {
  return until(async () => {
    const { body } = await relay.admin(`/admin/v1/events/${receipt}`);
    return body.state === state && body;
  });
}
function landed() {
  return simulator.landed({ kind: 'event' });
}

describe('the built relay, end to end', () => {
  it('accepts an event over HTTP, delivers it to Adobe and shows its timeline', async () => {
    prepare();
    const relay = await folder.start();
    const receipt = await send(relay, pointsIssued(1, 145));
    const record = await whenInState(relay, receipt, 'delivered');
    expect(record).toMatchObject({
      verifiedBy: 'header:x-relay-key',
      delivered: expect.arrayContaining(['event', 'profile']),
    });
    expect(record.timeline.map((entry: { what: string }) => entry.what)).toEqual([
      'received',
      'verified',
      'attempt',
      'attempt',
      'settled',
    ]);
    expect(record.timeline[2].xactionId).toMatch(/-0$/);
    expect(landed()).toMatchObject([
      { eventType: 'loyalty.pointsIssued', dropped: [], flowId: 'events-flow' },
    ]);
    expect(simulator.landed({ kind: 'profile' })).toMatchObject([
      { dropped: [], entity: { loyalty: { points: 145 } } },
    ]);
  });

  it('reports which fields of an event the mapping dropped', async () => {
    prepare();
    const relay = await folder.start();
    const receipt = await send(relay, transactionAdded(1, { currencyCode: 'pound', shelf: 'Top 4' }));
    const { notes } = await whenInState(relay, receipt, 'delivered');
    expect(notes).toMatchObject([{ kind: 'dropped', path: 'data.currencyCode', code: 'wrong-pattern' }]);
    const { body } = await relay.admin('/admin/v1/coverage');
    expect(body.events).toMatchObject([
      { eventName: 'transactionAdded', events: 1, fields: [{ path: 'data.shelf', example: 'Xxx 9' }] },
    ]);
    const metrics = await (await contractFetch(`${relay.adminUrl}/metrics`)).text();
    expect(metrics).toContain(
      'relay_mapping_notes_total{event_name="transactionAdded",kind="dropped",code="wrong-pattern"} 1',
    );
  });

  it('delivers an event once, however often it is sent', async () => {
    prepare();
    const relay = await folder.start();
    const event = transactionAdded(2);
    const answers = await Promise.all(Array.from({ length: 20 }, () => relay.post(event)));
    const bodies = (await Promise.all(answers.map((answer) => answer.json()))) as {
      status: string;
      receipt: string;
    }[];
    expect(bodies.filter((body) => body.status === 'accepted')).toHaveLength(1);
    expect(new Set(bodies.map((body) => body.receipt)).size).toBe(1);
    await whenInState(relay, bodies[0]!.receipt, 'delivered');
    expect(landed()).toHaveLength(1);
  });

  it('moves an event that Adobe refuses to dead letters, and delivers it on replay', async () => {
    prepare();
    simulator.setFaults([
      { on: 'batch', times: 1, then: { items: { status: 400, message: 'no such field' } } },
    ]);
    const relay = await folder.start();
    const receipt = await send(relay, transactionAdded(3));
    const dead = await whenInState(relay, receipt, 'dead');
    expect(dead.detail).toContain('no such field');
    expect(dead.sent[0].message.body.xdmEntity._id).toMatch(/^cap-[0-9a-f]{40}$/);
    const replayed = await relay.admin('/admin/v1/dead-letters/replay', {
      method: 'POST',
      body: JSON.stringify({ receipts: [receipt] }),
    });
    expect(replayed).toMatchObject({ status: 200, body: { matched: 1, replayed: 1 } });
    await whenInState(relay, receipt, 'delivered');
    expect(landed().map((record) => record.id)).toEqual([dead.sent[0].message.body.xdmEntity._id]);
    expect((await relay.admin('/admin/v1/ledger')).body).toMatchObject({
      accepted: 1,
      delivered: 1,
      dead: 0,
      balanced: true,
    });
  });

  it('accepts webhooks while Adobe is down, and catches up afterwards', async () => {
    prepare();
    simulator.setFaults([{ on: 'any', then: { status: 503 } }]);
    const relay = await folder.start();
    for (let customer = 0; customer < 30; customer += 1) await send(relay, transactionAdded(customer));
    expect((await relay.admin('/admin/v1/ledger')).body).toMatchObject({ accepted: 30, pending: 30 });
    simulator.setFaults([]);
    await until(async () => (await relay.admin('/admin/v1/ledger')).body.delivered === 30);
    expect(new Set(landed().map((record) => record.id)).size).toBe(30);
  });

  it('loses no acknowledged event when it is killed', async () => {
    // Half of all requests fail at random; with the default of 3 attempts some events would count
    // as poison.
    prepare(({ destinations: [destination] }) => {
      if (destination) destination['retry'] = { minDelay: '50ms', maxDelay: '400ms', poisonAttempts: 50 };
    });
    simulator.setFaults([{ on: 'batch', probability: 0.5, then: { reset: 'before', landed: true } }]);
    let answered = 0;
    for (let kills = 0; kills < 3; kills += 1) {
      const relay = await folder.start();
      for (let customer = 0; customer < 25; customer += 1) {
        await send(relay, transactionAdded(customer));
        answered += 1;
      }
      await relay.stop('SIGKILL');
    }
    simulator.setFaults([]);
    const relay = await folder.start();
    await until(async () => (await relay.admin('/admin/v1/ledger')).body.pending === 0);
    expect((await relay.admin('/admin/v1/ledger')).body).toMatchObject({
      accepted: answered,
      delivered: answered,
      balanced: true,
    });
    expect(new Set(landed().map((record) => record.id)).size).toBe(answered);
  });

  it('shuts down cleanly on SIGTERM during an outage, and resumes after the restart', async () => {
    prepare();
    simulator.setFaults([{ on: 'inlet', then: { status: 503 } }]);
    const first = await folder.start();
    const receipt = await send(first, transactionAdded(4));
    expect(await first.stop('SIGTERM')).toBe(0);
    simulator.setFaults([]);
    const second = await folder.start();
    await whenInState(second, receipt, 'delivered');
  });

  it('refuses a data folder that another process uses, and names the reason', async () => {
    prepare();
    await folder.start();
    await expect(folder.start()).rejects.toThrow(/another|in use/i);
  });
});
