import { describe, expect, it, onTestFinished } from 'vitest';
import { createCapillaryClient } from '../../src/capillary/api/capillary-client.ts';
import { egressSchema } from '../../src/config/egress-config.ts';
import { createEgress, type Egress } from '../../src/http/egress.ts';
import { errorOf, setUpPlatform } from '../adobe/platform/platform-rig.ts';
import { type ScriptedServer, sendJson, startServer } from '../adobe/scripted-server.ts';
import { isTokenRequest, jwt, KEY, SECRET } from '../capillary/api/api-rig.ts';
import { ConnectProxy } from '../helpers/connect-proxy.ts';
import { createPrivateCa } from '../helpers/private-ca.ts';
import { startTlsFront } from '../helpers/tls-front.ts';

const PLATFORM = 'platform.adobe.io';
const CAPILLARY = 'eu.api.capillarytech.com';

interface Behind {
  readonly proxy: ConnectProxy;
  readonly server: ScriptedServer;
  readonly egress: Egress;
}

/** Both platforms behind a proxy that alone knows their names. */
async function behindProxy(): Promise<Behind> {
  const server = await startServer((request, response) => {
    const accessToken = jwt({ org_id: 100737 });
    if (isTokenRequest(request))
      sendJson(response, 200, { data: { accessToken, ttlSeconds: 300 }, errors: null });
    else sendJson(response, 200, { id: 'found' });
  });
  const ca = createPrivateCa();
  const front = await startTlsFront(ca.issue(PLATFORM, CAPILLARY), Number(new URL(server.origin).port));
  const hosts = { [`${PLATFORM}:443`]: front.port, [`${CAPILLARY}:443`]: front.port };
  const proxy = await ConnectProxy.start({ hosts });
  return { proxy, server, egress: createEgress(egressSchema.parse({ proxy: proxy.url, ca: ca.pem }), {}) };
}

function platformOf({ egress }: Behind) {
  return setUpPlatform(() => undefined, { url: `https://${PLATFORM}`, egress });
}

function capillaryOf({ egress }: Behind) {
  const limits = { callsPerMinute: 60_000, concurrency: 4, timeout: 5_000 };
  const waits: number[] = [];
  const client = createCapillaryClient({
    api: { url: `https://${CAPILLARY}`, key: KEY, secret: SECRET, ...limits },
    egress,
    wait: async (ms) => void waits.push(ms),
  });
  onTestFinished(() => client.close());
  return { client, waits };
}

describe('the platform API of AEP and the API of Capillary', () => {
  it('are reached through the proxy with the private CA', async () => {
    const behind = await behindProxy();
    const { client } = await platformOf(behind);
    expect(await client.get('/data/foundation/catalog/dataSets')).toMatchObject({ ok: true });
    expect(await capillaryOf(behind).client.get('/v2/customers/1')).toMatchObject({ ok: true });
    expect(new Set(behind.proxy.asked)).toEqual(new Set([`${PLATFORM}:443`, `${CAPILLARY}:443`]));
  });

  it.each([
    [{ status: 403 }, 'proxy-refused', 0],
    [{ status: 503 }, 'proxy-failing', 4],
  ] as const)('have not been changed when the proxy answers %j; %s', async (answer, code, retries) => {
    const behind = await behindProxy();
    behind.proxy.answer = answer;
    const { client, waits } = await platformOf(behind);
    const error = errorOf(await client.post('/data/foundation/flowservice/flows', {}));
    expect(error).toMatchObject({ kind: 'network', code, ambiguous: false });
    expect(error.text).toContain(`the proxy ${behind.proxy.url} (egress.proxy) answered ${answer.status}`);
    expect(waits).toHaveLength(retries);
    const capillary = capillaryOf(behind);
    const failed = await capillary.client.put('/v3/webHooks/1', {});
    expect(failed).toMatchObject({ ok: false, error: { ambiguous: false } });
    expect(capillary.waits.length > 0).toBe(retries > 0);
    expect(behind.server.requests).toEqual([]);
  });
});
