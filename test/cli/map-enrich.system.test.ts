import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { JsonObject } from '../../src/capillary/json.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { relayConfig } from '../helpers/relay-process.ts';
import { askToken, callApi } from '../simulator/capillary/api/capillary-caller.ts';
import { run } from './command-line.ts';

const SECRET = 'secret-of-the-api-client';
const CUSTOMER =
  'source=ALL&embed=mlp,points,subscriptions,customerStatus,expirySchedules&slabHistory=true&gapToUpgrade=0&gapToRenew=0';
const BILL = 'type=REGULAR&tenders=true&mlp=true&points_breakup=true';

let twin: Simulator;
let folder = '';
let config = '';
let bill = '';
let customerId = '';
let transactionId = '';
let token = '';

async function write(name: string, value: unknown): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, typeof value === 'string' ? value : JSON.stringify(value));
  return file;
}

async function writeConfig(name: string, api: object | undefined, enrich?: object): Promise<string> {
  const text = relayConfig({
    imsUrl: 'http://127.0.0.1:1/ims',
    inletUrl: 'http://127.0.0.1:1/collection/abc',
  });
  text.store['path'] = join(folder, 'data');
  Object.assign(text.sources[0] ?? {}, { orgIds: [twin.capillary.org], api, enrich });
  Object.assign(text.destinations[0] ?? {}, { tenant: '_acme' });
  return write(name, stringify(text));
}

/** An answer of the API. */
async function read(path: string): Promise<JsonObject> {
  return (await callApi(twin, 'GET', path, { token })).json as JsonObject;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'relay-map-enrich-'));
  twin = await startSimulator({ capillary: { clients: [{ key: 'key', secret: SECRET }] } });
  const api = { url: twin.capillaryUrl, key: 'key', secret: SECRET, callsPerMinute: 10_000 };
  config = await writeConfig('relay.yaml', api);
  const { events } = await twin.capillary.raiseEvents({
    count: 1,
    names: ['transactionAdded'],
    awkward: 0,
    seed: 3,
  });
  const raised = JSON.parse(events[0]?.body ?? '') as { data: Record<string, any> };
  customerId = String(raised.data['customerIdentifiers'].customerId);
  transactionId = String(raised.data['transactionId']);
  bill = await write('bill.json', raised);
  token = (await askToken(twin, 'key', SECRET)).json.data.accessToken;
});
afterAll(async () => {
  await twin.close();
  await rm(folder, { recursive: true });
});

function parsed(text: string): Record<string, any> {
  return JSON.parse(text) as Record<string, any>;
}

/** What the API fills, apart from when it was read. */
function filled({ enriched }: Record<string, any>): Record<'event' | 'profile', any> {
  const { event, profile } = enriched;
  delete event._acme.capillary.transaction.readDate;
  const { _id: _, extSourceSystemAudit: __, ...fields } = profile;
  return { event, profile: fields };
}

