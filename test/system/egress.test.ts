import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { ConnectProxy, type ProxyAnswer } from '../helpers/connect-proxy.ts';
import { createPrivateCa, type PrivateCa } from '../helpers/private-ca.ts';
import { type RelayConfig, type RelayProcess, relayConfig, relayFolder } from '../helpers/relay-process.ts';
import { startTlsFront, type TlsFront } from '../helpers/tls-front.ts';
import { until } from '../helpers/until.ts';

const IMS = 'ims-na1.adobelogin.com';
const INLET = 'dcs.adobedc.net';
/** Has characters that a URL cannot have. */
const PASSWORD = 'geheim/@proxy:#%';

interface Setup {
  readonly simulator: Simulator;
  readonly proxy: ConnectProxy;
  readonly front: TlsFront;
  readonly ca: PrivateCa;
  readonly relay: RelayProcess;
  /** Replaces a file beside the configuration. */
  readonly write: (name: string, text: string) => void;
  /** Accepts an event. @returns its receipt */
  readonly accept: (n: number) => Promise<string>;
}

/**
 * A relay with Adobe's real names, which only the proxy knows, and a simulated Adobe behind them
 * with a certificate of a private CA.
 */
async function setUp(
  egress: (proxy: ConnectProxy) => Record<string, unknown>,
  env: (proxy: ConnectProxy, folder: string) => Record<string, string> = () => ({}),
): Promise<Setup> {
  const simulator = await startSimulator();
  onTestFinished(() => simulator.close());
  const ca = createPrivateCa();
  const front = await startTlsFront(ca.issue(IMS, INLET), Number(new URL(simulator.imsUrl).port));
  const hosts = { [`${IMS}:443`]: front.port, [`${INLET}:443`]: front.port };
  const proxy = await ConnectProxy.start({ hosts, credentials: `relay:${PASSWORD}` });
  const config: RelayConfig & { egress?: object } = relayConfig({
    imsUrl: `https://${IMS}/ims/token/v3`,
    inletUrl: `https://${INLET}${new URL(simulator.inletUrl()).pathname}`,
  });
  config.egress = egress(proxy);
  const folder = relayFolder(config);
  onTestFinished(() => folder.remove());
  const write = (name: string, text: string): void => writeFileSync(join(folder.folder, name), text);
  write('ca.pem', ca.pem);
  write('other.pem', createPrivateCa('Other CA').pem);
  write('password', PASSWORD);
  const relay = await folder.start({ env: env(proxy, folder.folder) });
  return {
    simulator,
    proxy,
    front,
    ca,
    relay,
    write,
    async accept(n) {
      const answer = await relay.post(transactionAdded(n));
      expect(answer.status).toBe(200);
      return ((await answer.json()) as { receipt: string }).receipt;
    },
  };
}

const FROM_FILES = (proxy: ConnectProxy) => ({
  proxy: proxy.url.replace('//', '//relay:${file:password}@'),
  ca: '${file:ca.pem}',
});

async function destination(relay: RelayProcess): Promise<any> {
  return (await relay.admin('/admin/v1/destinations')).body.destinations[0];
}

function delivered(relay: RelayProcess, count: number): Promise<boolean> {
  return until(async () => (await relay.admin('/admin/v1/ledger')).body.delivered === count);
}

const FAULTS: readonly (readonly [ProxyAnswer, string, RegExp])[] = [
  [{ status: 407 }, 'proxy-refused', /answered 407 to CONNECT/],
  [{ status: 403, body: '<html>denied</html>' }, 'proxy-refused', /answered 403 to CONNECT/],
  [{ status: 502, body: '<html>Bad Gateway</html>' }, 'proxy-failing', /answered 502 to CONNECT/],
  [{ status: 200, body: '<html>Sign in</html>' }, 'proxy-failing', /before the TLS handshake/],
  ['hang up', 'proxy-failing', /ended the connection/],
];

