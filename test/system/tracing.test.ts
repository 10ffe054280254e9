import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { type RelayProcess, relayConfig, relayFolder } from '../helpers/relay-process.ts';
import { until } from '../helpers/until.ts';

const PRELOAD = new URL('../helpers/trace-to-file.mjs', import.meta.url).href;
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';

interface RecordedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parent?: string;
  readonly linked: readonly string[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status: { readonly code: number };
  readonly events: readonly unknown[];
}

let simulator: Simulator;
let folder: ReturnType<typeof relayFolder>;
beforeEach(async () => {
  simulator = await startSimulator({});
  folder = relayFolder(relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl('inlet') }));
});
afterEach(async () => {
  await folder.remove();
  await simulator.close();
});

function file() {
  return join(folder.folder, 'spans.jsonl');
}

function start(traced: boolean): Promise<RelayProcess> {
  return folder.start({ env: traced ? { NODE_OPTIONS: `--import=${PRELOAD}`, TRACE_FILE: file() } : {} });
}

function spans(): RecordedSpan[] {
  return existsSync(file())
    ? readFileSync(file(), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as RecordedSpan)
    : [];
}

function spansNamed(name: string): RecordedSpan[] {
  return spans().filter((span) => span.name === name);
}

async function post(relay: RelayProcess, customer: number, headers: Record<string, string> = {}) {
  return ((await (await relay.post(transactionAdded(customer), headers)).json()) as { receipt: string })
    .receipt;
}

const caller = { traceparent: `00-${TRACE}-${CALLER}-01` };

describe('with an SDK', () => {
  it('one trace covers caller, webhook and inlet, even if the process is killed in between', async () => {
    const first = await start(true);
    await first.admin('/admin/v1/destinations/acme-aep/pause', { method: 'POST', body: '{}' });
    const receipt = await post(first, 1, caller);
    await until(() => spansNamed('webhook').length === 1);
    expect(await until(() => first.log.find(({ msg }) => msg === 'webhook'))).toMatchObject({
      traceId: TRACE,
    });
    await first.stop('SIGKILL');
    expect(spans().map(({ name }) => name)).toEqual(['journal.append', 'webhook']);

    const second = await start(true);
    await second.admin('/admin/v1/destinations/acme-aep/resume', { method: 'POST', body: '{}' });
    await until(() => spansNamed('settle').length === 1);
    expect(await until(() => second.log.find(({ msg }) => msg === 'delivery'))).toMatchObject({
      traceId: TRACE,
    });
    await second.stop('SIGTERM');

    const all = spans();
    expect(new Set(all.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
    const [webhook] = spansNamed('webhook');
    const [append] = spansNamed('journal.append');
    expect(webhook?.parent).toBe(CALLER);
    expect(append?.parent).toBe(webhook?.spanId);
    expect(webhook?.attributes).toMatchObject({
      'http.request.method': 'POST',
      'http.route': '/webhooks/:source',
      'http.response.status_code': 200,
      'relay.source': 'acme',
      'relay.outcome': 'accepted',
      'messaging.message.id': receipt,
    });
    for (const name of ['map', 'settle']) {
      expect(spansNamed(name)).toMatchObject([
        { parent: append?.spanId, attributes: { 'messaging.message.id': receipt } },
      ]);
    }
    const [deliver] = spansNamed('deliver');
    expect(deliver).toMatchObject({ parent: append?.spanId, linked: [append?.spanId] });
    expect(deliver?.attributes).toMatchObject({
      'messaging.destination.name': 'acme-aep',
      'messaging.batch.message_count': 1,
      'http.response.status_code': 207,
      'relay.kind': 'event',
      'relay.outcome': 'taken',
    });
    expect(JSON.stringify(all)).not.toContain('customer1@example.com');
  });

  it('a batch of several traces has its own trace with links; a failed one has no error text', async () => {
    const relay = await start(true);
    await relay.admin('/admin/v1/destinations/acme-aep/pause', { method: 'POST', body: '{}' });
    await Promise.all([post(relay, 1, caller), post(relay, 2), post(relay, 3)]);
    const body = { title: 'no such thing as customer2@example.com' };
    simulator.setFaults([{ on: 'batch', times: 1, then: { status: 503, body } }]);
    await relay.admin('/admin/v1/destinations/acme-aep/resume', { method: 'POST', body: '{}' });
    await until(
      () =>
        spansNamed('settle').filter(({ attributes }) => attributes['relay.outcome'] === 'delivered')
          .length === 3,
    );

    const appended = spansNamed('journal.append');
    const deliveries = spansNamed('deliver').filter(({ attributes }) => attributes['relay.kind'] === 'event');
    const several = deliveries.filter(
      ({ attributes }) => Number(attributes['messaging.batch.message_count']) > 1,
    );
    expect(several).not.toEqual([]);
    for (const { parent, traceId, linked, attributes } of several) {
      expect(parent).toBeUndefined();
      expect(appended.map((span) => span.traceId)).not.toContain(traceId);
      expect(linked).toHaveLength(Number(attributes['messaging.batch.message_count']));
      expect(appended.map(({ spanId }) => spanId)).toEqual(expect.arrayContaining([...linked]));
    }
    const failed = deliveries.find(({ status }) => status.code === 2);
    expect(failed?.attributes).toMatchObject({ 'error.type': '503', 'relay.outcome': 'transient' });
    expect(spans().flatMap(({ events }) => events)).toEqual([]);
    expect(JSON.stringify(spans())).not.toContain('example.com');
  });

  it('a refused webhook has a span without the content of its URL', async () => {
    const relay = await start(true);
    const url = `${relay.intakeUrl}/webhooks/ann@example.com?key=secret-in-the-query`;
    await fetch(url, { method: 'POST', body: '{}', headers: { traceparent: `00-${TRACE}-nonsense` } });
    const [webhook] = await until(() => spansNamed('webhook').length > 0 && spansNamed('webhook'));
    expect(webhook?.attributes).toMatchObject({
      'http.response.status_code': 404,
      'relay.source': 'unknown',
      'relay.outcome': 'unknown-source',
    });
    expect(webhook?.traceId).not.toBe(TRACE);
    expect(JSON.stringify(webhook)).not.toMatch(/ann@|secret-in/);
  });
});

it('without an SDK there is no trace, and the store contains no trace context', async () => {
  const relay = await start(false);
  const receipt = await post(relay, 1, caller);
  await until(async () => (await relay.admin(`/admin/v1/events/${receipt}`)).body.state === 'delivered');
  await relay.stop('SIGTERM');
  expect(JSON.stringify(relay.log)).not.toContain('traceId');
  expect(existsSync(file())).toBe(false);
  const db = new DatabaseSync(join(folder.folder, 'data', 'relay.db'), { readOnly: true });
  expect(db.prepare('SELECT traceparent FROM events').all()).toEqual([{ traceparent: null }]);
  db.close();
});