describe('map --enrich', () => {
  it('maps without and with what the API says, and lists calls, ages and changes', async () => {
    const ended = await run(['map', bill, '--config', config, '--enrich', '--json']);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const record = parsed(ended.stdout);

    expect(record['event']).not.toHaveProperty('productListItems');
    expect(record['enriched'].event.productListItems.length).toBeGreaterThan(0);
    expect(record['enriched'].event.commerce.order.payments.length).toBeGreaterThan(0);
    expect(record['enriched'].profile.loyalty).toHaveProperty('points');
    expect(record).not.toHaveProperty('missing');
    expect(record['read'].customer).toMatchObject({
      answer: 'found',
      calls: [{ call: 'GET /v2/customers/{id}', status: 200, requestId: expect.any(String) }],
      contents: { programs: expect.any(Number) },
    });
    expect(record['read'].bill).toMatchObject({
      readAt: expect.stringMatching(/^\d{4}-.*Z$/),
      contents: { lines: record['enriched'].event.productListItems.length },
    });
    const paths = record['changes'].map(({ path }: { path: string }) => path);
    expect(paths).toContain('productListItems');
  });

  it('shows both to people, and no secret', async () => {
    const { code, stdout, stderr } = await run(['map', bill, '--config', config, '--enrich']);

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /ExperienceEvent .*From Capillary's API\n.*That changes\n.*With it\nExperienceEvent/s,
    );
    expect(stdout).toMatch(
      /\nbill, read \d.* ago: lines \d+, .*\n {2}GET \/v2\/transactions\/\{id\}: 200, X-CAP-REQUEST-ID /,
    );
    expect(stdout).toMatch(/\n\+ event productListItems: \[/);
    expect(stdout).not.toContain(SECRET);
  });

  it('says what the API does not know', async () => {
    const unknown = await write('unknown.json', {
      eventName: 'transactionAdded',
      eventId: 'e-9',
      orgId: twin.capillary.org,
      createdAt: 1_790_848_801_774,
      data: { customerIdentifiers: { customerId }, transactionId: 1, billType: 'REGULAR', amount: 5 },
    });
    const api = { url: twin.capillaryUrl, key: 'key', secret: SECRET, callsPerMinute: 10_000 };
    const file = await writeConfig('short.yaml', api, { coalesce: '100ms', maxDelay: '1s' });
    const text = await run(['map', unknown, '--config', file, '--enrich', '--json']);

    expect(parsed(text.stdout)['missing']).toEqual({ bill: 'unknown' });
  });

  it('needs the API in the configuration, and credentials that it accepts', async () => {
    const without = await writeConfig('without.yaml', undefined);
    const wrong = await writeConfig('wrong.yaml', {
      url: twin.capillaryUrl,
      key: 'key',
      secret: 'wrong-one',
    });
    const refused = await run(['map', bill, '--config', wrong, '--enrich']);

    expect(await run(['map', bill, '--config', without, '--enrich'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--enrich requires api in the source acme'),
    });
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^acme: POST .*401: Invalid key or secret/),
    });
    expect(refused.stderr).not.toContain('wrong-one');
  });

  it.each([
    ['--diff', 'cannot be combined'],
    ['--from-journal', 'cannot be combined'],
    ['--entities=a.json', 'specify either --enrich or --entities'],
  ])('is refused with %s', async (option, message) => {
    const ended = await run(['map', bill, '--enrich', option]);
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  });
});

describe('map --entities', () => {
  it('maps with answers of the API as with the API itself', async () => {
    const answers = await write('answers.json', [
      await read(`/v2/customers/${customerId}?${CUSTOMER}`),
      await read(`/v2/transactions/${transactionId}?${BILL}`),
    ]);
    const online = await run(['map', bill, '--config', config, '--enrich', '--json']);
    const offline = await run(['map', bill, '--config', config, '--entities', answers, '--json']);

    expect(offline).toMatchObject({ code: 0, stderr: '' });
    const { event, profile } = filled(parsed(offline.stdout));
    const other = filled(parsed(online.stdout));
    expect(event.productListItems.map(({ SKU }: JsonObject) => SKU)).toEqual(
      other.event.productListItems.map(({ SKU }: JsonObject) => SKU),
    );
    expect(event.commerce).toEqual(other.event.commerce);
    expect(profile.loyalty.points).toBe(other.profile.loyalty.points);
  });

  it('maps with entities as the relay stores them, those of other events aside', async () => {
    const calls = [{ call: 'GET /v2/transactions/{id}', status: 200 }];
    const billOf = (id: string, sku: string) => ({
      bill: {
        at: 1_790_848_900_000,
        calls,
        bill: { transactionId: id, lines: [{ sku, quantity: 1, amount: 5 }] },
      },
    });
    const entities = await write(
      'stored.ndjson',
      `${JSON.stringify(billOf('1', 'NO'))}\n${JSON.stringify(billOf(transactionId, 'YES'))}`,
    );
    const ended = await run(['map', bill, '--config', config, '--entities', entities, '--json']);
    const { enriched, read: parts } = parsed(ended.stdout);

    expect(enriched.event.productListItems).toMatchObject([{ SKU: 'YES' }]);
    expect(Object.keys(parts)).toEqual(['bill']);
  });

  it('handles an answer about an erased customer', async () => {
    const answer = {
      response: {
        status: { success: 'false', code: 500 },
        customers: {
          customer: [
            {
              id: customerId,
              item_status: { success: 'false', code: '8109', message: 'Customer is deleted' },
            },
          ],
        },
      },
    };
    const entities = await write('erased.json', answer);
    const ended = await run(['map', bill, '--config', config, '--entities', entities, '--json']);

    expect(parsed(ended.stdout)).toMatchObject({ read: { customer: { answer: 'erased', contents: {} } } });
  });

  it('refuses a document that is neither', async () => {
    const file = await write('neither.json', [{ a: 1 }]);
    expect(await run(['map', bill, '--config', config, '--entities', file])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        'neither.json: document 1 is neither entities as the relay stores them',
      ),
    });
  });
});
