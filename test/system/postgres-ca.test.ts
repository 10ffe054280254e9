import { appendFile, chown, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { run } from '../cli/command-line.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { PostgresServer } from '../helpers/postgres-process.ts';
import { createPrivateCa, type Issued } from '../helpers/private-ca.ts';
import { type RelayConfig, relayConfig, relayFolder } from '../helpers/relay-process.ts';
import { until } from '../helpers/until.ts';

/** A server that presents this certificate from its next start on. */
async function present(server: PostgresServer, { key, cert }: Issued): Promise<void> {
  const { uid, gid } = await stat(server.data);
  const [keyFile, certFile] = [join(server.data, 'server.key'), join(server.data, 'server.crt')];
  await writeFile(keyFile, key, { mode: 0o600 });
  await writeFile(certFile, cert);
  for (const file of [keyFile, certFile]) await chown(file, uid, gid);
}

it('egress.ca verifies the database, and a changed one does so without a restart', async () => {
  const simulator = await startSimulator();
  onTestFinished(() => simulator.close());
  const ca = createPrivateCa();
  const server = await PostgresServer.create();
  onTestFinished(() => server.remove());
  await present(server, ca.issue('localhost'));
  await appendFile(join(server.data, 'postgresql.conf'), 'ssl = on\n');
  await server.restart();

  const config: RelayConfig & { egress?: object } = relayConfig({
    imsUrl: simulator.imsUrl,
    inletUrl: simulator.inletUrl(),
  });
  config.store = {
    engine: 'postgres',
    url: `postgres://relay@localhost:${server.port}/postgres?sslmode=verify-full`,
    connections: 4,
  };
  config.egress = { ca: '${file:ca.pem}' };
  const folder = relayFolder(config);
  onTestFinished(() => folder.remove());
  const caFile = join(folder.folder, 'ca.pem');
  await writeFile(caFile, ca.pem);
  const relay = await folder.start();
  const accepts = async (n: number): Promise<boolean> =>
    (await relay.post(transactionAdded(n))).status === 200;
  expect(await accepts(1)).toBe(true);
  const doctor = await run(['doctor', '--config', folder.file, '--json']);
  expect(JSON.parse(doctor.stdout).findings).toContainEqual(
    expect.objectContaining({ check: 'tls', level: 'ok' }),
  );

  const next = createPrivateCa('Next CA');
  await present(server, next.issue('localhost'));
  await server.restart();
  await until(async () => (await relay.post(transactionAdded(2))).status === 503);
  await writeFile(caFile, `${ca.pem}${next.pem}`);
  await until(() => accepts(2));
  await until(async () => (await relay.admin('/admin/v1/ledger')).body.delivered === 2);
});
