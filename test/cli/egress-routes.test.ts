import { expect, it, onTestFinished } from 'vitest';
import { checkConnection } from '../../src/cli/connection-check.ts';
import { networkFindings } from '../../src/cli/doctor/network-findings.ts';
import { routesOf } from '../../src/cli/egress-routes.ts';
import { summarize } from '../../src/config/config-summary.ts';
import { type Config, configSchema } from '../../src/config/config-schema.ts';
import { createEgress } from '../../src/http/egress.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { sendJson, startServer } from '../adobe/scripted-server.ts';
import { ConnectProxy } from '../helpers/connect-proxy.ts';
import { createPrivateCa } from '../helpers/private-ca.ts';
import { relayConfig } from '../helpers/relay-process.ts';
import { startTlsFront } from '../helpers/tls-front.ts';

const IMS = 'ims-na1.adobelogin.com';
const INLET = 'dcs.adobedc.net';

function config(egress: object, change: (plain: ReturnType<typeof relayConfig>) => void = () => undefined) {
  const plain = relayConfig({
    imsUrl: `https://${IMS}/ims/token/v3`,
    inletUrl: `https://${INLET}/collection/inlet-1`,
  });
  plain.store['path'] = '/unused';
  change(plain);
  return configSchema.parse({ ...plain, egress });
}

function routes(parsed: Config, env: Record<string, string> = {}): Record<string, string> {
  const found = routesOf(parsed, createEgress(parsed.egress, env));
  return Object.fromEntries(found.map(({ host, way, usedFor }) => [host, `${way}; ${usedFor.join(', ')}`]));
}

it('says which way each host of Adobe and Capillary is reached', () => {
  const parsed = config({ proxy: 'http://relay:geheim@proxy.corp:3128', noProxy: [INLET] }, (plain) => {
    plain.sources[0]!['api'] = { url: 'https://eu.api.capillarytech.com', key: 'key', secret: 'secret' };
  });
  expect(routes(parsed, { NO_PROXY: '.capillarytech.com' })).toEqual({
    [IMS]: 'through http://proxy.corp:3128 (egress.proxy); token/acme-aep',
    [INLET]: 'direct (egress.noProxy); inlet/acme-aep',
    'platform.adobe.io': 'through http://proxy.corp:3128 (egress.proxy); platform/acme-aep',
    'eu.api.capillarytech.com': 'direct (NO_PROXY); api/acme',
  });
});

it('lists a host once, and none that is not needed', () => {
  const parsed = config({}, (plain) => {
    plain.destinations.push({
      ...plain.destinations[0]!,
      name: 'other',
      authenticated: false,
      ims: undefined,
    });
  });
  expect(routes(parsed, { HTTPS_PROXY: 'http://proxy.corp:3128' })).toEqual({
    [IMS]: 'through http://proxy.corp:3128 (HTTPS_PROXY); token/acme-aep',
    [INLET]: 'through http://proxy.corp:3128 (HTTPS_PROXY); inlet/acme-aep, inlet/other',
    'platform.adobe.io': 'through http://proxy.corp:3128 (HTTPS_PROXY); platform/acme-aep, platform/other',
  });
});

it('shows neither user name nor password of the proxy in the summary', () => {
  const parsed = config({ proxy: 'http://relay:geheim@proxy.corp:3128', ca: createPrivateCa().pem });
  expect(summarize(parsed)).toMatchObject({
    egress: { proxy: 'http://proxy.corp:3128', ca: '1 certificate' },
  });
});

/** Adobe behind a proxy that alone knows its names. */
async function behindProxy() {
  const server = await startServer(({ url }, response) => {
    if (url.startsWith('/ims')) sendJson(response, 200, { access_token: 'token', expires_in: 86_399 });
    else sendJson(response, 207, { inletId: 'inlet-1', responses: [] });
  });
  const ca = createPrivateCa();
  const front = await startTlsFront(ca.issue(IMS, INLET), Number(new URL(server.origin).port));
  const hosts = { [`${IMS}:443`]: front.port, [`${INLET}:443`]: front.port };
  const proxy = await ConnectProxy.start({ hosts, credentials: 'relay:geheim' });
  const given = proxy.url.replace('//', '//relay:geheim@');
  return { proxy, server, parsed: config({ proxy: given, ca: ca.pem }), given };
}

it('doctor checks token, inlet and clock through the proxy', async () => {
  const { parsed, server, proxy } = await behindProxy();
  const findings = await networkFindings(parsed, {});
  expect(findings.map(({ check, level }) => `${level} ${check}`)).toEqual([
    `ok route/${IMS}`,
    `ok route/${INLET}`,
    'ok route/platform.adobe.io',
    'ok token/acme-aep',
    'ok inlet/acme-aep',
    'ok answer/acme-aep',
    `ok clock/${IMS}`,
    `ok clock/${INLET}`,
  ]);
  expect(findings[0]?.detail).toBe(`through ${proxy.url} (egress.proxy); for token/acme-aep`);
  expect(server.requests.map(({ url }) => url)).toEqual(['/ims/token/v3', '/collection/batch/inlet-1']);
});

it.each([
  ['ok', 'the-secret', 'a token of organisation 100737'],
  ['fail', 'another', 'compare api.key'],
] as const)('doctor says %s about an API client of Capillary', async (level, secret, text) => {
  const twin = await startSimulator({
    capillary: { clients: [{ key: 'the-key', secret: 'the-secret' }] },
  });
  onTestFinished(() => twin.close());
  const { parsed } = await behindProxy();
  const withApi = config({ proxy: 'http://127.0.0.1:1' }, (plain) => {
    plain.sources[0]!['api'] = { url: twin.capillaryUrl, key: 'the-key', secret };
  });
  const findings = await networkFindings({ ...parsed, sources: withApi.sources }, {});
  const found = findings.find(({ check }) => check === 'api/acme');
  expect(found?.level).toBe(level);
  expect(JSON.stringify(found)).toContain(text);
  expect(JSON.stringify(found)).not.toContain(`"${secret}"`);
});

it.each([
  [{ status: 407 }, 'proxy-refused', 'have the proxy allow the hosts of Adobe'],
  [{ status: 503 }, 'proxy-failing', 'check that the proxy'],
] as const)('a proxy that answers %j is named, with what to do', async (answer, code, fix) => {
  const { parsed, proxy } = await behindProxy();
  proxy.answer = answer;
  const egress = createEgress(parsed.egress, {});
  const [token, inlet] = await checkConnection(parsed.destinations[0]!, { egress });
  for (const check of [token, inlet]) {
    expect(check).toMatchObject({ ok: false, fix: expect.stringContaining(fix) });
    expect(check?.detail).toContain(code);
    expect(check?.detail).toContain(`the proxy ${proxy.url} (egress.proxy) answered ${answer.status}`);
    expect(check?.detail).not.toContain('geheim');
  }
});
