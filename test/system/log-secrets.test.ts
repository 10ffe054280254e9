import { createHmac, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { FaultRuleInput } from '../../src/simulator/adobe/fault-script.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { type RelayProcess, relayConfig, relayFolder } from '../helpers/relay-process.ts';
import { until } from '../helpers/until.ts';

/** Values that must never be logged. Each is unique, so that a match cannot be a coincidence. */
const SECRETS = {
  headerSecret: 'planted-header-secret',
  hmacKey: 'planted-hmac-key',
  password: 'planted-password',
  bearer: 'planted-bearer',
  imsSecret: 'planted-ims-secret',
  accessToken: 'planted.access.token',
  adminToken: 'planted-admin-token',
  encryptionKey: 'cGxhbnRlZCBlbmNyeXB0aW9uIGtleSAwMTIzNDU2Nzg=',
} as const;
const PERSON = {
  email: 'zelda.planted@example.org',
  phone: '447700900987',
  name: 'Quibbleworth',
  card: '4929123412341234',
  operator: 'Oprah-Planted',
} as const;
const QUOTED = [...Object.values(SECRETS), ...Object.values(PERSON)].join(' ');

function config(simulator: Simulator) {
  const made = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl('inlet') });
  const [acme] = made.sources;
  const [aep] = made.destinations;
  made.admin['token'] = SECRETS.adminToken;
  made.store['encryptionKeys'] = [SECRETS.encryptionKey];
  aep!['ims'] = { url: simulator.imsUrl, clientId: 'client', clientSecrets: [SECRETS.imsSecret] };
  acme!['verify'] = [
    { type: 'header', name: 'X-Relay-Key', values: [SECRETS.headerSecret] },
    { type: 'hmac', header: 'X-Signature', secrets: [SECRETS.hmacKey] },
    { type: 'basic', username: 'planted', passwords: [SECRETS.password] },
    { type: 'bearer', tokens: [SECRETS.bearer] },
  ];
  acme!['overrides'] = {
    customerUpdated: { event: '$number(event.data.customerIdentifiers.instore.email)' },
  };
  return { ...made, log: { level: 'trace' } };
}

/** A purchase with personal data in every field that can have it. */
function purchase(more: object = {}) {
  return {
    ...transactionAdded(77_001, {
      customerIdentifiers: {
        customerId: 77_001,
        instore: { email: PERSON.email, mobile: PERSON.phone, firstName: 'Zelda', lastName: PERSON.name },
      },
      paymentDetails: [{ mode: 'CARD', cardNumber: PERSON.card }],
      notes: QUOTED,
    }),
    ...more,
  };
}

const errorBody = { title: QUOTED, detail: QUOTED, report: { message: QUOTED } };
const inletFaults: readonly (readonly [outcome: string, then: FaultRuleInput['then']])[] = [
  ['invalid', { status: 400, body: errorBody }],
  ['foreign', { status: 400, body: `<html>${QUOTED}</html>` }],
  ['foreign', { body: { error: QUOTED }, landed: false }],
  ['unauthorized', { status: 403, body: errorBody }],
  ['destination', { status: 400, body: { ...errorBody, title: `Unknown XDM format ${QUOTED}` } }],
  ['too-large', { status: 413, body: errorBody }],
  ['throttled', { status: 429, body: errorBody }],
  ['transient', { status: 500, body: errorBody }],
  ['transient', { reset: 'before' }],
  ['mixed', { items: { which: 'all', status: 400, message: QUOTED } }],
];

let simulator: Simulator;
let folder: ReturnType<typeof relayFolder>;
let relay: RelayProcess;
const processes: RelayProcess[] = [];

