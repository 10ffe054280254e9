import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { nextEventId, transactionAdded } from '../fixtures/events.ts';
import { contractFetch } from '../helpers/contract-check.ts';
import { KEY, type RelayProcess, relayConfig, relayFolder } from '../helpers/relay-process.ts';
import { until } from '../helpers/until.ts';

let simulator: Simulator;
let folder: ReturnType<typeof relayFolder>;
let relay: RelayProcess;
let customers = 0;

beforeAll(async () => {
  simulator = await startSimulator();
  const config = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl() });
  config.server['trustProxy'] = ['127.0.0.1'];
  config.sources[0]!['allowFrom'] = ['203.0.113.7', '127.0.0.1'];
  folder = relayFolder(config);
  relay = await folder.start();
});
afterAll(async () => {
  await folder.remove();
  await simulator.close();
});

function customerAdded(firstName: string) {
  customers += 1;
  return {
    eventName: 'customerAdded',
    eventId: nextEventId(),
    orgId: 100458,
    createdAt: 1_790_848_801_774,
    data: { firstName, customerIdentifiers: { customerId: customers, instore: {} } },
  };
}

async function post(body: Buffer, headers: Record<string, string>): Promise<any> {
  const answer = await contractFetch(`${relay.intakeUrl}/webhooks/acme`, {
    method: 'POST',
    headers: { 'x-relay-key': KEY, ...headers },
    body: body as NonNullable<RequestInit['body']>,
  });
  expect(answer.status).toBe(200);
  return answer.json();
}

function whenDelivered(receipt: string): Promise<any> {
  return until(async () => {
    const { body } = await relay.admin(`/admin/v1/events/${receipt}`);
    return body.state === 'delivered' && body;
  });
}

/** First names in the profile records that landed for a customer. */
function namesOf(customerId: number): unknown[] {
  return simulator
    .landed({ kind: 'profile' })
    .filter(({ entity }) => JSON.stringify(entity).includes(`"id":"${customerId}"`))
    .map(
      ({ entity }) => (entity['person'] as { name?: { firstName?: unknown } } | undefined)?.name?.firstName,
    );
}

describe('the built relay', () => {
  it.each<[string, (text: string) => Buffer, Record<string, string>, readonly string[]]>([
    ['UTF-8', (text) => Buffer.from(text), {}, []],
    ['declared Latin-1', latin1, { 'content-type': 'application/json; charset=iso-8859-1' }, []],
    ['undeclared Latin-1', latin1, { 'content-type': 'application/json' }, ['not-utf-8']],
    ['compressed Latin-1', (text) => gzipSync(latin1(text)), { 'content-encoding': 'gzip' }, ['not-utf-8']],
    ['UTF-16', (text) => Buffer.from(text, 'utf16le'), { 'content-type': 'application/json' }, []],
  ])(
    'delivers a name with é from %s, and the notes say how it was read',
    async (_name, encode, headers, codes) => {
      const event = customerAdded('José');
      const { receipt } = await post(encode(JSON.stringify(event)), headers);
      const { notes } = await whenDelivered(receipt);
      expect(notes.map(({ code }: { code: string }) => code)).toEqual(codes);
      expect(namesOf(customers)).toEqual(['José']);
    },
  );

  it('delivers each event of an array, and counts them', async () => {
    const before = (await relay.admin('/admin/v1/ledger')).body.accepted;
    const events = [transactionAdded(1), transactionAdded(1), transactionAdded(2)];
    const { receipts } = await post(Buffer.from(JSON.stringify(events)), {});
    for (const receipt of receipts) await whenDelivered(receipt);
    expect((await relay.admin('/admin/v1/ledger')).body.accepted).toBe(before + 3);
    const metrics = await (await contractFetch(`${relay.adminUrl}/metrics`)).text();
    expect(metrics).toContain('relay_accepted_total{source="acme",event_name="transactionAdded"} 3');
    const line = relay.log.find((each) => 'array' in each);
    expect(line).toMatchObject({ array: { events: 3, duplicates: 0, malformed: 0 }, outcome: 'accepted' });
    expect(line).not.toHaveProperty('acceptedNames');
  });

  it('accepts a client of a proxy that adds the port to X-Forwarded-For', async () => {
    const body = Buffer.from(JSON.stringify(transactionAdded(3)));
    expect(await post(body, { 'x-forwarded-for': '203.0.113.7:51008' })).toMatchObject({
      status: 'accepted',
    });
  });

  it('answers the root of the port and nothing else there', async () => {
    const answer = await contractFetch(`${relay.intakeUrl}/`);
    expect(await answer.json()).toEqual({ service: 'capillary-aep-relay' });
    expect((await contractFetch(`${relay.intakeUrl}/`, { method: 'HEAD' })).status).toBe(200);
    const metrics = await (await contractFetch(`${relay.adminUrl}/metrics`)).text();
    expect(metrics).not.toContain('source="unknown"');
  });
});

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
