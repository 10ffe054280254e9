import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../src/simulator/free-port.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { postWith } from '../helpers/kept-connections.ts';
import { freshSchema, type TestSchema } from '../helpers/postgres-server.ts';
import { type RelayProcess, relayConfig, relayFolder } from '../helpers/relay-process.ts';
import { reportSkip } from '../helpers/report-skip.ts';
import { until } from '../helpers/until.ts';

const PROGRAM = '/usr/sbin/haproxy';
const CONFIG = 'deploy/compose/haproxy.cfg';
const SENDERS = 6;
/** Pause of a sender between two webhooks. */
const PAUSE_MS = 20;

interface Place {
  readonly intake: number;
  readonly admin: number;
}

let simulator: Simulator;
let schema: TestSchema;

beforeAll(async () => {
  simulator = await startSimulator();
  schema = await freshSchema();
});
afterAll(async () => {
  await simulator.close();
  await schema.drop();
});

function folderOf({ intake, admin }: Place): ReturnType<typeof relayFolder> {
  const config = relayConfig({ imsUrl: simulator.imsUrl, inletUrl: simulator.inletUrl() });
  config.server['port'] = intake;
  config.admin['port'] = admin;
  config.store = { engine: 'postgres', url: schema.url, schema: schema.schema, connections: 4 };
  const folder = relayFolder(config);
  onTestFinished(() => folder.remove());
  return folder;
}

interface Balancer {
  readonly url: string;
  /** Whether it sends webhooks to the relay with this index. */
  readonly uses: (index: number) => Promise<boolean>;
}

/** HAProxy with the configuration of docker-compose.replicas.yml, for relays on this machine. */
async function startBalancer(folder: string, places: readonly Place[]): Promise<Balancer> {
  const [port, statsPort] = [await freePort(), await freePort()];
  const text = readFileSync(CONFIG, 'utf8')
    .replace('bind :8080', `bind 127.0.0.1:${port}`)
    .replace(/^resolvers docker\n(?: .*\n)+/m, '')
    .replace('check port 8081', 'check')
    .replace('resolvers docker init-addr last,libc,none', '')
    .replaceAll(/server relay-(\d) .*/g, (_all, number) => {
      const { intake, admin } = places[Number(number) - 1] as Place;
      return `server relay-${number} 127.0.0.1:${intake} port ${admin}`;
    });
  const file = join(folder, 'haproxy.cfg');
  const stats = `frontend stats\n  bind 127.0.0.1:${statsPort}\n  stats enable\n  stats uri /\n`;
  await writeFile(file, `${text}\n${stats}`);
  const balancer = spawn(PROGRAM, ['-f', file, '-db'], { stdio: 'ignore' });
  onTestFinished(async () => {
    const ended = once(balancer, 'exit');
    if (balancer.kill('SIGKILL')) await ended;
  });
  return {
    url: `http://127.0.0.1:${port}`,
    uses: async (index) => {
      const answer = await fetch(`http://127.0.0.1:${statsPort}/;csv`).catch(() => undefined);
      return new RegExp(`^relays,relay-${index + 1},.*,UP,`, 'm').test((await answer?.text()) ?? '');
    },
  };
}

it('no webhook is lost or refused while replicas are restarted in turn and one is killed', async () => {
  if (!existsSync(PROGRAM) && process.env['REQUIRE_HAPROXY'] === undefined)
    return reportSkip('HAProxy', `${PROGRAM} is not installed; .ci/run installs it`);
  const places = await Promise.all(
    Array.from({ length: 3 }, async () => ({ intake: await freePort(), admin: await freePort() })),
  );
  const folders = places.map(folderOf);
  const relays: RelayProcess[] = [];
  for (const folder of folders) relays.push(await folder.start());
  const { url, uses } = await startBalancer(folders[0]?.folder ?? '', places);
  await until(() => uses(2));

  let sent = 0;
  const statuses = new Set<number | string>();
  const stop = new AbortController();
  const senders = Array.from({ length: SENDERS }, async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!stop.signal.aborted) {
      sent += 1;
      const answer = await postWith(agent, url, transactionAdded(sent)).catch((error: Error) => error);
      statuses.add(answer instanceof Error ? answer.message : answer.status);
      await sleep(PAUSE_MS);
    }
    agent.destroy();
  });
  const moreThan = (count: number): Promise<unknown> => {
    const from = sent;
    return until(() => sent > from + count);
  };

  await moreThan(50);
  for (const [index, folder] of folders.entries()) {
    expect(await relays[index]?.stop('SIGTERM')).toBe(0);
    relays[index] = await folder.start();
    await until(() => uses(index));
    await moreThan(50);
  }
  await relays[1]?.stop('SIGKILL');
  await moreThan(50);
  stop.abort();
  await Promise.all(senders);

  expect([...statuses]).toEqual([200]);
  const [first] = relays as [RelayProcess];
  await until(async () => (await first.admin('/admin/v1/ledger')).body.pending === 0);
  expect((await first.admin('/admin/v1/ledger')).body).toMatchObject({
    accepted: sent,
    dead: 0,
    balanced: true,
  });
});
