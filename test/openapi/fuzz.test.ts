import { Agent, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pointsIssued, transactionAdded } from '../fixtures/events.ts';
import { type AdminRig, KEY, ledgerOf, startAdminRig } from '../admin/admin-rig.ts';
import { contractViolation, type Node, operationOf, operations, parametersOf } from '../helpers/openapi.ts';
import { type Call, type Known, callsOf } from './arbitraries.ts';

/** Calls per operation; a tenth of it for an operation without input. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 40);
/** Change it to test other calls; a failure prints its seed. */
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_260_131);
const TOKEN = 'secret';

let rig: AdminRig;
let known: Known;
const agent = new Agent({ keepAlive: true });

beforeAll(async () => {
  rig = await startAdminRig();
  rig.state.token = TOKEN;
  rig.state.hook = {
    isConfigured: () => true,
    receive: async ({ body }) => (isJson(body) ? 'ignored' : 'refused'),
  };
  rig.state.reconciliation = {
    targets: [
      { side: 'capillary', name: 'acme' },
      { side: 'aep', name: 'acme-aep' },
    ],
    report: async () => ({ sources: [], destinations: [] }),
    runs: async () => [],
    request: async () => 'run-1',
  };
  const receipts: string[] = [];
  const send = async (...given: Parameters<AdminRig['webhook']>) => {
    const { body } = await rig.webhook(...given);
    if (typeof body.receipt === 'string') receipts.push(body.receipt);
  };
  for (let customer = 1; customer <= 4; customer += 1) await send('acme', transactionAdded(customer));
  await rig.moveToDeadLetters();
  for (let customer = 5; customer <= 8; customer += 1) await send('beta', pointsIssued(customer, 10));
  await rig.settle(() => ({ state: 'delivered' }));
  await send('acme', transactionAdded(9));
  for (const body of ['no json', '[]']) await send('acme', body);
  await send('acme', transactionAdded(10), { 'x-relay-key': 'wrong' });
  const { items } = await rig.journal.listQuarantined({}, { limit: 1 });
  receipts.push(...items.map(({ receipt }) => receipt));
  known = {
    receipt: receipts,
    source: ['acme', 'beta'],
    name: ['acme-aep', 'other-aep'],
    destination: ['acme-aep'],
    eventName: ['transactionAdded', 'pointsIssued'],
    reason: ['rejected', 'malformed'],
    customerId: ['1', '5'],
    state: ['dead', 'dead,malformed', 'pending', 'delivered'],
    since: ['2020-01-01', '1767225600000'],
    until: ['2030-01-01', '2026-01-31T08:00:00+05:30'],
    limit: ['1', '500'],
    body: ['true', 'false'],
    'X-Relay-Operator': ['alice'],
  };
});
afterAll(async () => {
  agent.destroy();
  await rig.close();
});

function isJson(body: Buffer): boolean {
  try {
    JSON.parse(body.toString());
    return true;
  } catch {
    return false;
  }
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

function exchange(port: number, { method, path, headers, body }: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request({ port, host: '127.0.0.1', agent, method, path, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('error', reject);
      answer.once('end', () => {
        const pairs = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
        const text = Buffer.concat(chunks).toString();
        resolve({
          status: answer.statusCode ?? 0,
          headers: new Headers(pairs as [string, string][]),
          text,
        });
      });
    });
    call.once('error', reject);
    call.end(body);
  });
}

interface Verdict {
  readonly status: number;
  /** How the answer violates the contract. */
  readonly fault?: string | undefined;
}

/** Checks an answer against the contract. After a 429, waits and repeats as a client should. */
async function check(call: Call): Promise<Verdict> {
  const isWebhook = call.path.startsWith('/webhooks/') || /^\/(\?|$)/.test(call.path);
  const app = isWebhook ? rig.intake : rig.admin;
  const { port } = app.server.address() as AddressInfo;
  const credentials = { authorization: `Bearer ${TOKEN}`, 'x-relay-key': KEY };
  for (;;) {
    const answer = await exchange(port, { ...call, headers: { ...call.headers, ...credentials } });
    const { status, headers, text } = answer;
    const fault = contractViolation({ ...call, ...answer });
    if (fault !== undefined) return { status, fault };
    if (status >= 500) return { status, fault: `${call.method} ${call.path} ${status}: ${text}` };
    if (status !== 429) return { status };
    await sleep(Number(headers.get('retry-after')) * 1_000);
  }
}

function hasBody(operation: string): boolean {
  return operationOf(operation)['requestBody'] !== undefined;
}

function hasInput(operation: string): boolean {
  return parametersOf(operation).length > 0 || hasBody(operation);
}

function hasOnlyHeaders(operation: string): boolean {
  const isHeader = (parameter: Node): boolean => parameter['in'] === 'header';
  return hasInput(operation) && parametersOf(operation).every(isHeader) && !hasBody(operation);
}

describe('any request to an operation of the contract', () => {
  it.each(operations)('%s answers according to the contract, and never with 5xx', async (operation) => {
    const statuses = new Set<number>();
    await fc.assert(
      fc.asyncProperty(callsOf(operation, known), async (call) => {
        const { fault, status } = await check(call);
        expect(fault).toBeUndefined();
        statuses.add(status);
      }),
      {
        numRuns: hasInput(operation) ? RUNS : Math.ceil(RUNS / 10),
        seed: SEED,
        interruptAfterTimeLimit: 20_000,
      },
    );
    // Otherwise all calls would have been refused early, or none of them would have been invalid.
    expect([...statuses].some((status) => status === 200 || status === 202)).toBe(true);
    // The name of the operator alone is rarely invalid.
    const isInvalidSometimes = statuses.size > 1;
    expect(hasOnlyHeaders(operation) || isInvalidSometimes === hasInput(operation)).toBe(true);
  });

  it('leaves the ledger balanced and no error logged', async () => {
    await ledgerOf(rig);
    expect(rig.observed.errors).toEqual([]);
  });
});