it('delivers through a proxy, names it when it is at fault, and charges no event', async () => {
  const { relay, proxy, accept, front, simulator } = await setUp(FROM_FILES);
  await accept(1);
  await accept(2);
  await delivered(relay, 2);
  expect(new Set(proxy.asked)).toEqual(new Set([`${IMS}:443`, `${INLET}:443`]));
  const opened = proxy.asked.length;
  for (let n = 3; n <= 12; n += 1) await accept(n);
  await delivered(relay, 12);
  // Tunnels are used again: at most one for each of the 8 connections, and one for IMS.
  expect(proxy.asked.length).toBeLessThanOrEqual(9);
  expect(opened).toBeLessThanOrEqual(9);
  expect(new Set(front.serverNames)).toEqual(new Set([IMS, INLET]));

  let n = 12;
  for (const [answer, reason, detail] of FAULTS) {
    proxy.answer = answer;
    await proxy.close();
    await proxy.listen();
    n += 1;
    const receipt = await accept(n);
    const stopped = await until(async () => {
      const found = await destination(relay);
      return found.reason === reason && found;
    });
    expect(stopped.state).toBe(reason === 'proxy-refused' ? 'paused' : 'waiting');
    expect(stopped.detail).toMatch(detail);
    expect(stopped.detail).toContain(`${proxy.url} (egress.proxy)`);
    expect((await relay.admin(`/admin/v1/events/${receipt}`)).body).toMatchObject({
      state: 'pending',
      charged: 0,
      failures: 0,
    });
    proxy.answer = 'pass';
    await relay.admin('/admin/v1/destinations/acme-aep/resume', { method: 'POST' });
    await delivered(relay, n);
  }
  expect(simulator.landed()).toHaveLength(n);
  expect((await relay.admin('/admin/v1/ledger')).body).toMatchObject({ accepted: n, delivered: n, dead: 0 });
  const said = JSON.stringify(relay.log) + relay.stderr();
  expect(said).toContain(`"proxy":"${proxy.url}"`);
  expect(said).not.toContain('geheim');
});

it('names the proxy as the cause when no token can be had through it', async () => {
  const { relay, proxy, accept } = await setUp(FROM_FILES);
  proxy.answer = { status: 403 };
  await accept(1);
  const stopped = await until(async () => {
    const found = await destination(relay);
    return found.reason === 'proxy-refused' && found;
  });
  expect(stopped.detail).toBe(
    `IMS was not asked: the proxy ${proxy.url} (egress.proxy) answered 403 to CONNECT ${IMS}:443: it does not allow this host`,
  );
  proxy.answer = 'pass';
  await relay.admin('/admin/v1/destinations/acme-aep/resume', { method: 'POST' });
  await delivered(relay, 1);
});

it('loses nothing when the proxy restarts again and again', async () => {
  const { relay, proxy, accept, simulator } = await setUp(FROM_FILES);
  const receipts: string[] = [];
  for (let round = 0; round < 2; round += 1) {
    for (let n = 0; n < 25; n += 1) receipts.push(await accept(round * 25 + n));
    await proxy.close();
    for (let n = 0; n < 5; n += 1) receipts.push(await accept(1_000 + round * 5 + n));
    await proxy.listen();
    await delivered(relay, receipts.length);
  }
  expect((await relay.admin('/admin/v1/ledger')).body).toMatchObject({ delivered: 60, dead: 0, pending: 0 });
  const ids = new Set(simulator.landed().map(({ id }) => id));
  expect(ids.size).toBe(60);
  for (const receipt of receipts)
    expect((await relay.admin(`/admin/v1/events/${receipt}`)).body).toMatchObject({ charged: 0 });
});

const BREAKDOWNS: readonly (ProxyAnswer | 'restart')[] = [
  'restart',
  { status: 503 },
  'restart',
  'hang up',
  { status: 200, body: '<html>Sign in</html>' },
  { status: 100 },
];

