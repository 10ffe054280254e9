import { Agent } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { run } from '../cli/command-line.ts';
import { sampleEvent } from '../contract/samples.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { freshSchema, type TestSchema } from '../helpers/postgres-server.ts';
import { type KeptAlive, postWith } from '../helpers/kept-connections.ts';
import { type RelayProcess, relayConfig, relayFolder } from '../helpers/relay-process.ts';
import { TcpProxy } from '../helpers/tcp-proxy.ts';
import { until } from '../helpers/until.ts';

let simulator: Simulator;
let schema: TestSchema;
let proxy: TcpProxy;
let data = '';
let passwords = '';
const folders: ReturnType<typeof relayFolder>[] = [];
const relays: RelayProcess[] = [];

/** A relay on the shared schema, whose connections go through the proxy if there is one. */
async function startReplica(through?: TcpProxy): Promise<RelayProcess> {
  const config = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl('inlet') });
  const url = new URL(schema.url);
  if (through !== undefined) url.host = `127.0.0.1:${through.port}`;
  const password = '${file:' + passwords + '}';
  config.store = {
    engine: 'postgres',
    url: url.href.replace(/\/\/([^:@]*)(?::[^@]*)?@/, `//$1:${password}@`),
    schema: schema.schema,
    connections: 4,
  };
  const folder = relayFolder(config);
  folders.push(folder);
  const relay = await folder.start();
  relays.push(relay);
  return relay;
}

async function statusOf(url: string): Promise<number> {
  return (await fetch(url)).status;
}

async function metricsOf(relay: RelayProcess): Promise<readonly string[]> {
  return String((await relay.admin('/metrics')).body).split('\n');
}

beforeAll(async () => {
  simulator = await startSimulator();
  schema = await freshSchema();
  data = mkdtempSync(join(tmpdir(), 'relay-replicas-'));
  passwords = join(data, 'password');
  writeFileSync(passwords, 'any/pass@word');
  // What a relay with SQLite had not delivered when it was replaced.
  const journal = await openSqliteJournal({ path: join(data, 'store'), encryptionKeys: [] });
  await journal.append(
    Array.from({ length: 20 }, (_, index) =>
      sampleEvent({
        destination: 'acme-aep',
        lane: 'one customer',
        orgId: 100_458,
        body: Buffer.from(JSON.stringify(transactionAdded(index + 1))),
      }),
    ),
  );
  await journal.close();
  const args = ['--from', join(data, 'store'), '--to', schema.url, '--schema', schema.schema];
  const copied = await run(['store', 'copy', ...args]);
  if (copied.code !== 0) throw new Error(`the copy failed: ${copied.stderr}`);
  proxy = await TcpProxy.to(Number(new URL(schema.url).port));
});

afterAll(async () => {
  await Promise.all(folders.map((folder) => folder.remove()));
  await proxy.close();
  await simulator.close();
  await schema.drop();
  rmSync(data, { recursive: true });
});

describe('two replicas on PostgreSQL', () => {
  it('deliver what was copied from SQLite, and answer with one ledger', async () => {
    const first = await startReplica();
    const second = await startReplica(proxy);
    const balanced = async (relay: RelayProcess, delivered: number): Promise<boolean> => {
      const { body } = await relay.admin('/admin/v1/ledger');
      return body.balanced === true && body.delivered === delivered;
    };
    await until(() => balanced(first, 20));
    expect((await second.post(transactionAdded(900))).status).toBe(200);
    expect((await first.post(transactionAdded(901))).status).toBe(200);
    await until(() => balanced(second, 22));
    expect(await balanced(first, 22)).toBe(true);
  });

  it('are listed by each, and one exports what they share', async () => {
    const [first, second] = relays as [RelayProcess, RelayProcess];
    await until(async () => {
      const { body } = await second.admin('/admin/v1/replicas');
      return body.replicas.every((one: any) => one.slots['acme-aep'] === 32);
    });
    const { body } = await first.admin('/admin/v1/replicas');
    expect(body.replicas).toHaveLength(2);
    expect(body.replicas.filter((one: any) => one.isLeader)).toHaveLength(1);
    expect(body.replicas.filter((one: any) => one.isSelf)).toHaveLength(1);
    const metrics = await Promise.all(relays.map(metricsOf));
    const all = metrics.flat();
    expect(all.filter((line) => line === 'relay_store_leader 1')).toHaveLength(1);
    expect(all.filter((line) => line === 'relay_replicas 2')).toHaveLength(1);
    expect(all.filter((line) => line.startsWith('relay_pending{'))).toHaveLength(1);
    expect(all.filter((line) => line.startsWith('relay_slots_owned{') && line.endsWith(' 32'))).toHaveLength(
      2,
    );
    const backup = await first.admin('/admin/v1/store/backup', { method: 'POST' });
    expect(backup).toMatchObject({ status: 409, body: { detail: expect.stringContaining('pg_dump') } });
    const status = await run([
      'status',
      '--once',
      '--url',
      first.adminUrl,
      '--token',
      'admin-token-of-the-tests',
    ]);
    expect(status.stdout).toMatch(/^REPLICA +AGE/m);
  });

  it('an outage of the database: 503 at once, not ready but alive, and it heals by itself', async () => {
    const [first, second] = relays as [RelayProcess, RelayProcess];
    proxy.refuse();
    await until(async () => (await statusOf(`${second.adminUrl}/readyz`)) === 503);
    const started = performance.now();
    const refused = await second.post(transactionAdded(902));
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(performance.now() - started).toBeLessThan(3_000);
    expect(await statusOf(`${second.adminUrl}/livez`)).toBe(200);
    const lines = await metricsOf(second);
    expect(lines).toContain('relay_store_connected 0');
    expect(lines).toContain('relay_intake_closed{reason="store-failing"} 1');
    expect((await first.post(transactionAdded(903))).status).toBe(200);
    // Capillary's next try reaches another replica, or this one later.
    expect((await first.post(transactionAdded(902))).status).toBe(200);
    proxy.restore();
    await until(async () => (await statusOf(`${second.adminUrl}/readyz`)) === 200);
    expect((await second.post(transactionAdded(904))).status).toBe(200);
    await until(async () => (await first.admin('/admin/v1/ledger')).body.delivered === 25);
  });

  it('one that stops accepts what arrives on kept connections until it has closed them', async () => {
    const [first, second] = relays as [RelayProcess, RelayProcess];
    const agents = Array.from({ length: 4 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    let accepted = 0;
    /** Sends one event after the other until the connection is announced to be closed. */
    const sendAll = async (agent: Agent, index: number): Promise<KeptAlive> => {
      for (let number = 1_000 + index; ; number += agents.length) {
        const answer = await postWith(agent, second.intakeUrl, transactionAdded(number));
        if (answer.status === 200) accepted += 1;
        if (answer.connection === 'close') return answer;
      }
    };
    const last = Promise.all(agents.map(sendAll));
    await until(() => accepted > 20);
    const ended = second.stop('SIGTERM');
    expect(new Set((await last).map(({ status }) => status))).toEqual(new Set([200]));
    expect(await ended).toBe(0);
    for (const agent of agents) agent.destroy();
    // The other replica delivers them.
    await until(async () => (await first.admin('/admin/v1/ledger')).body.delivered === 25 + accepted);
    expect(await first.stop('SIGTERM')).toBe(0);
    for (const relay of relays) expect(JSON.stringify(relay.log)).not.toContain('pass@word');
  });
});
