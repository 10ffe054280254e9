import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { contractFetch } from '../helpers/contract-check.ts';
import {
  KEY,
  type RelayConfig,
  type RelayProcess,
  relayConfig,
  relayFolder,
} from '../helpers/relay-process.ts';
import { until } from '../helpers/until.ts';

let simulator: Simulator;
const folders: ReturnType<typeof relayFolder>[] = [];

async function startWith(change: (config: RelayConfig) => void = () => undefined): Promise<RelayProcess> {
  const config = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl('inlet') });
  change(config);
  const folder = relayFolder(config);
  folders.push(folder);
  return folder.start();
}

async function expectProblem(answer: Response, status: number, code: string): Promise<void> {
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(await answer.json()).toMatchObject({ status, code });
}

beforeAll(async () => {
  simulator = await startSimulator({});
});

afterAll(async () => {
  await Promise.all(folders.map((folder) => folder.remove()));
  await simulator.close();
});

describe('the responses of the built relay to Capillary', () => {
  let relay: RelayProcess;
  beforeAll(async () => {
    relay = await startWith((config) => {
      config.server['bodyLimit'] = '20KB';
    });
  });

  it.each(['POST', 'PUT'])('%s: 200 accepted, then 200 duplicate with the first receipt', async (method) => {
    const body = JSON.stringify(transactionAdded(1));
    const init = { method, body, headers: { 'X-Relay-Key': KEY } };
    const send = () => contractFetch(`${relay.intakeUrl}/webhooks/acme`, init);
    const first = await send();
    expect(first.status).toBe(200);
    const { status, receipt } = (await first.json()) as { status: string; receipt: string };
    expect(status).toBe('accepted');
    expect(await (await send()).json()).toEqual({ status: 'duplicate', receipt });
  });

  it('200 duplicate if the data differs, which is counted', async () => {
    const event = transactionAdded(1);
    const send = async (body: object) => {
      const init = { method: 'POST', body: JSON.stringify(body), headers: { 'X-Relay-Key': KEY } };
      return (await contractFetch(`${relay.intakeUrl}/webhooks/acme`, init)).json();
    };
    const { receipt } = (await send(event)) as { receipt: string };
    const other = { ...event, data: { ...event.data, amount: 99 } };
    expect(await send(other)).toEqual({ status: 'duplicate', receipt });

    const metrics = await (await fetch(`${relay.adminUrl}/metrics`)).text();
    expect(metrics).toContain('relay_duplicates_total{source="acme",differs="true"} 1\n');
  });

  it.each(['text/plain', 'application/json; charset', 'nonsense', ''])(
    'accepts the content type %o',
    async (type) => {
      expect((await relay.post(transactionAdded(2), { 'content-type': type })).status).toBe(200);
    },
  );

  it.each([
    ['not JSON', '{"eventName":', 'not-json'],
    ['not an event', '{"hello":"world"}', 'not-an-event'],
    ['empty', '', 'not-json'],
    [
      'an event of another organisation',
      JSON.stringify({ ...transactionAdded(3), orgId: 7, refId: '7_1' }),
      'wrong-org',
    ],
  ])('400 for a body that is %s, stored as a malformed dead letter', async (_what, body, code) => {
    const before = (await relay.admin('/admin/v1/ledger')).body.malformed;
    await expectProblem(await relay.post(body), 400, code);
    expect((await relay.admin('/admin/v1/ledger')).body.malformed).toBe(before + 1);
  });

  it('401 for a sender that is not verified, stored in quarantine', async () => {
    await expectProblem(
      await relay.post(transactionAdded(4), { 'x-relay-key': 'wrong' }),
      401,
      'not-verified',
    );
    expect((await relay.admin('/admin/v1/ledger')).body.quarantined).toBe(1);
  });

  it('404 for an unknown source', async () => {
    const answer = await contractFetch(`${relay.intakeUrl}/webhooks/nobody`, { method: 'POST', body: '{}' });
    await expectProblem(answer, 404, 'unknown-source');
  });

  it('405 for a method other than POST and PUT', async () => {
    const answer = await contractFetch(`${relay.intakeUrl}/webhooks/acme`);
    await expectProblem(answer, 405, 'method-not-allowed');
    expect(answer.headers.get('allow')).toBe('POST, PUT');
  });

  it('413 for a body over the limit', async () => {
    await expectProblem(await relay.post('x'.repeat(20_001)), 413, 'body-too-large');
  });

  it('logs no secrets and no personal data', async () => {
    const event = transactionAdded(5);
    await relay.post(event);
    await relay.post('{"email":"customer5@example.com"');
    await until(() => relay.log.some((line) => line['msg'] === 'delivery'));
    const log = JSON.stringify(relay.log);
    for (const secret of [KEY, 'customer5@example.com', event.data.billNumber])
      expect(log).not.toContain(secret);
  });
});

/** Posts an event on a new connection; status 0 if the port is closed. */
function post(port: string): Promise<{ status: number; retryAfter?: string | undefined }> {
  return new Promise((resolve) => {
    const headers = { 'x-relay-key': KEY };
    const call = request({ port, method: 'POST', path: '/webhooks/acme', headers }, (answer) => {
      answer.resume();
      resolve({ status: answer.statusCode ?? 0, retryAfter: answer.headers['retry-after'] });
    });
    call.once('error', () => resolve({ status: 0 }));
    call.end(JSON.stringify(transactionAdded(8)));
  });
}

describe('the responses that ask Capillary to wait', () => {
  it('429 with Retry-After over the rate limit, before anything is verified', async () => {
    const relay = await startWith((config) => {
      config.server['rateLimit'] = { max: 2, window: '1h' };
    });
    for (let times = 0; times < 2; times += 1) await relay.post('{}', { 'x-relay-key': 'wrong' });
    const answer = await relay.post(transactionAdded(6));
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    await expectProblem(answer, 429, 'rate-limited');
  });

  it('503 with Retry-After when the journal has reached its limit', async () => {
    const relay = await startWith((config) => {
      config.store['maxBytes'] = '1KB';
    });
    const answer = await relay.post(transactionAdded(7));
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    await expectProblem(answer, 503, 'store-full');
    expect((await relay.admin('/readyz')).status).toBe(503);
  });

  it('503 with Retry-After while draining, then exit 0', async () => {
    const relay = await startWith();
    const { port } = new URL(relay.intakeUrl);
    const ended = relay.stop('SIGTERM');
    const response = await until(async () => {
      const answer = await post(port);
      return answer.status !== 200 && answer;
    });
    expect(response.status).toBe(503);
    expect(Number(response.retryAfter)).toBeGreaterThan(0);
    expect(await ended).toBe(0);
  });
});