it('keeps the order of each customer, and charges no event, while a proxy breaks under load', async () => {
  const { relay, proxy, simulator } = await setUp(FROM_FILES);
  const customers = Array.from({ length: 20 }, (_, n) => n + 1);
  /** A busy machine delivers less between two breakdowns, and then asks for fewer tunnels. */
  const isEnough = (posted: number): boolean => posted >= 25 && proxy.asked.length > 20;
  const sent = new Map(customers.map((customer) => [customer, 0]));
  const receipts: string[] = [];
  const posted = new AbortController();
  const breakDown = async (): Promise<void> => {
    for (let n = 0; !posted.signal.aborted; n += 1) {
      const way = BREAKDOWNS[n % BREAKDOWNS.length] ?? 'restart';
      if (way !== 'restart') proxy.answer = way;
      // Open tunnels end in the middle of whatever they carry.
      await proxy.close();
      await proxy.listen();
      await setTimeout(100);
      proxy.answer = 'pass';
      await setTimeout(150);
    }
  };
  const post = async (customer: number): Promise<void> => {
    for (let n = 1; !isEnough(n - 1); n += 1) {
      const answer = await relay.post(transactionAdded(customer, { billNumber: `bill-${customer}-${n}` }));
      expect(answer.status).toBe(200);
      sent.set(customer, n);
      receipts.push(((await answer.json()) as { receipt: string }).receipt);
      await setTimeout(100);
    }
  };
  const breaking = breakDown();
  await Promise.all(customers.map(post)).finally(() => posted.abort());
  await breaking;
  await delivered(relay, receipts.length);
  const { body } = await relay.admin('/admin/v1/ledger');
  expect(body).toMatchObject({ accepted: receipts.length, dead: 0, pending: 0, balanced: true });
  const bills = simulator
    .landed({ kind: 'event' })
    .map(({ entity }) => /bill-(\d+)-(\d+)/.exec(JSON.stringify(entity)) ?? []);
  for (const customer of customers) {
    const own = bills.filter(([, of]) => of === String(customer)).map(([, , n]) => Number(n));
    // A second copy can land after an answer was lost, and before anything later of the customer.
    expect([...new Set(own)]).toEqual(Array.from({ length: sent.get(customer) ?? 0 }, (_, n) => n + 1));
    expect(own).toEqual(own.toSorted((a, b) => a - b));
  }
  for (const receipt of receipts.filter((_, n) => n % 10 === 0))
    expect((await relay.admin(`/admin/v1/events/${receipt}`)).body).toMatchObject({ charged: 0 });
});

it('reads a changed CA and password of the proxy without a restart, whatever the environment says', async () => {
  const { relay, proxy, accept, front, write, ca } = await setUp(FROM_FILES, () => ({
    HTTPS_PROXY: 'http://proxy.invalid:3128',
    NO_PROXY: 'example.com',
  }));
  await accept(1);
  await delivered(relay, 1);
  const next = createPrivateCa('Next CA');
  front.present(next.issue(IMS, INLET));
  await proxy.close();
  await proxy.listen();
  await accept(2);
  await until(async () => /^tls: .*\(through the proxy/.test((await destination(relay)).detail ?? ''));
  write('ca.pem', `${ca.pem}${next.pem}`);
  await delivered(relay, 2);
  write('password', 'falsch');
  await until(() => relay.log.filter(({ msg }) => msg === 'secrets reloaded').length === 2);
  await accept(3);
  await until(async () => (await destination(relay)).reason === 'proxy-refused');
  write('password', PASSWORD);
  await delivered(relay, 3);
  expect((await relay.admin('/admin/v1/ledger')).body).toMatchObject({ accepted: 3, dead: 0 });
});

it('uses HTTPS_PROXY and NODE_EXTRA_CA_CERTS, and warns of a proxy that it cannot use', async () => {
  const { relay, proxy, accept } = await setUp(
    () => ({ ca: '${file:other.pem}' }),
    ({ url }, folder) => ({
      HTTPS_PROXY: url.replace('//', `//relay:${encodeURIComponent(PASSWORD)}@`),
      NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
    }),
  );
  await accept(1);
  await delivered(relay, 1);
  expect(proxy.asked.length).toBeGreaterThanOrEqual(2);
  expect(JSON.stringify(relay.log)).not.toContain('geheim');
  const wrong = await setUp(
    () => ({}),
    () => ({ https_proxy: `socks5://relay:geheim@proxy.corp:1080` }),
  );
  const said = JSON.stringify(wrong.relay.log);
  expect(said).toContain('the variable https_proxy is not the http(s) URL of a proxy');
  expect(said).not.toContain('geheim');
});