async function send(
  body: string | object,
  headers: Record<string, string> = {},
  path = '/webhooks/acme',
): Promise<string> {
  const answer = await fetch(`${relay.intakeUrl}${path}`, {
    method: 'POST',
    headers: { 'x-relay-key': SECRETS.headerSecret, cookie: `session=${QUOTED}`, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return ((await answer.json()) as { receipt: string }).receipt;
}

function admin(path: string, json?: unknown): Promise<Response> {
  return fetch(`${relay.adminUrl}/admin/v1${path}`, {
    method: json === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${SECRETS.adminToken}`,
      'content-type': 'application/json',
      'x-relay-operator': PERSON.operator,
    },
    ...(json === undefined ? {} : { body: typeof json === 'string' ? json : JSON.stringify(json) }),
  });
}

/**
 * Resolves with the first log line with this message and these fields, from line number `after` on.
 */
function whenLogged(msg: string, fields: object = {}, after = 0): Promise<Record<string, unknown>> {
  return until(() =>
    relay.log
      .slice(after)
      .find(
        (line) => line['msg'] === msg && Object.entries(fields).every(([key, value]) => line[key] === value),
      ),
  );
}

async function start(): Promise<void> {
  relay = await folder.start();
  processes.push(relay);
}

beforeAll(async () => {
  simulator = await startSimulator({ requireAuth: false });
  folder = relayFolder(config(simulator));
  // Fixed by a fault rule, because the simulator would issue a random token.
  const token = { access_token: SECRETS.accessToken, token_type: 'bearer', expires_in: 86_399_000 };
  simulator.setFaults([{ on: 'ims', then: { status: 200, body: token } }]);
  await start();
});
afterAll(async () => {
  await folder.remove();
  await simulator.close();
});

it('logs neither secrets nor personal data, at any level, whatever fails', async () => {
  // Everything succeeds.
  const event = purchase();
  const receipt = await send(event);
  await whenLogged('event settled', { receipt, state: 'delivered' });
  expect(JSON.stringify(simulator.landed())).toContain(PERSON.email);
  expect(await whenLogged('webhook', { receipt })).toMatchObject({
    level: 'info',
    source: 'acme',
    eventName: event.eventName,
    eventId: event.eventId,
    outcome: 'accepted',
    status: 200,
    verifiedBy: 'header:x-relay-key',
    durationMs: expect.any(Number),
  });
  expect(await whenLogged('delivery', { kind: 'event' })).toMatchObject({
    level: 'info',
    destination: 'acme-aep',
    outcome: 'taken',
    status: 207,
    messages: 1,
    receipts: [receipt],
    sources: { acme: 1 },
    taken: 1,
    maxAgeMs: expect.any(Number),
    xactionId: expect.any(String),
    durationMs: expect.any(Number),
  });
  expect(await whenLogged('delivered message', { receipt })).toMatchObject({
    level: 'debug',
    outcome: 'taken',
  });
  const body = JSON.stringify(purchase());
  const signature = createHmac('sha256', SECRETS.hmacKey).update(body).digest('hex');
  const basic = Buffer.from(`planted:${SECRETS.password}`).toString('base64');
  const bad = { 'x-relay-key': 'no' };
  await send(body, { ...bad, 'x-signature': signature });
  await send(purchase(), { ...bad, authorization: `Basic ${basic}` });
  await send(purchase(), { ...bad, authorization: `Bearer ${SECRETS.bearer}` });
  await send(event);

  // Refused webhooks.
  const query = new URLSearchParams({ token: SECRETS.headerSecret, email: PERSON.email, q: QUOTED });
  await send(purchase(), {}, `/webhooks/acme?${query.toString()}`);
  await send(purchase(), {}, `/webhooks/${PERSON.email}`);
  await send(purchase(), {}, `/${PERSON.name}/%E0%A4%A?token=${SECRETS.bearer}`);
  await send(purchase(), { 'x-relay-key': `${SECRETS.headerSecret}x`, authorization: `Bearer ${QUOTED}` });
  await send(`{"email":"${PERSON.email}", ${QUOTED}`);
  await send({ email: PERSON.email, note: QUOTED });
  await send(purchase({ orgId: QUOTED }));
  await send(purchase({ eventName: `${PERSON.name} ${PERSON.email}`, eventId: PERSON.phone }));
  await send(purchase({ eventName: 'ownEvent', eventId: PERSON.email }));
  const failing = await send(purchase({ eventName: 'customerUpdated', eventId: randomUUID() }));
  await whenLogged('event settled', { receipt: failing, state: 'dead', reason: 'mapping' });

  // Adobe rejects messages and quotes them in its response.
  for (const [outcome, then] of inletFaults) {
    const from = relay.log.length;
    simulator.setFaults([{ on: 'inlet', times: 1, then }]);
    await send(
      purchase({
        eventId: randomUUID(),
        data: { ...event.data, customerIdentifiers: undefined, notes: QUOTED },
      }),
    );
    await send(purchase());
    await whenLogged('delivery', { outcome }, from);
    await admin('/destinations/acme-aep/pause', {});
    await admin('/destinations/acme-aep/resume', {});
  }
  simulator.setFaults([]);

  // Valid and invalid requests to the admin API.
  await admin(`/events?customerId=77001&eventId=${PERSON.phone}`);
  await admin(`/events/${PERSON.email}`);
  await admin('/dead-letters/replay', { filter: { customerId: PERSON.phone }, dryRun: true });
  await admin('/dead-letters/replay', { receipts: [failing] });
  await admin('/dead-letters/replay', `{"${QUOTED}`);
  await admin('/quarantine/release', { filter: {}, all: true });
  await fetch(`${relay.adminUrl}/admin/v1/ledger?token=${SECRETS.adminToken}`, {
    headers: { authorization: `Bearer ${SECRETS.adminToken}x` },
  });
  expect(await relay.stop('SIGTERM')).toBe(0);

  // IMS rejects the secret and quotes it; then it is down.
  simulator.setFaults([
    {
      on: 'ims',
      times: 1,
      then: { status: 401, body: { error: 'invalid_client', error_description: `client_secret ${QUOTED}` } },
    },
    { on: 'ims', then: { status: 500, body: { error: QUOTED } } },
  ]);
  await start();
  await send(purchase());
  await whenLogged('destination stopped delivering', { reason: 'ims-invalid_client' });
  await admin('/destinations/acme-aep/resume', {});
  await until(() => (simulator.stats().requests.ims['500'] ?? 0) > 0);
  await relay.stop('SIGTERM');

  const output = processes.map((started) => JSON.stringify(started.log) + started.stderr()).join('\n');
  const found = Object.entries({ ...SECRETS, ...PERSON }).filter(
    ([, text]) => output.includes(text) || output.includes(encodeURIComponent(text)),
  );
  expect(found).toEqual([]);
  expect(output).not.toContain('zelda.planted');
  expect(processes.map((started) => started.stderr())).toEqual(processes.map(() => ''));
});
